"""Events and the triggers that write them: in the transaction of what they tell of, whoever stores it.

The functions run with their owner's rights: the application's role gets its own only after this, and meanwhile a
listener must be able to store trades.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

_DAY = "to_char(n.delivery_day, 'YYYY-MM-DD')"
_UTC = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

_TRADE = f"""INSERT INTO dashboard_event (kind, trader, data)
    SELECT 'trade', n.trader_id, json_build_object('exchange_id', n.exchange_id, 'trader_id', t.trader_id,
        'market', m.code, 'delivery_day', {_DAY}, 'delivery_hour', n.delivery_hour,
        'price', trim_scale(n.price)::text, 'quantity', trim_scale(n.quantity)::text, 'direction', n.direction,
        'execution_time', {_UTC.format("n.execution_time")})::text
    FROM new_rows AS n JOIN trades_trader AS t ON t.id = n.trader_id JOIN market_market AS m ON m.id = n.market_id
    ORDER BY n.source_position, n.id"""
_BOARD = f"""INSERT INTO dashboard_event (kind, trader, data)
    SELECT DISTINCT 'board', n.trader_id, json_build_object('trader_id', t.trader_id, 'market', m.code,
        'delivery_day', {_DAY})::text
    FROM new_rows AS n JOIN trades_trader AS t ON t.id = n.trader_id JOIN market_market AS m ON m.id = n.market_id"""
_PRICE = f"""INSERT INTO dashboard_event (kind, data)
    SELECT 'price', json_build_object('market', m.code, 'delivery_day', {_DAY}, 'delivery_hour', n.delivery_hour,
        'value', trim_scale(n.value)::text, 'published_at', {_UTC.format("n.last_update")},
        'arrived_at', {_UTC.format("n.arrived_at")})::text
    FROM new_rows AS n JOIN market_market AS m ON m.id = n.market_id ORDER BY n.id"""
_GAP = f"""INSERT INTO dashboard_event (kind, data)
    SELECT 'gap', json_build_object('market', m.code, 'state', CASE WHEN n.closed_at IS NULL THEN 'open' ELSE 'closed'
        END, 'started_at', {_UTC.format("n.started_at")}, 'ended_at', {_UTC.format("n.ended_at")})::text
    FROM new_rows AS n JOIN market_market AS m ON m.id = n.market_id {{}} ORDER BY n.id"""
_CLOSED = _GAP.format("JOIN old_rows AS o ON o.id = n.id AND o.closed_at IS DISTINCT FROM n.closed_at")


def _assumption(what, joins, more=""):
    return f"""INSERT INTO dashboard_event (kind, trader, data)
    SELECT 'assumption', a.trader_id, json_build_object('id', a.id, 'what', '{what}', 'trader_id', t.trader_id,
        'market', m.code, 'delivery_day', to_char(a.delivery_day, 'YYYY-MM-DD'){more})::text
    FROM new_rows AS n {joins} JOIN trades_trader AS t ON t.id = a.trader_id
        JOIN market_market AS m ON m.id = a.market_id"""


_JUDGED = "JOIN dashboard_assumedperiod AS p ON p.id = n.period_id JOIN dashboard_assumption AS a ON a.id = p.assumption_id"
_OF_IT = "JOIN dashboard_assumption AS a ON a.id = n.{}"

TRIGGERS = (
    ("trades_trade", "INSERT", "trade", _TRADE),
    ("trades_position", "INSERT", "board", _BOARD),
    ("trades_position", "UPDATE", "board", _BOARD),
    ("trades_position", "DELETE", "board", _BOARD),
    ("prices_referencepricehistory", "INSERT", "price", _PRICE),
    ("trades_feedgap", "INSERT", "gap", _GAP.format("")),
    ("trades_feedgap", "UPDATE", "gap", _CLOSED),
    ("dashboard_assumption", "INSERT", "written", _assumption("written", _OF_IT.format("id"))),
    (
        "dashboard_verdictrecord",
        "INSERT",
        "judged",
        _assumption("judged", _JUDGED, ", 'delivery_hour', p.delivery_hour, 'verdict', n.verdict"),
    ),
    ("dashboard_withdrawal", "INSERT", "withdrawn", _assumption("withdrawn", _OF_IT.format("assumption_id"))),
)

# A board that moved twice before anybody could hear of it has moved.
_NUMBER = """CREATE FUNCTION dashboard_number_events() RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE first_free bigint; given bigint;
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM dashboard_event WHERE number IS NULL) THEN RETURN 0; END IF;
        INSERT INTO dashboard_eventcount (id, newest, forgotten) VALUES (1, 0, 0) ON CONFLICT DO NOTHING;
        SELECT newest INTO first_free FROM dashboard_eventcount WHERE id = 1 FOR UPDATE;
        -- From here on this is alone, and each statement sees what the one before in the queue has committed.
        DELETE FROM dashboard_event WHERE id IN (
            SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY data ORDER BY id DESC) AS newer
                FROM (SELECT * FROM dashboard_event WHERE number IS NULL ORDER BY id LIMIT 10000) AS first
                WHERE kind = 'board') AS boards WHERE newer > 1);
        UPDATE dashboard_event AS e SET number = first_free + pending.place
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM (
            SELECT id FROM dashboard_event WHERE number IS NULL ORDER BY id LIMIT 10000) AS first) AS pending
        WHERE e.id = pending.id;
        GET DIAGNOSTICS given = ROW_COUNT;
        UPDATE dashboard_eventcount SET newest = first_free + given WHERE id = 1;
        RETURN given;
    END $$"""


def triggers():
    for table, on, name, insert in TRIGGERS:
        function = f"desk_event_{name}_{on.lower()}"
        rows = "OLD TABLE AS new_rows" if on == "DELETE" else "NEW TABLE AS new_rows"
        if "old_rows" in insert:
            rows = f"OLD TABLE AS old_rows {rows}"
        yield migrations.RunSQL(
            f"""CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
                SET search_path = public, pg_temp AS $$ BEGIN {insert}; RETURN NULL; END $$;
                CREATE TRIGGER {function} AFTER {on} ON {table} REFERENCING {rows}
                FOR EACH STATEMENT EXECUTE FUNCTION {function}()""",
            f"DROP TRIGGER {function} ON {table}; DROP FUNCTION {function}()",
        )


KINDS = ["trade", "price", "board", "gap", "assumption", "alert"]


class Migration(migrations.Migration):
    dependencies = (
        ("dashboard", "0007_assumptions"),
        ("trades", "0007_index_of_second_sides"),
        ("prices", "0003_corrections"),
    )
    operations = (
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField(null=True, unique=True)),
                ("kind", models.CharField(choices=[(kind, kind) for kind in KINDS], max_length=12)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("trader", models.BigIntegerField(help_text="Whose it is, by primary key", null=True)),
                (
                    "user",
                    models.BigIntegerField(help_text="The only one who may see it, by primary key", null=True),
                ),
                ("data", models.TextField(help_text="JSON, as it travels")),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("number__isnull", True)), fields=["id"], name="event_without_number"
                    )
                ]
            },
        ),
        migrations.CreateModel(
            name="EventCount",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("newest", models.BigIntegerField(default=0)),
                ("forgotten", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.RunSQL(_NUMBER, "DROP FUNCTION dashboard_number_events()"),
        *triggers(),
    )
