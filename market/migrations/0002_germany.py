"""The market that the desk starts with."""

from django.db import migrations


def add_germany(apps, schema_editor):
    market = apps.get_model("market", "Market")
    market.objects.get_or_create(code="DE", defaults={"name": "Germany"})


class Migration(migrations.Migration):
    dependencies = (("market", "0001_initial"),)
    operations = (migrations.RunPython(add_germany, migrations.RunPython.noop),)
