"""What an installation held in the tables of `accounts` goes into the calendar's stream.

Days of the shipped file are shipped again from the file; whatever else was entered there is kept.
"""

from django.db import migrations


def carry_over(apps, schema_editor):
    from zhengwu.calendars import services
    from zhengwu.web.clock import now

    years = {}
    for one in apps.get_model("accounts", "CalendarDay").objects.select_related("year"):
        _, days = years.setdefault(one.year_id, (one.year.notice or "原系统登记", []))
        days.append((one.day.isoformat(), one.name, one.off))
    if not years:
        return
    at = now()
    services.load_shipped(at=at)
    services.keep_former(years, at=at)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_looks_by_stream"), ("ledger", "0002_by_actor")]
    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
