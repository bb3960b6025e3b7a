"""The check-up (体检): every part of an installation looked at, what is wrong, what to do.

`zhengwu doctor` runs it. Nothing is started for it but the short-lived drawing process, nothing is
made, and no check keeps another from its turn: with the database down the rest is still told.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from zhengwu.config import doctor
from zhengwu.config.environment import address, env, env_bool, home
from zhengwu.config.postgres import APP, OWNER, Cluster

GIB = 1024**3
ROOM = 5 * GIB  # bytes free below which somebody should look
LEAST_POSTGRES = 16
LATE = 10.0  # seconds the watermark may be old; the same as /readyz
BEHIND = 5_000  # events a follower may lie behind; the same as /readyz
APART = (2.0, 30.0)  # seconds between two clocks: worth a hint, wrong
BACKUP = (timedelta(hours=26), timedelta(days=7))  # age of the last: worth a hint, wrong
EXPIRES = timedelta(days=60)  # before a certificate's end somebody should order the next
CONNECT = 5  # seconds to wait for a database
FONTS = ("NotoSerifSC-Regular.ttf", "NotoSerifSC-Bold.ttf")
VENDOR = ("bootstrap.min.css", "htmx.min.js")


class State(StrEnum):
    """How a finding stands. A hint ends with 0; what is wrong ends with 1."""

    OK = "ok"
    HINT = "hint"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. check: its code; says: how it is; do: what to do, "" where nothing."""

    check: str
    state: State
    says: str
    do: str = ""


Check = Callable[[], Iterator[Finding]]


def ok(check: str, says: str) -> Finding:
    return Finding(check, State.OK, says)


def hint(check: str, says: str, do: str) -> Finding:
    return Finding(check, State.HINT, says, do)


def wrong(check: str, says: str, do: str) -> Finding:
    return Finding(check, State.WRONG, says, do)


def examine() -> Iterator[Finding]:
    """Every finding, in the order in which one thing stands on another."""
    for name, check in (("python", _python), ("home", _home), ("disk", _disk), ("port", _port)):
        yield from _guarded(name, check)
    running = yield from _private()
    if not (yield from _settings()):
        return
    for name, check in (
        ("safety", _safety), ("secrets", _secrets), ("public_url", _public_url), ("proxy", _proxy),
    ):  # fmt: skip
        yield from _guarded(name, check)
    if running:
        yield from _database()
    for name, check in (
        ("fonts", _fonts), ("frontend", _frontend), ("seal", _seal), ("files", _files),
        ("drawing", _drawing), ("backup", _backup),
    ):  # fmt: skip
        yield from _guarded(name, check)


def _guarded(name: str, check: Check) -> Iterator[Finding]:
    """The check's findings; whatever ends it is a finding too, and the next check has its turn."""
    from django.core.exceptions import ImproperlyConfigured

    try:
        yield from check()
    except doctor.StartProblem as problem:
        yield wrong(name, str(problem), "")
    except ImproperlyConfigured as problem:
        yield wrong(name, str(problem), "请改正这个设置（docs/reference/settings.md）。")
    except OSError as problem:
        yield wrong(name, doctor.explain(problem, Path(problem.filename or home())), "")
    except Exception as problem:
        said = str(problem).strip().splitlines()
        yield wrong(
            name,
            f"这一项没有查完：{type(problem).__name__}{'：' + said[0] if said else ''}",
            "请先处理其他问题再查一次；仍然这样，请把这一行告诉开发人员。",
        )


# --- the machine --------------------------------------------------------------------------------


def _python() -> Iterator[Finding]:
    doctor.python()
    yield ok("python", f"Python {sys.version.split()[0]}，政务 {version('zhengwu')}")


