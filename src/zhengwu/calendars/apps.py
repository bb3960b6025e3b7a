from django.apps import AppConfig


class CalendarsConfig(AppConfig):
    name = "zhengwu.calendars"
    label = "calendars"
    verbose_name = "历法"

    def ready(self) -> None:
        from zhengwu.calendars.events import CALENDAR
        from zhengwu.ledger import services as ledger

        ledger.register(CALENDAR)
