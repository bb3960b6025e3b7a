from django.apps import AppConfig


class StatisticsConfig(AppConfig):
    name = "zhengwu.statistics"
    label = "statistics"
    verbose_name = "统计"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from zhengwu.ledger import services as ledger
        from zhengwu.statistics.followers import FIGURES

        ledger.register_follower(FIGURES)