def _home() -> Iterator[Finding]:
    place = home()
    if not place.exists():
        above = next(one for one in place.parents if one.exists())
        if not os.access(above, os.W_OK | os.X_OK):
            problem = PermissionError(13, "", str(above))
            yield wrong("home", doctor.explain(problem, place), "")
        else:
            yield hint("home", f"还没有文件夹 {place}。", "第一次启动时建立，不必做什么。")
        return
    doctor.folder(place)
    if place.stat().st_mode & stat.S_IWOTH:
        yield wrong("home", f"谁都可以写 {place}。", f"请运行 chmod o-w {place}")
    else:
        yield ok("home", f"文件夹 {place} 可写")


def _disk() -> Iterator[Finding]:
    place = next(one for one in (home(), *home().parents) if one.exists())
    free = shutil.disk_usage(place).free
    said = f"磁盘还有 {free / GIB:,.1f} GB（{place}）"
    if free < doctor.ENOUGH:
        yield wrong("disk", said, "请清理磁盘，或把 ZHENGWU_HOME 设为别处的文件夹。")
    elif free < ROOM:
        yield hint("disk", said, "上传的文件和数据库还会增加，请准备扩容。")
    else:
        yield ok("disk", said)


def _port() -> Iterator[Finding]:
    host, number = address()
    if _site():
        yield ok("port", f"网站正在 {host}:{number} 运行")
        return
    doctor.port(host, number)
    yield ok("port", f"端口 {host}:{number} 空着")


def _site() -> bool:
    """Whether it is our web process that answers there, asked by the name the public uses."""
    host, number = address()
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    named = urlsplit(env("PUBLIC_URL")).netloc or f"localhost:{number}"
    with contextlib.closing(http.client.HTTPConnection(host, number, timeout=3)) as web:
        try:
            web.request("GET", "/healthz", headers={"Host": named})
            return web.getresponse().read(16) == b"ok\n"
        except (OSError, http.client.HTTPException):
            return False


def _private() -> Generator[Finding, None, bool]:  # whether there is a database to ask
    """The private database is asked where it runs, and is not started for this."""
    try:
        if env("DATABASE_URL"):
            return True
        place = home() / "postgres"
        if (place / "secret").is_file() and Cluster(place).runs():
            os.environ["ZHENGWU_DATABASE_URL"] = Cluster(place).url(role=APP)
            os.environ["ZHENGWU_OWNER_DATABASE_URL"] = Cluster(place).url(role=OWNER)
            return True
    except Exception as problem:
        yield wrong("database", f"看不到自带数据库：{problem}", "请检查 ZHENGWU_HOME。")
        return False
    yield hint(
        "database",
        "没有另给数据库，自带数据库没有在运行；数据库的各项没有检查。",
        "zhengwu serve 会启动它；在它运行时再检查一次。",
    )
    return False


# --- the settings -------------------------------------------------------------------------------


def _settings() -> Generator[Finding, None, bool]:  # whether Django could be set up
    import django
    from django.apps import apps
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as problem:
        # Where only a context refused its setting, everything else can still be looked at.
        rest = "" if apps.models_ready else "，再检查一次：其余各项没有检查"
        yield wrong(
            "settings", str(problem), f"请改正这个设置（docs/reference/settings.md）{rest}。"
        )
        return apps.models_ready
    yield ok("settings", "设置读得懂" + ("（演示）" if env_bool("DEMO") else ""))
    return True


def _safety() -> Iterator[Finding]:
    from zhengwu.config.settings import unsafe

    found = unsafe()
    if not found:
        yield ok("safety", "没有不安全的设置")
    for sentence in found:
        yield wrong("safety", sentence, "")


def _secrets() -> Iterator[Finding]:
    """Files that hold settings; those that a container is given are nobody else's to read."""
    for name, path in sorted(os.environ.items()):
        if not (name.startswith("ZHENGWU_") and name.endswith("_FILE")):
            continue
        if not path.startswith("/run/") and Path(path).stat().st_mode & (
            stat.S_IROTH | stat.S_IWOTH
        ):
            yield hint("secrets", f"{name}：谁都可以读 {path}。", f"请运行 chmod o-rw {path}")


