"""The WSGI entry that granian serves."""

from __future__ import annotations

import contextlib
import os
import signal
import threading

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.urls import resolve
from granian.utils.proxies import wrap_wsgi_with_proxy_headers

from zhengwu.config import memory
from zhengwu.config.postgres import die_with_parent
from zhengwu.web import observing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhengwu.config.settings")
if os.environ.get("ZHENGWU_SERVED"):  # a granian worker: no orphan keeps the port
    die_with_parent()
    # It is forked with its parent's handler, which does nothing here: told to end while it reads
    # the application, it would be killed a minute later. Once it serves, granian sets its own.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

from zhengwu.config.settings import unsafe

if found := unsafe():
    raise ImproperlyConfigured("\n".join(found))
application: observing.WSGI = get_wsgi_application()
# Every view is read now: code that cannot be read ends this process, and not its first requests.
resolve("/healthz")
if os.environ.get("ZHENGWU_SERVED"):
    # The first paper of a process would wait for fonts and keys; they are read while nobody waits.
    from zhengwu.documents import services as documents

    threading.Thread(target=documents.warm_up, name="papers", daemon=True).start()
    memory.settle()
    memory.keep_settled()
if settings.TRUSTED_PROXIES:
    application = observing.peer_kept(
        wrap_wsgi_with_proxy_headers(application, trusted_hosts=settings.TRUSTED_PROXIES)
    )
if descriptor := os.environ.get("ZHENGWU_DRAIN_FD"):
    observing.leave_with(int(descriptor))
if descriptor := os.environ.get("ZHENGWU_READY_FD"):
    with contextlib.suppress(OSError):  # a worker that was started again: nobody waits for it
        os.write(int(descriptor), b".")
