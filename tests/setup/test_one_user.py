"""One database user, in the demo: the application takes on a role that cannot rewrite the log."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from zhengwu.config.postgres import PORT, Cluster

NAME = "zhengwu_one"


def run(word: str, url: str, home: Path) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ZHENGWU_")}
    given = {"ZHENGWU_DATABASE_URL": url, "ZHENGWU_HOME": str(home), "ZHENGWU_DEMO": "1"}
    return subprocess.run(
        [sys.executable, "-m", "zhengwu", word],
        env={**clean, **given},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("db")
def test_only_the_owners_url(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.connect() as superuser:
        superuser.execute("CREATE ROLE city LOGIN PASSWORD 'word' CREATEROLE")
        superuser.execute(f"CREATE DATABASE {NAME} OWNER city")
    url = f"postgresql://city:word@{quote(str(cluster.socket_folder), safe='')}:{PORT}/{NAME}"
    home = tmp_path / "var"
    try:
        # The role is somebody else's here: the message names what the administrator must type.
        refused = run("migrate", url, home)
        assert refused.returncode == 1
        assert "GRANT zhengwu_app TO city" in refused.stderr
        assert "Traceback" not in refused.stderr

        with cluster.connect() as superuser:
            superuser.execute("GRANT zhengwu_app TO city")
        assert run("migrate", url, home).returncode == 0
        assert "没有要迁移的" in run("migrate", url, home).stdout
        tried = run("tamper", url, home)
        assert tried.returncode == 0, tried.stdout
        assert "每一种都被拒绝了" in tried.stdout
    finally:
        with cluster.connect() as superuser:
            superuser.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
            superuser.execute("DROP ROLE city")
