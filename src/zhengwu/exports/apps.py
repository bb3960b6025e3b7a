from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "zhengwu.exports"
    label = "exports"
    verbose_name = "导出"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from zhengwu.exports import tables

        tables.register_all()
