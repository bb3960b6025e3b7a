"""The working days stand in the calendar's stream (context `calendars`), not in tables."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_looks_by_stream"), ("calendars", "0001_former_days")]
    operations = [
        migrations.DeleteModel(name="CalendarDay"),
        migrations.DeleteModel(name="CalendarYear"),
    ]
