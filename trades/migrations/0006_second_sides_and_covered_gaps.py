"""The second side of a trade of the desk with itself, and how far imported files have covered a gap.

Adds what may be empty and takes nothing away: the version before runs on this schema. A gap's trigger lets `covered`
change, as it does its note.
"""

import django.db.models.deletion
from django.db import migrations, models

TRIGGER = """CREATE TRIGGER trades_feedgap_facts_are_kept BEFORE UPDATE ON trades_feedgap FOR EACH ROW
    WHEN ((to_jsonb(OLD) - {free}) IS DISTINCT FROM (to_jsonb(NEW) - {free})) EXECUTE FUNCTION desk_refuse()"""
DROP = "DROP TRIGGER trades_feedgap_facts_are_kept ON trades_feedgap"
BEFORE = "ARRAY['closed_at', 'closed_by_id', 'note']::text[]"
NOW = "ARRAY['closed_at', 'closed_by_id', 'note', 'covered']::text[]"


class Migration(migrations.Migration):
    dependencies = (("trades", "0005_feed_silence"),)
    operations = (
        migrations.AddField(
            model_name="feedgap",
            name="covered",
            field=models.JSONField(
                blank=True,
                db_default=models.Value([], output_field=models.JSONField()),
                default=list,
                help_text="What imported files have covered of it: from, until (UTC), file",
            ),
        ),
        migrations.AlterField(
            model_name="feedgap",
            name="note",
            field=models.CharField(
                blank=True,
                help_text="Why it is closed, or what of it imported files have not covered",
                max_length=500,
            ),
        ),
        migrations.RunSQL([DROP, TRIGGER.format(free=NOW)], [DROP, TRIGGER.format(free=BEFORE)]),
        migrations.AddField(
            model_name="trade",
            name="second_side_of",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The trade whose other side this is: the desk traded with itself under one id",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="second_sides",
                to="trades.trade",
            ),
        ),
    )
