from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    name = "zhengwu.supervision"
    label = "supervision"
    verbose_name = "电子监察"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from zhengwu.ledger import services as ledger
        from zhengwu.supervision import events
        from zhengwu.supervision.followers import WATCH
        from zhengwu.supervision.tally import TALLY

        for kind in (events.FINDING, events.ORDER, events.ACCOUNT, events.CHECK, events.RULES):
            ledger.register(kind)
        ledger.register_follower(WATCH)
        ledger.register_follower(TALLY)
