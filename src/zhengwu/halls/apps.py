from django.apps import AppConfig


class HallsConfig(AppConfig):
    name = "zhengwu.halls"
    label = "halls"
    verbose_name = "大厅与窗口"
    default_auto_field = "django.db.models.BigAutoField"
