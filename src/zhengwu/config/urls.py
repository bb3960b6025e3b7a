"""All addresses (网址): the public's, the desk's, signing in, other systems, health."""

from __future__ import annotations

from allauth.account import views as account
from django.urls import URLPattern, URLResolver, include, path

from zhengwu.config import api, health, metrics
from zhengwu.desk.password import views as password
from zhengwu.portal.developers import views as developers

# Of allauth only signing in, signing out and changing the password: nobody signs up, and a lost
# password goes to the system administrator of one's own agency.
urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("account/login", account.login, name="account_login"),
    path("account/logout", account.logout, name="account_logout"),
    path("account/password", password.change, name="account_change_password"),
    path("api/v1/docs", developers.page(api.api.get_openapi_schema), name="api-docs"),
    path("api/v1/", api.addresses()),
    path("desk/", include("zhengwu.desk.urls")),
    path("", include("zhengwu.portal.urls")),
]
handler400 = "zhengwu.web.errors.bad_request"
handler403 = "zhengwu.web.errors.permission_denied"
handler404 = "zhengwu.web.errors.page_not_found"
handler500 = "zhengwu.web.errors.server_error"
