"""What was published is kept as it was: PostgreSQL refuses to change or delete a value of the history."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = (("prices", "0001_initial"), ("audit", "0001_initial"))
    operations = (
        migrations.RunSQL(
            """CREATE TRIGGER prices_referencepricehistory_is_kept BEFORE UPDATE OR DELETE
               ON prices_referencepricehistory FOR EACH ROW EXECUTE FUNCTION desk_refuse()""",
            "DROP TRIGGER prices_referencepricehistory_is_kept ON prices_referencepricehistory",
        ),
    )
