"""The public's addresses (门户网址)."""

from __future__ import annotations

from django.urls import path

from zhengwu.portal.check import views as check
from zhengwu.portal.decisions import views as decisions
from zhengwu.portal.forms import views as forms
from zhengwu.portal.help import views as help_pages
from zhengwu.portal.home import views as home
from zhengwu.portal.items import views as items
from zhengwu.portal.laws import views as laws
from zhengwu.portal.statistics import views as statistics
from zhengwu.portal.track import views as track

urlpatterns = [
    path("", home.home, name="home"),
    path("elder", home.elder, name="elder"),
    path("items", items.search, name="items"),
    path("items/by/<str:way>", items.by, name="items-by"),
    path("items/<str:code>.pdf", items.paper, name="item-pdf"),
    path("items/<str:code>", items.item, name="item"),
    path("forms", forms.forms, name="forms"),
    path("forms/<str:digest>/<str:filename>", forms.form, name="form"),
    path("laws", laws.laws, name="laws"),
    path("laws/<str:code>", laws.law, name="law"),
    path("track", track.track, name="track"),
    path("track/documents/<str:token>.pdf", track.document, name="track-document"),
    path("track/documents/<str:token>/words", track.twin, name="track-twin"),
    path("track/why/<str:token>", track.why, name="track-why"),
    path("decisions", decisions.decisions, name="decisions"),
    path("decisions.csv", decisions.export, name="decisions-export"),
    path("decisions.atom", decisions.feed, name="decisions-feed"),
    path("decisions/<uuid:id>", decisions.decision, name="decision"),
    path("statistics/", statistics.overview, name="statistics"),
    path("statistics/by/<str:way>", statistics.by, name="statistics-by"),
    path("statistics/time", statistics.hands, name="statistics-time"),
    path("statistics/restatements", statistics.restatements, name="statistics-restatements"),
    path("statistics/definitions", statistics.definitions, name="statistics-definitions"),
    path("statistics/data/", statistics.data, name="statistics-data"),
    path(
        "statistics/data/<slug:table>.<slug:form>", statistics.download, name="statistics-download"
    ),
    path("check", check.check, name="check"),
    path("check/<str:code>", check.result, name="check-code"),
    path("help", help_pages.help_page, name="help"),
]
