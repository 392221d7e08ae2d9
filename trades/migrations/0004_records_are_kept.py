"""Facts that PostgreSQL itself keeps as they are: no UPDATE or DELETE gets past these triggers, whoever asks.

Inserting has no trigger: capture costs what it did. What people decide later (a trade's flags, a frame's status and
note, a gap's closing) stays free.
"""

from django.db import migrations

FREE = {
    "trades_trade": ("flags",),
    "trades_tradechange": (),
    "trades_quarantinedmessage": ("status", "handled_by_id", "handled_at", "note"),
    "trades_feedgap": ("closed_at", "closed_by_id", "note"),
}
DELETED_BY_NOBODY = ("trades_trade", "trades_tradechange", "trades_quarantinedmessage")


def triggers():
    for table, free in FREE.items():
        names = "ARRAY[" + ", ".join(f"'{name}'" for name in free) + "]::text[]"
        yield migrations.RunSQL(
            f"""CREATE TRIGGER {table}_facts_are_kept BEFORE UPDATE ON {table} FOR EACH ROW
                WHEN ((to_jsonb(OLD) - {names}) IS DISTINCT FROM (to_jsonb(NEW) - {names}))
                EXECUTE FUNCTION desk_refuse()""",
            f"DROP TRIGGER {table}_facts_are_kept ON {table}",
        )
    for table in DELETED_BY_NOBODY:
        yield migrations.RunSQL(
            f"""CREATE TRIGGER {table}_is_kept BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION desk_refuse()""",
            f"DROP TRIGGER {table}_is_kept ON {table}",
        )


class Migration(migrations.Migration):
    dependencies = (("trades", "0003_position_slots"), ("audit", "0001_initial"))
    operations = tuple(triggers())
