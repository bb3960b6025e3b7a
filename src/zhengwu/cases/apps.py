from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "zhengwu.cases"
    label = "cases"
    verbose_name = "办件"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from zhengwu.cases.events import ALARM, ATTEMPT, CASE
        from zhengwu.cases.publication import PUBLICATION
        from zhengwu.ledger import services as ledger

        ledger.register(CASE)
        ledger.register(ALARM)
        ledger.register(ATTEMPT)
        ledger.register_follower(PUBLICATION)
