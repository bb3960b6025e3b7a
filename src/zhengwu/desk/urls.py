"""The desk's addresses (工作台网址)."""

from __future__ import annotations

from django.urls import path

from zhengwu.desk.audit import views as audit
from zhengwu.desk.authorise import views as authorise
from zhengwu.desk.batch import views as batch
from zhengwu.desk.calendar import views as calendar
from zhengwu.desk.case import views as case
from zhengwu.desk.day import views as day
from zhengwu.desk.drafts import views as drafts
from zhengwu.desk.fees import views as fees
from zhengwu.desk.inbox import views as inbox
from zhengwu.desk.operate import views as operate
from zhengwu.desk.register import views as register
from zhengwu.desk.review import views as review
from zhengwu.desk.shift import views as shift
from zhengwu.desk.time import views as timeviews

app_name = "desk"
urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("list.csv", inbox.export, name="inbox-export"),
    path("register", register.register, name="register"),
    path("cases/<str:number>", case.case, name="case"),
    path("cases/<str:number>/acts/<str:kind>", case.act, name="act"),
    path("cases/<str:number>/why", case.why, name="why"),
    path("cases/<str:number>/undo", case.undo, name="undo"),
    path("cases/<str:number>/documents/<str:check>.pdf", case.document, name="document"),
    path("cases/<str:number>/documents/<str:check>/print", case.copies, name="print"),
    path("cases/<str:number>/review", review.review, name="review"),
    path(
        "cases/<str:number>/files/<uuid:identifier>/<int:page>.jpg", review.page, name="file-page"
    ),
    path("cases/<str:number>/files/<uuid:identifier>", review.download, name="file"),
    path("batch", batch.batch, name="batch"),
    path("day", day.day, name="day"),
    path("day.csv", day.export, name="day-export"),
    path("shift", shift.shift, name="shift"),
    path("shift/give", shift.give, name="shift-give"),
    path("shift/take", shift.take, name="shift-take"),
    path("shift/sheet", shift.sheet, name="shift-sheet"),
    path("drafts", drafts.listed, name="drafts"),
    path("drafts/<path:slot>/discard", drafts.discard, name="draft-discard"),
    path("drafts/<path:slot>", drafts.save, name="draft-save"),
    path("authorisations", authorise.authorised, name="authorisations"),
    path("authorisations.csv", authorise.export, name="authorisations-export"),
    path("authorisations/new", authorise.issue, name="authorise"),
    path("authorisations/<uuid:identifier>", authorise.authorisation, name="authorisation"),
    path("fees", fees.fees, name="fees"),
    path("time", timeviews.account_of, name="time"),
    path("time.csv", timeviews.export, name="time-export"),
    path("calendar", calendar.year, name="calendar"),
    path("calendar/changes", calendar.changes, name="calendar-changes"),
    path("calendar/changes/<int:version>", calendar.change, name="calendar-change"),
    path("calendar/new/<str:way>", calendar.propose, name="calendar-propose"),
    path("operate", operate.operate, name="operate"),
    path("audit", audit.looks, name="audit"),
    path("audit.csv", audit.export, name="audit-export"),
]
