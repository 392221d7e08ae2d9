"""Sums of closed days for histories, and the triggers that say in a change's own transaction that a day's hold no more.

The functions run with their owner's rights, as those of events do: whoever stores trades needs no right here. The lock
is taken before the look whether the day is kept, each in a snapshot of its own: whoever is keeping the day has either
committed, and is seen, or begins after this transaction's end, and reads what it has changed. A transaction that goes
by one snapshot can't see that, so it always says so.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import market.statements.exact
from market.locks import AdvisoryLock

_SLOT = "((one.market_id * 31 + (one.delivery_day - DATE '2000-01-01')) & 511)::int"
_CHANGED = f"""CREATE FUNCTION {{name}}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    DECLARE one record;
    BEGIN
        FOR one IN {{days}} LOOP
            PERFORM pg_advisory_xact_lock_shared({int(AdvisoryLock.HISTORY_DAY)}, {_SLOT});
            INSERT INTO dashboard_historychange (market_id, delivery_day)
            SELECT one.market_id, one.delivery_day
            WHERE current_setting('transaction_isolation') <> 'read committed' OR EXISTS (
                SELECT 1 FROM dashboard_kepthistory AS kept WHERE kept.market_id = one.market_id
                    AND kept.first_day = one.delivery_day AND kept.last_day = one.delivery_day);
        END LOOP;
        RETURN NULL;
    END $$"""
_DAYS = "SELECT DISTINCT market_id, delivery_day FROM changed"
_EMPTIED = """CREATE FUNCTION desk_history_emptied() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    BEGIN
        INSERT INTO dashboard_historychange (market_id, delivery_day)
        SELECT market_id, first_day FROM dashboard_kepthistory WHERE first_day = last_day;
        RETURN NULL;
    END $$"""
# A table is emptied under a lock that keeps every reader out, whoever is keeping a day among them.

FUNCTIONS = {
    "desk_history_changed": _CHANGED.format(name="desk_history_changed", days=_DAYS),
    "desk_history_updated": _CHANGED.format(
        name="desk_history_updated", days=f"{_DAYS} UNION SELECT market_id, delivery_day FROM before"
    ),
    "desk_history_emptied": _EMPTIED,
}
TRIGGERS = (
    ("INSERT", "REFERENCING NEW TABLE AS changed", "desk_history_changed"),
    ("DELETE", "REFERENCING OLD TABLE AS changed", "desk_history_changed"),
    ("UPDATE", "REFERENCING NEW TABLE AS changed OLD TABLE AS before", "desk_history_updated"),
    ("TRUNCATE", "", "desk_history_emptied"),
)


def triggers():
    for name, create in FUNCTIONS.items():
        yield migrations.RunSQL(create, f"DROP FUNCTION {name}()")
    for table in ("trades_position", "prices_referenceprice"):
        for on, rows, function in TRIGGERS:
            name = f"desk_history_{on.lower()}"
            yield migrations.RunSQL(
                f"CREATE TRIGGER {name} AFTER {on} ON {table} {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
                f"DROP TRIGGER {name} ON {table}",
            )


class Migration(migrations.Migration):

    dependencies = [
        ('dashboard', '0012_assumed_period_by_price'),
        ('market', '0006_rules_known_since'),
        ('trades', '0007_index_of_second_sides'),
        ('prices', '0003_corrections'),
    ]

    operations = [
        migrations.CreateModel(
            name='KeptHistory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_day', models.DateField()),
                ('last_day', models.DateField(help_text='The first day itself, or the last one of its month')),
                ('basis', models.TextField(help_text='Whose clock the hours go by, and the rules that find the reference prices')),
                ('kept_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('market', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='market.market')),
            ],
        ),
        migrations.CreateModel(
            name='KeptSum',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('minutes', models.PositiveSmallIntegerField(help_text="The reading's rows; 0: by product")),
                ('trader', models.BigIntegerField(help_text='By primary key; 0: all of them together')),
                ('direction', models.CharField(max_length=4)),
                ('trades', models.BigIntegerField()),
                ('energy', market.statements.exact.Exact(decimal_places=100, max_digits=1000)),
                ('turnover', market.statements.exact.Exact(decimal_places=100, max_digits=1000)),
                ('result', market.statements.exact.Exact(decimal_places=100, max_digits=1000, null=True)),
                ('priced', market.statements.exact.Exact(decimal_places=100, max_digits=1000)),
                ('unpriced', market.statements.exact.Exact(decimal_places=100, max_digits=1000)),
                ('stand_in', market.statements.exact.Exact(decimal_places=100, max_digits=1000)),
                ('hours', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), size=None)),
                ('hour_trades', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), help_text='Those that touch the hour', size=None)),
                ('hour_energy', django.contrib.postgres.fields.ArrayField(base_field=market.statements.exact.Exact(decimal_places=100, max_digits=1000), size=None)),
                ('hour_turnover', django.contrib.postgres.fields.ArrayField(base_field=market.statements.exact.Exact(decimal_places=100, max_digits=1000), size=None)),
                ('hour_result', django.contrib.postgres.fields.ArrayField(base_field=market.statements.exact.Exact(decimal_places=100, max_digits=1000, null=True), size=None)),
                ('hour_priced', django.contrib.postgres.fields.ArrayField(base_field=market.statements.exact.Exact(decimal_places=100, max_digits=1000), size=None)),
                ('hour_unpriced', django.contrib.postgres.fields.ArrayField(base_field=market.statements.exact.Exact(decimal_places=100, max_digits=1000), size=None)),
                ('hour_stand_in', django.contrib.postgres.fields.ArrayField(base_field=market.statements.exact.Exact(decimal_places=100, max_digits=1000), size=None)),
                ('kept', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='sums', to='dashboard.kepthistory')),
            ],
        ),
        migrations.CreateModel(
            name='HistoryChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('delivery_day', models.DateField()),
                ('market', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='market.market')),
            ],
            options={
                'indexes': [models.Index(fields=['market', 'delivery_day'], name='history_change_by_day')],
            },
        ),
        migrations.AddConstraint(
            model_name='kepthistory',
            constraint=models.UniqueConstraint(fields=('market', 'first_day', 'last_day'), name='history_kept_once'),
        ),
        migrations.AddConstraint(
            model_name='keptsum',
            constraint=models.UniqueConstraint(fields=('kept', 'minutes', 'trader', 'direction'), name='history_sum_once'),
        ),
        *triggers(),
    ]