def _public_url() -> Iterator[Finding]:
    from django.conf import settings
    from django.http.request import validate_host

    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    if validate_host(host, settings.ALLOWED_HOSTS):
        yield ok("public_url", f"对外地址 {settings.PUBLIC_URL}")
    else:
        yield wrong(
            "public_url",
            f"ZHENGWU_ALLOWED_HOSTS 里没有 ZHENGWU_PUBLIC_URL 的域名 {host}：谁来都是 400。",
            f"请在 ZHENGWU_ALLOWED_HOSTS 里加上 {host}。",
        )


def _proxy() -> Iterator[Finding]:
    from django.conf import settings

    if settings.DEMO:
        return
    if settings.TRUSTED_PROXIES:
        yield ok("proxy", f"相信反向代理 {'、'.join(settings.TRUSTED_PROXIES)}")
    else:
        yield hint(
            "proxy",
            "没有 ZHENGWU_TRUSTED_PROXIES：所有请求都被当作明文，转向 https 又转回来。",
            "请写明反向代理的地址，例如 127.0.0.1。",
        )


# --- the database -------------------------------------------------------------------------------


def _database() -> Iterator[Finding]:
    from django.db import DatabaseError, connection

    connection.settings_dict["OPTIONS"].setdefault("connect_timeout", CONNECT)
    try:
        connection.ensure_connection()
    except DatabaseError as problem:
        said = str(problem).strip().splitlines()[-1]
        yield wrong(
            "database",
            f"数据库连不上：{said}",
            "请运行 zhengwu migrate，它会建立这个角色。"
            if "role" in said and "parameter" in said
            else "请检查数据库是否在运行、ZHENGWU_DATABASE_URL 的地址、用户和密码。",
        )
        return
    try:
        for name, check in (
            ("server", _server), ("durable", _durable), ("log", _log), ("clock", _clock),
            ("owner", _owner),
        ):  # fmt: skip
            yield from _guarded(name, check)
        migrated = yield from _migrations()
        if migrated:
            for name, check in (
                ("worker", _worker), ("watermark", _watermark), ("followers", _followers),
                ("calendar", _calendar), ("exports", _exports),
            ):  # fmt: skip
                yield from _guarded(name, check)
    finally:
        connection.close()


def _asked(query: str) -> tuple[str, ...]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(query)
        return tuple(str(one) for one in cursor.fetchone())


def _server() -> Iterator[Finding]:
    number, said, letters, name = _asked(
        "SELECT current_setting('server_version_num'), current_setting('server_version'),"
        " current_setting('server_encoding'), current_database()"
    )
    if int(number) // 10_000 < LEAST_POSTGRES:
        yield wrong(
            "server",
            f"PostgreSQL {said} 太旧。",
            f"请升级到 {LEAST_POSTGRES} 或更新的版本。",
        )
    else:
        yield ok("server", f"PostgreSQL {said}，数据库 {name}")
    if letters != "UTF8":
        yield wrong(
            "encoding",
            f"数据库的编码是 {letters}，不是 UTF8：生僻字存不进去。",
            "请用 CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0 另建一个，再迁移数据。",
        )
    else:
        yield ok("encoding", "数据库编码 UTF8")


def _durable() -> Iterator[Finding]:
    names = ("fsync", "full_page_writes", "synchronous_commit")
    found = dict(
        zip(
            names,
            _asked("SELECT " + ", ".join(f"current_setting('{one}')" for one in names)),
            strict=True,
        )
    )
    off = [name for name, value in found.items() if value == "off"]
    for name in off:
        yield wrong(
            "durable",
            f"数据库的 {name} 是 off：断电会丢失已经答复“办成”的操作。",
            f"请由数据库管理员执行 ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();",
        )
    if not off:
        yield ok(
            "durable", "提交过的不怕断电（" + "、".join(f"{k}={v}" for k, v in found.items()) + "）"
        )


