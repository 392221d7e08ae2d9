"""The groups that carry a role (dashboard/access/rights.py); "desk head" exists already."""

from django.db import migrations


def add_groups(apps, schema_editor):
    for name in ("desk head", "operations", "auditor"):
        apps.get_model("auth", "Group").objects.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = (("dashboard", "0002_desk_head"),)
    operations = (migrations.RunPython(add_groups, migrations.RunPython.noop),)
