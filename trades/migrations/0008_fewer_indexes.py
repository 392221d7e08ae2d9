"""Two indexes of trades go, as others begin with the same column: each cost 2 % of what a trade's insertion costs.

By market: trade_once_per_market; by trader: trade_by_trader_day. The version before finds its rows by those, too.
"""

import django.db.models.deletion
from django.db import migrations, models

INDEXES = {"market_id": "trades_trade_market_id_41342cd1", "trader_id": "trades_trade_trader_id_43433f9b"}


class Migration(migrations.Migration):
    atomic = False
    dependencies = (("trades", "0007_index_of_second_sides"),)
    operations = (
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
                    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON trades_trade ({column})",
                )
                for column, name in INDEXES.items()
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="trade",
                    name="market",
                    field=models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="market.market"
                    ),
                ),
                migrations.AlterField(
                    model_name="trade",
                    name="trader",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trades",
                        to="trades.trader",
                    ),
                ),
            ],
        ),
    )
