"""The desk's addresses (工作台网址)."""

from __future__ import annotations

from django.urls import path

from zhengwu.desk.audit import views as audit
from zhengwu.desk.authorise import views as authorise
from zhengwu.desk.batch import views as batch
from zhengwu.desk.calendar import views as calendar
from zhengwu.desk.case import views as case
from zhengwu.desk.catalogue import compare, completeness
from zhengwu.desk.catalogue import views as catalogue
from zhengwu.desk.catalogue import words as catalogue_words
from zhengwu.desk.changes import edit as change_edit
from zhengwu.desk.changes import views as item_changes
from zhengwu.desk.day import views as day
from zhengwu.desk.drafts import views as drafts
from zhengwu.desk.exchange_lists import views as exchange_lists
from zhengwu.desk.exports import views as exports
from zhengwu.desk.fees import views as fees
from zhengwu.desk.inbox import views as inbox
from zhengwu.desk.operate import views as operate
from zhengwu.desk.process import views as processviews
from zhengwu.desk.ranking import report as ranking_report
from zhengwu.desk.ranking import views as ranking
from zhengwu.desk.register import views as register
from zhengwu.desk.review import views as review
from zhengwu.desk.rules import views as rules
from zhengwu.desk.shift import views as shift
from zhengwu.desk.statistics import report as statistics_report
from zhengwu.desk.statistics import views as statistics
from zhengwu.desk.supervise import accountability, checks
from zhengwu.desk.supervise import orders as supervision_orders
from zhengwu.desk.supervise import views as supervision
from zhengwu.desk.systems import views as systems
from zhengwu.desk.time import views as timeviews
from zhengwu.desk.wall import views as wall

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
    path("process", processviews.picture_of, name="process"),
    path("process/cases", processviews.cases_of, name="process-cases"),
    path("process.xes", processviews.log, name="process-xes"),
    path("process.csv", processviews.export, name="process-export"),
    path("statistics/", statistics.overview, name="statistics"),
    path("statistics/by", statistics.by, name="statistics-by"),
    path("statistics/by.csv", statistics.by, {"form": "csv"}, name="statistics-by-csv"),
    path("statistics/by.xlsx", statistics.by, {"form": "xlsx"}, name="statistics-by-xlsx"),
    path("statistics/time", statistics.time, name="statistics-time"),
    path("statistics/time.csv", statistics.time, {"form": "csv"}, name="statistics-time-csv"),
    path("statistics/time.xlsx", statistics.time, {"form": "xlsx"}, name="statistics-time-xlsx"),
    path("statistics/handings", statistics.handings, name="statistics-handings"),
    path("statistics/people", statistics.people, name="statistics-people"),
    path("statistics/people.csv", statistics.people, {"form": "csv"}, name="statistics-people-csv"),
    path(
        "statistics/people.xlsx", statistics.people, {"form": "xlsx"}, name="statistics-people-xlsx"
    ),
    path("statistics/restatements", statistics.restatements, name="statistics-restatements"),
    path("statistics/definitions", statistics.definitions, name="statistics-definitions"),
    path("statistics/cases", statistics.cases, name="statistics-cases"),
    path("statistics/report", statistics_report.report, name="statistics-report"),
    path(
        "statistics/report.pdf",
        statistics_report.report,
        {"form": "pdf"},
        name="statistics-report-pdf",
    ),
    path(
        "statistics/report.xlsx",
        statistics_report.report,
        {"form": "xlsx"},
        name="statistics-report-xlsx",
    ),
    path("wall", wall.wall, name="wall"),
    path("wall/cases", wall.cases, name="wall-cases"),
    path("digest", wall.digest, name="digest"),
    path("supervision", supervision.listed, name="supervision"),
    path("supervision.csv", supervision.export, name="supervision-csv"),
    path("supervision/mine", supervision.mine, name="supervision-mine"),
    path("supervision/issue", supervision.issue, name="supervision-issue"),
    path("supervision/findings/<uuid:identifier>", supervision.finding, name="finding"),
    path(
        "supervision/findings/<uuid:identifier>/files/<uuid:file>",
        supervision.evidence,
        name="finding-file",
    ),
    path("supervision/orders", supervision_orders.listed, name="orders"),
    path("supervision/orders/new", supervision_orders.new, name="order-new"),
    path("supervision/orders/<uuid:identifier>", supervision_orders.order, name="order"),
    path("supervision/accountability", accountability.listed, name="accounts"),
    path("supervision/accountability/<uuid:identifier>", accountability.account, name="account"),
    path("supervision/checks", checks.listed, name="checks"),
    path("supervision/checks/draw", checks.draw, name="check-draw"),
    path("supervision/checks/<uuid:identifier>", checks.check, name="check"),
    path("calendar", calendar.year, name="calendar"),
    path("calendar/changes", calendar.changes, name="calendar-changes"),
    path("calendar/changes/<int:version>", calendar.change, name="calendar-change"),
    path("calendar/new/<str:way>", calendar.propose, name="calendar-propose"),
    path("catalogue", catalogue.catalogue, name="catalogue"),
    path("catalogue.<str:form>", catalogue.export, name="catalogue-export"),
    path("catalogue/items/<path:code>", catalogue.item, name="catalogue-item"),
    path("catalogue/compare/<path:base>", compare.compare, name="catalogue-compare"),
    path("catalogue/compare.<str:form>", compare.compare_export, name="catalogue-compare-export"),
    path("catalogue/differences", compare.differences, name="catalogue-differences"),
    path(
        "catalogue/differences.<str:form>",
        compare.differences_export,
        name="catalogue-differences-export",
    ),
    path("catalogue/alike", compare.alike, name="catalogue-alike"),
    path("catalogue/alike/pair", compare.pair, name="catalogue-pair"),
    path("catalogue/completeness", completeness.completeness, name="catalogue-completeness"),
    path(
        "catalogue/completeness.<str:form>",
        completeness.export,
        name="catalogue-completeness-export",
    ),
    path("catalogue/words", catalogue_words.listed, name="catalogue-words"),
    path("catalogue/words/new", catalogue_words.add, name="catalogue-word-new"),
    path("catalogue/words/<int:identifier>", catalogue_words.change, name="catalogue-word"),
    path(
        "catalogue/words/<int:identifier>/remove",
        catalogue_words.remove,
        name="catalogue-word-remove",
    ),
    path("catalogue/import", exchange_lists.import_, name="catalogue-import"),
    path(
        "catalogue/import/<uuid:identifier>", exchange_lists.report, name="catalogue-import-report"
    ),
    path(
        "catalogue/import/<uuid:identifier>.xlsx",
        exchange_lists.download,
        name="catalogue-import-download",
    ),
    path("catalogue/download", exchange_lists.export, name="catalogue-download"),
    path("changes", item_changes.listed, name="changes"),
    path("changes/step", item_changes.together, name="changes-step"),
    path("changes/begin", item_changes.begin, name="change-begin"),
    path("changes/<uuid:identifier>", item_changes.change, name="change"),
    path("changes/<uuid:identifier>/edit", change_edit.edit, name="change-edit"),
    path("changes/<uuid:identifier>/material", change_edit.material, name="change-material"),
    path("changes/<uuid:identifier>/files/<str:digest>", change_edit.file, name="change-file"),
    path("systems", systems.listed, name="systems"),
    path("systems/new", systems.register, name="system-new"),
    path("systems/<uuid:identifier>", systems.system, name="system"),
    path("systems/<uuid:identifier>/issue", systems.issue, name="system-issue"),
    path(
        "systems/<uuid:identifier>/tokens/<uuid:token>/revoke",
        systems.revoke,
        name="system-revoke",
    ),
    path("exports", exports.listed, name="exports"),
    path("exports/rows", exports.rows, name="exports-rows"),
    path("exports/told", exports.told, name="exports-told"),
    path("exports/new", exports.order, name="export-new"),
    path("exports/<uuid:identifier>/cancel", exports.cancel, name="export-cancel"),
    path("exports/<uuid:identifier>/delete", exports.delete, name="export-delete"),
    path("exports/<uuid:identifier>/file", exports.file, name="export-file"),
    path("ranking", ranking.listed, name="ranking"),
    path("ranking.csv", ranking.listed, {"form": "csv"}, name="ranking-csv"),
    path("ranking.xlsx", ranking.listed, {"form": "xlsx"}, name="ranking-xlsx"),
    path("ranking/sheet", ranking.sheet, name="ranking-sheet"),
    path("ranking/report", ranking_report.report, name="ranking-report"),
    path("ranking/report.pdf", ranking_report.report, {"form": "pdf"}, name="ranking-report-pdf"),
    path(
        "ranking/report.xlsx", ranking_report.report, {"form": "xlsx"}, name="ranking-report-xlsx"
    ),
    path("rules", rules.listed, name="rules"),
    path("rules/changes", rules.changes, name="rule-changes"),
    path("rules/changes/<int:version>", rules.change, name="rule-change"),
    path("rules/new", rules.new, name="rule-new"),
    path("rules/rule/<str:code>", rules.rule, name="rule"),
    path("rules/rule/<str:code>/edit", rules.edit, name="rule-edit"),
    path("rules/rule/<str:code>/end", rules.end, name="rule-end"),
    path("rules/settings/<str:kind>", rules.setting, name="rule-setting"),
    path("rules/trials/<uuid:identifier>", rules.trial, name="rule-trial"),
    path("rules/trials/<uuid:identifier>/cancel", rules.cancel, name="rule-trial-cancel"),
    path("operate", operate.operate, name="operate"),
    path("audit", audit.looks, name="audit"),
    path("audit.csv", audit.export, name="audit-export"),
]
