"""The group that makes a user a wall screen (dashboard/access/rights.py)."""

from django.db import migrations


def create(apps, _schema_editor):
    apps.get_model("auth", "Group").objects.get_or_create(name="wall screen")


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0004_preference")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop, elidable=False)]