def _log() -> Iterator[Finding]:
    from django.conf import settings

    from zhengwu.config import migrate

    if not migrate.rewrites_the_log():
        yield ok("log", f"应用的数据库用户 {_asked('SELECT current_user')[0]} 不能改写事件账")
        return
    tell = hint if settings.DEMO else wrong
    yield tell(
        "log",
        f"应用的数据库用户 {_asked('SELECT current_user')[0]} 可以改写事件账。",
        "请把 ZHENGWU_DATABASE_URL 换成另一个什么都不拥有的用户，所有者写入"
        " ZHENGWU_OWNER_DATABASE_URL，再运行 zhengwu migrate。",
    )


def _clock() -> Iterator[Finding]:
    """Half the way there and back is taken off; the moved clock of a demo is not what counts."""
    sent = time.time()
    theirs = float(_asked("SELECT extract(epoch FROM clock_timestamp())::float8")[0])
    came = time.time()
    apart = theirs - (sent + came) / 2
    says = f"本机的钟比数据库的{'慢' if apart > 0 else '快'} {abs(apart):.1f} 秒"
    if abs(apart) <= APART[0] + (came - sent) / 2:
        yield ok("clock", "本机的钟和数据库的一致")
    else:
        tell = hint if abs(apart) <= APART[1] else wrong
        yield tell("clock", says + "：登记时间和收到时间对不上。", "请在两台机器上启用 NTP 校时。")


def _owner() -> Iterator[Finding]:
    import psycopg
    from django.conf import settings
    from django.db import connection

    if not settings.OWNER_DATABASE_URL or settings.OWNER_ELSEWHERE:
        return
    try:
        with psycopg.connect(settings.OWNER_DATABASE_URL, connect_timeout=CONNECT) as owner:
            row = owner.execute(
                "SELECT current_database(), current_user,"
                " has_schema_privilege(current_user, 'public', 'CREATE')"
            ).fetchone()
    except psycopg.Error as problem:
        yield wrong(
            "owner",
            f"所有者连不上：{str(problem).strip().splitlines()[-1]}",
            "请检查 ZHENGWU_OWNER_DATABASE_URL；没有它不能迁移。",
        )
        return
    database, user, creates = row if row else ("", "", False)
    if database != connection.settings_dict["NAME"]:
        yield wrong(
            "owner",
            f"ZHENGWU_OWNER_DATABASE_URL 是另一个数据库 {database}。",
            f"请改为 {connection.settings_dict['NAME']}。",
        )
    elif not creates:
        yield wrong("owner", f"{user} 不能在数据库里建表。", "请写数据库所有者的连接。")
    else:
        yield ok("owner", f"所有者 {user} 可以迁移")


def _migrations() -> Generator[Finding, None, bool]:  # whether the tables are those of this version
    from django.db import DatabaseError

    from zhengwu.config import migrate

    try:
        waiting, newer = migrate.pending(), migrate.unknown()
    except DatabaseError as problem:
        yield wrong(
            "migrations",
            f"看不到迁移记录：{str(problem).strip().splitlines()[0]}",
            "请运行 zhengwu migrate。",
        )
        return False
    if waiting:
        yield wrong(
            "migrations",
            f"有 {len(waiting)} 步迁移没有执行（{'、'.join(waiting[:3])}{'……' if waiting[3:] else ''}）。",
            "请停下后台进程，备份，再运行 zhengwu migrate。",
        )
        return False
    if newer:
        yield wrong(
            "migrations",
            f"数据库比这个版本新（{'、'.join(newer[:3])}{'……' if newer[3:] else ''}）。",
            "请安装当时迁移它的版本，或者恢复迁移以前的备份。",
        )
        return False
    yield ok("migrations", "迁移都执行了")
    return True


def _worker() -> Iterator[Finding]:
    from zhengwu.config import migrate

    if migrate.working():
        yield ok("worker", "后台进程在工作")
    elif _site():
        yield wrong(
            "worker",
            "网站在运行，后台进程没有：期限、公开和统计都停着。",
            "请启动 zhengwu work（systemctl start zhengwu-work），看它的日志。",
        )
    else:
        yield hint("worker", "后台进程没有在运行。", "启动 zhengwu serve 或 zhengwu work。")


