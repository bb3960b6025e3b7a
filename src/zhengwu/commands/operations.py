"""Running it for years: backing up, trying and restoring a backup, rolling upgrades (运行维护)."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zhengwu.commands.base import AS_JSON, PARTLY, main, note, progress, say, with_database

if TYPE_CHECKING:
    from zhengwu.config.archive import Key
    from zhengwu.config.restore import Report

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
VERIFIED = {
    "members": "备份里的成员", "tables": "表", "rows": "行", "events": "事件", "leaves": "叶（逐个重算）",
    "streams": "流", "contents": "可删除的内容", "contents_erased": "已依法删除的内容", "files": "上传件",
}  # fmt: skip


@main.command()
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path),
              help="放到哪个文件夹；不写就是 ZHENGWU_HOME/backups。")  # fmt: skip
@click.option("--encrypt-to", "recipients", multiple=True, metavar="收件人",
              help="加密给这个公钥（age1… 或者 ssh-ed25519 …），可以写多个。")  # fmt: skip
@click.option("--passphrase-file", type=FILE, help="用这个文件里的口令加密。")
@AS_JSON
@with_database
def backup(
    folder: Path | None, recipients: tuple[str, ...], passphrase_file: Path | None, as_json: bool
) -> None:
    """备份数据库和上传的文件：同一时刻的，一个文件。照常办事，不用停。

    密钥不在备份里：ZHENGWU_SECRET_KEY 和印章的密钥要另外保管，见 docs/guide/operator.md。
    退出码 3：备份做好了，但有文件在备份以前就已经丢失或者损坏，逐个列出。

    例：zhengwu backup --to /mnt/backup --encrypt-to age1…
    """
    from zhengwu.config import backup as backing_up
    from zhengwu.config.archive import Lock

    if recipients and passphrase_file:
        raise click.UsageError("--encrypt-to 和 --passphrase-file 只能用一个。")
    lock = Lock(recipients, _word(passphrase_file) if passphrase_file else "")
    _end_in_order()
    with progress("备份", hidden=as_json) as move:
        made = backing_up.run(folder, lock=lock, progress=move, say=_notes(as_json))
    lines = [
        f"备份：{made.file}（{made.bytes / 2**20:,.1f} MB，{made.seconds:.1f} 秒）",
        f"到第 {made.position} 位，{made.events} 个事件，{made.files} 个上传件。",
        f"文件的摘要：{made.digest}",
        *(f"备份以前就丢失了：上传件 {one}" for one in made.lost),
        *(f"备份以前就损坏了：上传件 {one}" for one in made.damaged),
    ]
    if not lock.recipients and not lock.passphrase:
        lines.append("没有加密：里面有个人信息，请保管好，或者用 --encrypt-to。")
    say(made.plain(), lines, as_json=as_json)
    if made.lost or made.damaged:
        sys.exit(PARTLY)


@main.command()
@click.argument("file", type=FILE)
@click.option("--check", "how", flag_value="check", help="试恢复到临时的地方，核对，不留痕迹。")
@click.option(
    "--into", "how", flag_value="into", help="恢复到现在设置的数据库和文件夹（都要是空的）。"
)
@click.option("--identity", type=FILE, help="打开备份的私钥文件（age 或者 ssh 的）。")
@click.option("--passphrase-file", type=FILE, help="打开备份的口令文件。")
@click.option("--work", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="试恢复用哪个文件夹；不写就是系统的临时文件夹。")  # fmt: skip
@AS_JSON
def restore(
    file: Path,
    how: str | None,
    identity: Path | None,
    passphrase_file: Path | None,
    work: Path | None,
    as_json: bool,
) -> None:
    """试恢复一个备份，或者恢复它。核对每个成员、每张表、每个事件的叶、内容和文件的摘要。

    全部相符退出码为 0，否则为 1，并说出哪里不符。

    例：zhengwu restore 备份.tar.age --check --identity key.txt
    """
    from zhengwu.config.archive import Key

    if how is None:
        raise click.UsageError("请写 --check（试恢复）或者 --into（恢复）。")
    key = Key(
        identities=identity.read_text() if identity else "",
        passphrase=_word(passphrase_file) if passphrase_file else "",
    )
    _end_in_order()
    report = _check(file, key, work, as_json) if how == "check" else _into(file, key, as_json)
    lines = [f"备份于 {report.at}，版本 {report.product}，到第 {report.position} 位。"]
    lines += [f"  {zh} {report.counts[name]:,}" for name, zh in VERIFIED.items()
              if name in report.counts]  # fmt: skip
    lines += [f"备份以前就丢失了：上传件 {one}" for one in report.lost]
    lines += report.faults
    lines += [f"……另有 {report.more} 处不符。"] if report.more else []
    verdict = "有不符的地方！" if report.faults else "全部相符。"
    say(report.plain(), [*lines, f"{verdict}用时 {report.seconds:.1f} 秒。"], as_json=as_json)
    if report.faults:
        sys.exit(1)


def _check(file: Path, key: Key, work: Path | None, as_json: bool) -> Report:
    import django

    from zhengwu.config import restore as restoring

    django.setup()
    with progress("核对", hidden=as_json) as move:
        return restoring.check(file, key=key, work=work, progress=move, say=_notes(as_json))


@with_database
def _with_ours(told: list[Report], file: Path, key: Key, as_json: bool) -> None:
    from zhengwu.config import restore as restoring

    with progress("核对", hidden=as_json) as move:
        told.append(restoring.into(file, key=key, progress=move, say=_notes(as_json)))


def _into(file: Path, key: Key, as_json: bool) -> Report:
    told: list[Report] = []
    _with_ours(told, file, key, as_json)
    return told[0]


@main.command()
@AS_JSON
def reload(as_json: bool) -> None:
    """换上新装的版本：先迁移，再逐步换掉网页进程和后台进程，不中断任何请求。

    新的版本起不来，旧的就继续运行，并说出原因（退出码 1）。同 systemctl reload、kill -HUP。
    """
    from zhengwu.config import serve
    from zhengwu.config.environment import home

    done = serve.ask_to_reload(home())
    say(done, [str(done["say"])], as_json=as_json)
    if not done["ok"]:
        sys.exit(1)


def _word(file: Path) -> str:
    """The passphrase in a file: its first line."""
    word = file.read_text().split("\n", 1)[0].rstrip("\r")
    if not word:
        raise click.UsageError(f"{file} 里没有口令。")
    return word


def _notes(as_json: bool) -> Callable[[str], None]:
    return (lambda line: None) if as_json else note


def _end_in_order() -> None:
    """SIGTERM, too, takes away what was half done."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
