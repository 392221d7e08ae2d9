"""What like cases say of how firm a result is, and which marks a user has switched off: two tables, nothing else."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('dashboard', '0008_events'),
        ('market', '0005_dated_rules'),
    ]

    operations = [
        migrations.CreateModel(
            name='HiddenMarks',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='hidden_marks', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('names', models.CharField(help_text='Names of marks, with spaces between', max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='LikeMoves',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('delivery_day', models.DateField()),
                ('minutes', models.PositiveSmallIntegerField(help_text='Product length')),
                ('time_left', models.PositiveSmallIntegerField(help_text='The bucket of time left (firmness/rules.py: LEFT)')),
                ('part', models.PositiveSmallIntegerField(help_text='The part of the day (firmness/rules.py: PARTS)')),
                ('moves', django.contrib.postgres.fields.ArrayField(base_field=models.DecimalField(decimal_places=10, max_digits=24), size=None)),
                ('market', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='market.market')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('market', 'delivery_day', 'minutes', 'time_left', 'part'), name='like_moves_once')],
            },
        ),
    ]
