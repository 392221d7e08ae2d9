"""Since when a market has any record is found by an index of its own, built while records are stored.

By the primary key it was found behind all that markets before it had: 1.1 s a page of the past at ten million trades.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = (("trades", "0008_fewer_indexes"),)
    operations = (
        AddIndexConcurrently(model_name="trade", index=models.Index(fields=["market", "id"], name="trade_by_market")),
    )