def _watermark() -> Iterator[Finding]:
    from zhengwu.ledger import queries as ledger

    mark = ledger.watermark()
    if not mark.alarm:
        yield ok("watermark", f"水位年龄 {mark.age:.1f} 秒")
        return
    tell = wrong if mark.age > LATE else hint
    yield tell(
        "watermark",
        f"一个事务占着水位 {mark.age:.0f} 秒，新的事件排不上号：{mark.session}",
        "请等它结束，或由数据库管理员 SELECT pg_terminate_backend(pid)。",
    )


def _followers() -> Iterator[Finding]:
    from zhengwu.ledger import queries as ledger

    lag = ledger.lag()
    for name in sorted(lag.held):
        yield hint(
            "followers",
            f"{name} 正在从头重做，或者重做的时候被打断了。",
            "正在做的请等它做完；被打断的请再运行一次 zhengwu statistics --rebuild。",
        )
    late = {name: many for name, many in lag.followers.items() if many > BEHIND}
    for name, many in late.items():
        if name in lag.held:
            continue
        yield wrong("followers", f"{name} 落后 {many:,} 个事件。", "请看后台进程的日志。")
    if not late:
        most = max(lag.followers.values(), default=0)
        yield ok("followers", f"事件 {lag.last:,} 个，跟随者最多落后 {most:,} 个")


def _calendar() -> Iterator[Finding]:
    from zhengwu.calendars import queries as calendars
    from zhengwu.web import words
    from zhengwu.web.clock import now

    if year := calendars.unpublished(words.local(now()).date()):
        yield hint(
            "calendar",
            f"{year} 年的放假安排还没有公布，跨到那一年的期限都是暂定的。",
            "请管理员在“工作日历”里粘贴国务院办公厅的通知，由第二个人确认。",
        )
    else:
        yield ok("calendar", "工作日历齐全")


def _exports() -> Iterator[Finding]:
    from django.conf import settings

    from zhengwu.exports import files, queries
    from zhengwu.web.clock import now

    standing = queries.standing(at=now())
    used, most = files.used() / GIB, settings.EXPORTS_MOST_MB / 1024
    said = f"导出的文件 {standing.files:,} 个，{used:,.1f} GB（上限 {most:,.1f} GB）"
    if standing.stuck:
        yield wrong(
            "exports",
            f"{standing.stuck:,} 个导出五分钟没有进展。{said}",
            "请看后台进程的日志；重新启动后台进程，没有做完的会再做一次。",
        )
    elif used > 0.9 * most:
        yield hint(
            "exports", f"{said}，快满了。", "请调高 ZHENGWU_EXPORTS_MOST_MB，或缩短保留的天数。"
        )
    else:
        yield ok("exports", said)


# --- the files ----------------------------------------------------------------------------------


def _fonts() -> Iterator[Finding]:
    from zhengwu.documents import render

    if missing := [name for name in FONTS if not (render.FONTS / name).is_file()]:
        yield wrong(
            "fonts",
            f"缺少字体 {'、'.join(missing)}（{render.FONTS}）：文书出不来。",
            "请重新安装；在源码目录里运行 make setup。",
        )
    else:
        yield ok("fonts", "文书字体齐全")


def _frontend() -> Iterator[Finding]:
    from django.conf import settings

    place = settings.BASE / "web" / "static" / "vendor"
    if missing := [name for name in VENDOR if not (place / name).is_file()]:
        yield wrong(
            "frontend",
            f"缺少前端文件 {'、'.join(missing)}（{place}）：网页没有样式。",
            "请重新安装；在源码目录里运行 make setup。",
        )
    else:
        yield ok("frontend", "前端文件齐全")


