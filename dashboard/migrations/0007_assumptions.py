"""Assumptions, what they were frozen at, their verdicts and withdrawals: records that PostgreSQL refuses to change.

Adds tables and takes nothing away: the version before runs on this schema.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


KEPT = ("assumption", "assumedperiod", "frozenprice", "verdictrecord", "withdrawal")


def set_policy(apps, _schema_editor):
    apps.get_model("dashboard", "AssumptionPolicy").objects.get_or_create(pk=1)


def triggers():
    for name in (f"dashboard_{kept}" for kept in KEPT):
        yield migrations.RunSQL(
            f"""CREATE TRIGGER {name}_is_kept BEFORE UPDATE OR DELETE ON {name}
                FOR EACH ROW EXECUTE FUNCTION desk_refuse()""",
            f"DROP TRIGGER {name}_is_kept ON {name}",
        )


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0001_initial'),
        ('dashboard', '0006_reading'),
        ('market', '0004_reference_rules'),
        ('trades', '0007_index_of_second_sides'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AssumedPeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('delivery_hour', models.CharField(max_length=16)),
                ('delivery_start', models.DateTimeField()),
                ('delivery_end', models.DateTimeField()),
                ('reference_start', models.DateTimeField(null=True)),
                ('reference_end', models.DateTimeField(null=True)),
                ('gate_closes_at', models.DateTimeField(help_text='The last gate closure, as the rules were when it was written')),
                ('net_mwh', models.DecimalField(decimal_places=6, help_text="The author's net position then", max_digits=20)),
                ('average_price', models.DecimalField(decimal_places=10, help_text="The author's, then", max_digits=24, null=True)),
            ],
            options={
                'ordering': ('delivery_start', 'delivery_end'),
            },
        ),
        migrations.CreateModel(
            name='Assumption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField()),
                ('delivery_day', models.DateField(help_text="The market's local date")),
                ('reading', models.CharField(help_text="How the author's board was read", max_length=8)),
                ('claim', models.CharField(choices=[('up', 'up'), ('down', 'down'), ('within', 'within'), ('above', 'above'), ('below', 'below')], max_length=8)),
                ('threshold', models.DecimalField(decimal_places=10, help_text='Least move, width or bound', max_digits=24, null=True)),
                ('broken_at', models.DecimalField(decimal_places=10, default=Decimal('5'), help_text='EUR/MWh against it', max_digits=24)),
                ('confidence', models.PositiveSmallIntegerField(help_text='Per cent', null=True)),
                ('quantity', models.DecimalField(decimal_places=4, help_text='MW', max_digits=9, null=True)),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30), default=list, size=None)),
                ('reason', models.CharField(blank=True, max_length=280)),
                ('late', models.BooleanField(help_text='Written in the last ten minutes: in no rate')),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('market', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='market.market')),
                ('trader', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assumptions', to='trades.trader')),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='FrozenPrice',
            fields=[
                ('period', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='frozen', serialize=False, to='dashboard.assumedperiod')),
                ('value', models.DecimalField(decimal_places=10, max_digits=24)),
                ('last_update', models.DateTimeField(help_text="When the provider updated it, by the provider's word")),
                ('last_change', models.DecimalField(decimal_places=10, help_text='To the price before it', max_digits=24, null=True)),
                ('frozen_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Withdrawal',
            fields=[
                ('assumption', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='withdrawal', serialize=False, to='dashboard.assumption')),
                ('made_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='assumedperiod',
            name='assumption',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='periods', to='dashboard.assumption'),
        ),
        migrations.CreateModel(
            name='AssumptionPolicy',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('shared', models.BooleanField(default=False, help_text="On: traders see each other's. Off: heads, auditors and admins see all of them")),
                ('blind', models.BooleanField(default=False, help_text="On: nobody sees another's open assumption for a period before writing an own one for it")),
            ],
            options={
                'verbose_name_plural': 'assumption policy',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_assumption_policy')],
            },
        ),
        migrations.CreateModel(
            name='VerdictRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verdict', models.CharField(choices=[('right', 'right'), ('wrong', 'wrong'), ('flat', 'flat'), ('void', 'void')], max_length=8)),
                ('final_price', models.DecimalField(decimal_places=10, max_digits=24, null=True)),
                ('final_updated_at', models.DateTimeField(null=True)),
                ('move', models.DecimalField(decimal_places=10, max_digits=24, null=True)),
                ('judged_at', models.DateTimeField()),
                ('period', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='verdicts', to='dashboard.assumedperiod')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.AddIndex(
            model_name='assumption',
            index=models.Index(fields=['trader', 'delivery_day', '-id'], name='assumption_by_trader'),
        ),
        migrations.AddIndex(
            model_name='assumption',
            index=models.Index(fields=['market', 'delivery_day'], name='assumption_by_day'),
        ),
        migrations.AddConstraint(
            model_name='assumption',
            constraint=models.CheckConstraint(condition=models.Q(('claim__in', ['up', 'down', 'within', 'above', 'below'])), name='assumption_claim_known'),
        ),
        migrations.AddConstraint(
            model_name='assumption',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('claim__in', ['within', 'above', 'below']), _negated=True), ('threshold__isnull', False), _connector='OR'), name='assumption_has_its_threshold'),
        ),
        migrations.AddConstraint(
            model_name='assumption',
            constraint=models.CheckConstraint(condition=models.Q(('claim__in', ['above', 'below']), ('threshold__isnull', True), ('threshold__gte', 0), _connector='OR'), name='assumption_threshold_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='assumption',
            constraint=models.CheckConstraint(condition=models.Q(('confidence__isnull', True), ('confidence__range', (50, 90)), _connector='OR'), name='assumption_confidence'),
        ),
        migrations.AddConstraint(
            model_name='assumption',
            constraint=models.CheckConstraint(condition=models.Q(('broken_at__gt', 0)), name='assumption_broken_at_positive'),
        ),
        migrations.AddIndex(
            model_name='assumedperiod',
            index=models.Index(fields=['gate_closes_at'], name='assumed_period_by_gate'),
        ),
        migrations.AddConstraint(
            model_name='assumedperiod',
            constraint=models.UniqueConstraint(fields=('assumption', 'delivery_start', 'delivery_end'), name='assumed_period_once'),
        ),
        migrations.AddConstraint(
            model_name='assumedperiod',
            constraint=models.CheckConstraint(condition=models.Q(('delivery_end__gt', models.F('delivery_start'))), name='assumed_period_forward'),
        ),
        migrations.AddConstraint(
            model_name='verdictrecord',
            constraint=models.UniqueConstraint(fields=('period', 'final_updated_at'), name='verdict_once_a_final'),
        ),
        migrations.AddConstraint(
            model_name='verdictrecord',
            constraint=models.UniqueConstraint(condition=models.Q(('final_updated_at__isnull', True)), fields=('period',), name='void_once'),
        ),
        migrations.AddConstraint(
            model_name='verdictrecord',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['right', 'wrong', 'flat', 'void'])), name='verdict_known'),
        ),
        migrations.AddIndex(
            model_name='assumption',
            index=models.Index(fields=['trader', '-id'], name='assumption_newest_of_trader'),
        ),
        migrations.RunPython(set_policy, migrations.RunPython.noop, elidable=False),
        *triggers(),
    ]
