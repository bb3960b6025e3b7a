"""Starting the platform, whole or in pieces, and preparing its database (启动与迁移)."""

from __future__ import annotations

import click

from zhengwu.commands.base import AS_JSON, main, note, progress, say, with_database


@main.command()
def serve() -> None:
    """启动网站、后台进程和（没有另给数据库时）自带数据库；先迁移，演示时建立演示城市。

    一台机器就够的时候用它。Ctrl-C 停止。例：ZHENGWU_DEMO=1 zhengwu serve
    """
    from zhengwu.config.environment import address, env_int, home
    from zhengwu.config.serve import Parent

    host, port = address()
    workers = env_int("WEB_WORKERS", 2, least=1, most=64)
    Parent(home(), host, port, workers, click.echo).run()


@main.command()
def web() -> None:
    """只运行网页进程，用另给的数据库（ZHENGWU_DATABASE_URL）；先迁移好，后台进程另外运行。

    收到 SIGHUP 换上新的进程，收到 SIGTERM 有序停止。
    例：zhengwu web（由 systemd 或容器看管，见 deploy/）
    """
    from zhengwu.config import serve as serving
    from zhengwu.config.environment import address, env_int, home

    host, port = address()
    workers = env_int("WEB_WORKERS", 2, least=1, most=64)
    serving.web(home(), host, port, workers, click.echo)


@main.command()
@with_database
def work() -> None:
    """只运行后台进程：排序、跟随者、定时工作。可以开两个，第二个待命。

    例：zhengwu work（由 systemd 或容器看管，见 deploy/）
    """
    from zhengwu.config import worker
    from zhengwu.config.serve import fit

    fit()
    worker.main()


@main.command()
@AS_JSON
@with_database
def migrate(as_json: bool) -> None:
    """以数据库所有者的身份迁移，并授予应用用户权限。

    有要迁移的时候，先停下后台进程。升级以前先看 CHANGELOG.md 里这一版的“升级”。
    """
    from zhengwu.config import migrate as migration

    applied = migration.run()
    say({"applied": applied}, applied or ["没有要迁移的。"], as_json=as_json)


@main.command()
@AS_JSON
@with_database
def demo(as_json: bool) -> None:
    """建立演示城市（只在 ZHENGWU_DEMO=1 时），并列出演示账号。

    例：ZHENGWU_DEMO=1 zhengwu demo。已经建立的不再建立；密码文件丢了则重新生成密码。
    """
    from dataclasses import asdict

    from django.conf import settings

    from zhengwu.config import demo as city

    if not settings.DEMO:
        raise click.ClickException("演示城市只能在 ZHENGWU_DEMO=1 时建立。")
    if not city.loaded():
        with progress("模拟办件", hidden=as_json) as move:
            city.load(note, progress=move)
    told = {
        "sign_ins": [asdict(one) for one in city.who_may_sign_in()],
        "system": city.system(),
    }
    say(told, city.sign_ins().splitlines(), as_json=as_json)
