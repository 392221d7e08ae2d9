from django.db import migrations, models
from django.db.models.functions import Now

ROWS = ("marketrule", "gateclosure", "referencerule")
"""Since when they are known nobody has written down: as if they had always been."""


class Migration(migrations.Migration):
    dependencies = [("market", "0005_dated_rules")]
    operations = [
        operation
        for name in ROWS
        for operation in (
            migrations.AddField(name, "entered_at", models.DateTimeField(db_default=Now(), editable=False)),
            migrations.RunSQL(
                f"UPDATE market_{name} SET entered_at = '2000-01-01 00:00:00+00'",  # noqa: S608 - our own text
                migrations.RunSQL.noop,
            ),
        )
    ]
