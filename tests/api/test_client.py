"""The Python client that is made from the document works against a running server, and is typed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.api.asking import document
from tests.api.client import PACKAGE, make
from tests.api.system import issue, register
from tests.api.test_acting import APPLICANT, CLERK
from tests.browser.conftest import server
from zhengwu.ledger import sequencer

__all__ = ["server"]
DRILL = os.environ.get("ZHENGWU_DRILL") == "1"
CALLER = Path(__file__).with_name("caller.txt")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the client and a program that uses it can be imported from."""
    place = make(document(), tmp_path_factory.mktemp("made") / "client", tidy=False)
    (place / "caller.py").write_text(CALLER.read_text(encoding="utf-8"), encoding="utf-8")
    return place


def test_a_program_receives_acts_lists_and_follows_with_the_client(
    client: Path, shop: None, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(client))
    import caller  # type: ignore[import-not-found]

    token = issue(register())
    number = caller.received_and_accepted(server, token, CLERK, APPLICANT)
    assert caller.listed(server, token) == [number]
    sequencer.sequence()
    seen, place = caller.followed(server, token, None)
    assert seen == [(number, "received"), (number, "accepted")]
    assert caller.followed(server, token, place) == ([], place)
    code, article = caller.refused(server, token, "p-water-reviewer", number)
    assert code == "case.moved"
    assert article is None
    assert caller.receipt(server, token, number).startswith(b"%PDF-")
    assert caller.counted(server) == 5
    for name in [one for one in sys.modules if one.split(".")[0] in (PACKAGE, "caller")]:
        del sys.modules[name]


def test_nothing_of_the_document_is_left_out_of_the_client(client: Path) -> None:
    made = {one.stem for one in (client / PACKAGE / "api").glob("*/*.py")} - {"__init__"}
    told: list[Any] = [one for methods in document()["paths"].values() for one in methods.values()]
    assert made == {one["operationId"] for one in told}
    assert {one.parent.name for one in (client / PACKAGE / "api").glob("*/__init__.py")} == {
        tag for one in told for tag in one["tags"]
    }


@pytest.mark.skipif(not DRILL, reason="reads the whole client: ZHENGWU_DRILL=1")
def test_a_program_that_uses_the_client_passes_the_strictest_types(client: Path) -> None:
    right = (client / "caller.py").read_text(encoding="utf-8")
    (client / "wrong.py").write_text(right.replace("got.number", "got.nunber"), encoding="utf-8")
    assert _types(client, "caller.py") == ""
    assert 'has no attribute "nunber"' in _types(client, "wrong.py")


def _types(place: Path, program: str) -> str:
    """What is wrong with the types of a program; nothing where all is right."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file=",
         program],
        cwd=place, env={**os.environ, "MYPYPATH": str(place)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return done.stdout if done.returncode else ""
