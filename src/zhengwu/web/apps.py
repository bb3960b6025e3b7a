from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "zhengwu.web"
    label = "web"
    verbose_name = "页面骨架"
    default_auto_field = "django.db.models.BigAutoField"
