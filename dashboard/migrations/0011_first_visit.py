"""Who has had the guided first visit: one table. Whoever has logged in before knows the desk already."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('dashboard', '0010_alerts'),
    ]

    operations = [
        migrations.CreateModel(
            name='FirstVisit',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='first_visit', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('begun_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.RunSQL(
            """INSERT INTO dashboard_firstvisit (user_id, begun_at)
                SELECT id, last_login FROM auth_user WHERE last_login IS NOT NULL""",
            migrations.RunSQL.noop,
        ),
    ]
