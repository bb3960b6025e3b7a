from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


class DocumentsConfig(AppConfig):
    name = "zhengwu.documents"
    label = "documents"
    verbose_name = "文书"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """A seal that is not there shows at the start, not with the first paper."""
        if settings.SEAL:
            try:
                import_string(settings.SEAL)
            except ImportError as problem:
                raise ImproperlyConfigured(
                    f"ZHENGWU_SEAL 指向的印章找不到：{settings.SEAL}（{problem}）。"
                ) from problem
