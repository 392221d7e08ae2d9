"""The few second sides have a partial index, built while trades are stored."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = (("trades", "0006_second_sides_and_covered_gaps"),)
    operations = (
        AddIndexConcurrently(
            model_name="trade",
            index=models.Index(
                condition=models.Q(("second_side_of__isnull", False)),
                fields=["second_side_of"],
                name="trade_second_sides",
            ),
        ),
    )
