"""What a stored price is about is found by its period."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('dashboard', '0011_first_visit'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='assumedperiod',
            index=models.Index(fields=['reference_start', 'reference_end', 'gate_closes_at'], name='assumed_period_by_price'),
        ),
    ]
