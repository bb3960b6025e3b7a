"""The WSGI entry that granian serves."""

from __future__ import annotations

import os
import threading

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from granian.utils.proxies import wrap_wsgi_with_proxy_headers

from zhengwu.config.postgres import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhengwu.config.settings")
if os.environ.get("ZHENGWU_SERVED"):  # a granian worker: no orphan keeps the port
    die_with_parent()

from zhengwu.config.settings import unsafe

if found := unsafe():
    raise ImproperlyConfigured("\n".join(found))
application = get_wsgi_application()
if os.environ.get("ZHENGWU_SERVED"):
    # The first paper of a process would wait for fonts and keys; they are read while nobody waits.
    from zhengwu.documents import services as documents

    threading.Thread(target=documents.warm_up, name="papers", daemon=True).start()
if settings.TRUSTED_PROXIES:
    application = wrap_wsgi_with_proxy_headers(application, trusted_hosts=settings.TRUSTED_PROXIES)
