"""Corrected final prices and the wish to ask for one again are records; a price says that it was restated."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('market', '0004_reference_rules'),
        ('prices', '0002_history_is_kept'),
    ]

    operations = [
        migrations.AddField(
            model_name='referenceprice',
            name='restated_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='referenceprice',
            name='restated_from',
            field=models.DecimalField(blank=True, decimal_places=10, help_text='The final price that this one replaced', max_digits=24, null=True),
        ),
        migrations.CreateModel(
            name='PriceCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('delivery_day', models.DateField(help_text="In the market's product zone")),
                ('delivery_hour', models.CharField(blank=True, help_text='One period, for example 08-09 or 08:15-08:30; empty: the whole day', max_length=16)),
                ('delivery_start', models.DateTimeField(blank=True, editable=False, null=True)),
                ('delivery_end', models.DateTimeField(blank=True, editable=False, null=True)),
                ('reason', models.CharField(max_length=300)),
                ('asked_by', models.CharField(editable=False, max_length=150)),
                ('asked_at', models.DateTimeField(editable=False)),
                ('market', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='market.market')),
            ],
            options={
                'ordering': ('-id',),
                'indexes': [models.Index(fields=['-asked_at'], name='price_check_by_time')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('delivery_end__isnull', True), ('delivery_hour', ''), ('delivery_start__isnull', True)), models.Q(models.Q(('delivery_hour', ''), _negated=True), ('delivery_end__gt', models.F('delivery_start')), ('delivery_start__isnull', False)), _connector='OR'), name='price_check_of_a_day_or_a_period')],
            },
        ),
        migrations.CreateModel(
            name='PriceCorrection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('delivery_day', models.DateField(help_text="The market's local date")),
                ('delivery_hour', models.CharField(help_text='Canonical label, for example 08-09', max_length=16)),
                ('delivery_start', models.DateTimeField()),
                ('delivery_end', models.DateTimeField()),
                ('value', models.DecimalField(decimal_places=10, help_text='EUR/MWh', max_digits=24)),
                ('last_update', models.DateTimeField(help_text="When the provider updated it, by the provider's word")),
                ('arrived_at', models.DateTimeField(help_text='When the answer reached us')),
                ('old_value', models.DecimalField(decimal_places=10, help_text='EUR/MWh', max_digits=24)),
                ('old_last_update', models.DateTimeField()),
                ('why', models.CharField(choices=[('after_delivery', 'the check after delivery'), ('next_morning', 'the check of the next morning'), ('by_hand', 'somebody wanted it asked for again'), ('chase', 'asked for as an open one still')], max_length=16)),
                ('market', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='market.market')),
            ],
            options={
                'ordering': ('-id',),
                'indexes': [models.Index(fields=['delivery_day', 'market'], name='price_correction_by_day')],
                'constraints': [models.UniqueConstraint(fields=('market', 'delivery_start', 'delivery_end', 'last_update'), name='price_correction_once')],
            },
        ),
        *(
            migrations.RunSQL(
                f"""CREATE TRIGGER {table}_is_kept BEFORE UPDATE OR DELETE
                   ON {table} FOR EACH ROW EXECUTE FUNCTION desk_refuse()""",
                f"DROP TRIGGER {table}_is_kept ON {table}",
            )
            for table in ("prices_pricecorrection", "prices_pricecheck")
        ),
    ]
