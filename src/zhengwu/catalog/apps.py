from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "zhengwu.catalog"
    label = "catalog"
    verbose_name = "事项"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from zhengwu.catalog.events import AUTHORISATION, CHANGE, ITEM
        from zhengwu.ledger import services as ledger

        ledger.register(ITEM)
        ledger.register(CHANGE)
        ledger.register(AUTHORISATION)
