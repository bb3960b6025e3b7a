"""The public's addresses (门户网址)."""

from __future__ import annotations

from django.urls import path

from zhengwu.portal.check import views as check
from zhengwu.portal.decisions import views as decisions
from zhengwu.portal.help import views as help_pages
from zhengwu.portal.home import views as home
from zhengwu.portal.items import views as items
from zhengwu.portal.track import views as track

urlpatterns = [
    path("", home.home, name="home"),
    path("elder", home.elder, name="elder"),
    path("items", items.search, name="items"),
    path("items/<str:code>", items.guide, name="item"),
    path("track", track.track, name="track"),
    path("track/documents/<str:token>.pdf", track.document, name="track-document"),
    path("track/documents/<str:token>/words", track.twin, name="track-twin"),
    path("track/why/<str:token>", track.why, name="track-why"),
    path("decisions", decisions.decisions, name="decisions"),
    path("decisions.csv", decisions.export, name="decisions-export"),
    path("decisions.atom", decisions.feed, name="decisions-feed"),
    path("decisions/<uuid:id>", decisions.decision, name="decision"),
    path("check", check.check, name="check"),
    path("check/<str:code>", check.result, name="check-code"),
    path("help", help_pages.help_page, name="help"),
]