def _seal() -> Iterator[Finding]:
    from django.conf import settings

    from zhengwu.documents import seal

    if not settings.SEAL:
        yield hint(
            "seal",
            "没有设电子印章：文书不盖章，写着“打印后加盖本机关印章有效”。",
            "有单位的电子印章时，用 ZHENGWU_SEAL 指向它。",
        )
        return
    try:
        certificate = seal.certificate()
    except ImportError as problem:
        yield wrong("seal", f"ZHENGWU_SEAL 装不上：{problem}", "请检查写法，和它是否安装了。")
        return
    except ValueError as problem:
        yield wrong("seal", f"印章证书读不懂：{problem}", "请换成完好的证书。")
        return
    if certificate is None:
        yield ok("seal", f"印章 {settings.SEAL}，没有说明证书的有效期")
        return
    until, at = certificate.not_valid_after_utc, datetime.fromtimestamp(time.time(), UTC)
    if until <= at:
        yield wrong("seal", f"印章证书在 {until:%Y-%m-%d} 到期了。", "请换新的证书。")
    elif until - at < EXPIRES:
        yield hint("seal", f"印章证书 {until:%Y-%m-%d} 到期。", "请及时办理新的证书。")
    else:
        yield ok("seal", f"印章证书有效，到 {until:%Y-%m-%d}")


def _files() -> Iterator[Finding]:
    from django.conf import settings

    place = Path(settings.FILES)
    if not place.exists():
        yield ok("files", f"{place} 在第一次上传时建立")
        return
    with tempfile.NamedTemporaryFile(dir=place):
        yield ok("files", f"上传的文件写得进 {place}")


def _drawing() -> Iterator[Finding]:
    """A small picture, drawn as an uploaded one would be: with the mark, in the process apart."""
    from PIL import Image

    from zhengwu.documents import drawers, render

    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(picture, "PNG")
    asked = {
        "do": "draw", "media": "image/png", "number": 1, "width": 40, "most": 10, "mark": "检查",
        "font": str(render.FONTS / FONTS[0]),
    }  # fmt: skip
    one = drawers.Drawer()
    try:
        with tempfile.TemporaryFile() as file:
            file.write(picture.getvalue())
            file.flush()
            said, drawn = one.ask(file, asked)
    except drawers.Dead:
        said, drawn = {"fault": "它一启动就结束了"}, b""
    finally:
        one.end()
    if drawn.startswith(b"\xff\xd8"):
        yield ok("drawing", "上传文件的制图进程能用")
    else:
        yield wrong(
            "drawing",
            f"上传文件的制图进程不能用（{said.get('type') or said.get('fault')}）：看不到上传的文件。",
            "请检查字体、内存限制（每个制图进程最多用 1.5 GB 地址空间）和 pypdfium2 的安装。",
        )


def _backup() -> Iterator[Finding]:
    """What the last `zhengwu backup` wrote down: {"at": ISO with an offset, "file": path}."""
    note = home() / "backup.json"
    if not note.exists():
        yield hint(
            "backup", "没有备份过。", "请每天运行 zhengwu backup，例如用 deploy/ 里的定时器。"
        )
        return
    try:
        told = json.loads(note.read_text("utf-8"))
        file, made = Path(told["file"]), datetime.fromisoformat(told["at"])
        age = datetime.fromtimestamp(time.time(), UTC) - made
    except (ValueError, KeyError, TypeError) as problem:
        yield wrong("backup", f"{note} 读不懂（{problem}）。", "请再运行一次 zhengwu backup。")
        return
    said = f"上一次备份在 {age / timedelta(hours=1):,.0f} 小时以前（{file}）"
    if age > BACKUP[1]:
        yield wrong("backup", said + "。", "请看备份的定时器和日志，再运行 zhengwu backup。")
    elif not file.exists():
        # It may have been carried away, as it should be.
        yield hint("backup", said + "，文件不在那里了。", "请确认它已经移到别的机器上。")
    elif age > BACKUP[0]:
        yield hint("backup", said + "。", "请看备份的定时器和日志。")
    else:
        yield ok("backup", said)
