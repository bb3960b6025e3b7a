"""The commands explain themselves, end with the same codes, and speak JSON to programs."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from zhengwu.commands import base, main

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "commands.md"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Those that run until they are ended, and so report nothing.
RUNNING = {"serve", "web", "work"}


def tree(group: click.Group = main, above: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command by its full name, groups too."""
    for name, one in group.commands.items():
        yield above + name, one
        if isinstance(one, click.Group):
            yield from tree(one, f"{above}{name} ")


def leaves() -> list[tuple[str, click.Command]]:
    return [(name, one) for name, one in tree() if not isinstance(one, click.Group)]


def zhengwu(*words: str, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zhengwu", *words],
        env={**os.environ, **given}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_every_command_and_every_option_says_in_chinese_what_it_is_for() -> None:
    names = [name for name, _ in tree()]
    assert {"serve", "web", "work", "migrate", "doctor", "catalog import", "replay"} <= set(names)
    for name, command in tree():
        assert CHINESE.search(command.help or ""), name
        shown = CliRunner().invoke(main, [*name.split(), "--help"])
        assert shown.exit_code == base.DONE
        for parameter in command.params:
            if isinstance(parameter, click.Argument):
                # An argument has no help of its own: its name or the command's text tells it.
                told = parameter.make_metavar(click.Context(command))
                assert CHINESE.search(told) or told.strip("[]") in shown.stdout, (name, told)
            elif isinstance(parameter, click.Option):
                assert CHINESE.search(parameter.help or ""), (name, parameter.opts)


def test_what_is_not_obvious_has_an_example_that_the_parser_takes() -> None:
    found = 0
    for name, command in leaves():
        needed = [one for one in command.params if one.required]
        example = re.search(rf"zhengwu {name}\b([^（。，；\n]*)", command.help or "")
        assert example or not needed, f"{name} needs {needed} and shows no example"
        if example is None or not example[1].strip():
            continue
        found += 1
        # The example's file is not there; anything else that is wrong with it is a mistake.
        ours = dict.fromkeys(
            re.findall(r"\S+\.(?:xlsx|xes\.gz|tar\.age|txt)", example[1]), __file__
        )
        words = [ours.get(word, word) for word in example[1].split()]
        command.make_context(name, words)
    assert found >= 8


def test_every_command_that_reports_has_json_and_one_word_for_it() -> None:
    for name, command in leaves():
        options = {one.opts[0]: one for one in command.params if isinstance(one, click.Option)}
        if name in RUNNING:
            assert "--json" not in options
        else:
            assert options["--json"].help == "标准输出只写 JSON，给程序读；进度不写。", name


def test_the_exit_codes_are_said_where_people_look() -> None:
    codes = (base.DONE, base.CANNOT, base.WRONG_USAGE, base.PARTLY, base.INTERRUPTED)
    assert codes == (0, 1, 2, 3, 130)
    shown = CliRunner().invoke(main, ["--help"]).stdout
    table = DOCUMENT.read_text()
    for code in codes:
        assert re.search(rf"^ +{code}  +\S", shown, re.M), code
        assert re.search(rf"^\| {code} \|", table, re.M), code


def test_wrong_usage_is_two_and_says_how() -> None:
    for words in (["simulate", "--cases", "0"], ["clock"], ["nonsense"], ["catalog", "export"]):
        done = CliRunner().invoke(main, words)
        assert done.exit_code == base.WRONG_USAGE, words
        assert ("Usage:" in done.stderr, done.stdout) == (True, "")


def test_help_reads_nothing_of_the_platform() -> None:
    code = (
        "import sys; from zhengwu.commands import main; "
        "heavy = {'django', 'psycopg', 'typst', 'ninja', 'pydantic', 'xlsxwriter'} & set(sys.modules);"
        "sys.exit(f'read for nothing: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_interrupted_command_ends_with_130_and_without_a_traceback(tmp_path: Path) -> None:
    code = (  # a suite that was started in the background ignores the interrupt, and so do its children
        "import signal, time\nfrom zhengwu.commands import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "@main.command()\ndef wait():\n    print('here', flush=True)\n    time.sleep(60)\n"
        "main(['wait'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == base.INTERRUPTED
        assert process.stderr.read().strip() == "已中断。"


@pytest.mark.usefixtures("town")
def test_json_is_all_there_is_on_standard_output_and_a_bar_only_on_a_terminal() -> None:
    told = zhengwu("simulate", "--cases", "3", "--json")
    assert told.returncode == base.DONE, told.stderr
    assert json.loads(told.stdout)["cases"] == 3
    assert told.stderr == ""

    words = [sys.executable, "-m", "zhengwu", "publish"]
    for extra, shown in ([], True), (["--json"], False):
        done, drawn = on_a_terminal([*words, *extra])
        assert ("核对办件" in drawn) is shown
        assert (json.loads(done)["cases"] == 3) if extra else done.startswith("核对了 3 件")


def on_a_terminal(words: list[str]) -> tuple[str, str]:
    """Standard output, and what is drawn on standard error where that is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    drawn = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        drawn += piece
    os.close(ours)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == base.DONE, drawn.decode()
    return said, drawn.decode()


@pytest.mark.usefixtures("town")
def test_partly_is_three_and_the_rest_is_named(tmp_path: Path) -> None:
    log = tmp_path / "log.xes"
    log.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><log><trace>'
        '<string key="concept:name" value="one"/>'
        '<event><string key="concept:name" value="Confirmation of receipt"/>'
        '<date key="time:timestamp" value="2011-10-11T13:45:40.276+02:00"/></event>'
        '<event><string key="concept:name" value="no time"/></event>'
        "</trace></log>"
    )
    done = CliRunner().invoke(main, ["replay", str(log), "--map", "receipt", "--json"])
    assert done.exit_code == base.PARTLY, done.output
    told = json.loads(done.stdout)
    assert (told["opened"], told["rejected"], len(told["rejects"])) == (1, 1, 1)
    assert told["rejects"][0]["trace"] == "one"
