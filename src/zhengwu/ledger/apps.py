from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "zhengwu.ledger"
    label = "ledger"
    verbose_name = "事件账"
    default_auto_field = "django.db.models.BigAutoField"
