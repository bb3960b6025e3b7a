"""The rules of the house that import-linter does not see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "zhengwu"
CONTEXTS = sorted(folder.name for folder in SOURCE.iterdir() if (folder / "__init__.py").exists())
# A backup bears the time of the machine, not that of the demo.
EDGE = {"web/clock.py", "config/idle.py", "config/logs.py", "config/backup.py"}
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("timezone", "now")}


@cache
def modules() -> list[tuple[str, ast.Module]]:
    return [
        (str(file.relative_to(SOURCE)), ast.parse(file.read_text()))
        for file in sorted(SOURCE.rglob("*.py"))
    ]


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_no_context_imports_the_models_of_another() -> None:
    found = []
    for name, tree in modules():
        own = name.split("/")[0]
        for one in imports(tree):
            other = re.match(r"zhengwu\.(\w+)\.models\b", one)
            if other and other[1] != own:
                found.append(f"{name}: {one}")
    assert found == []


def test_only_the_edge_reads_the_clock() -> None:
    found = []
    for name, tree in modules():
        if name in EDGE:
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and (node.func.value.id, node.func.attr) in CLOCKS
            ):
                found.append(f"{name}:{node.lineno}")
    assert found == []


def test_the_domain_needs_the_standard_library_only() -> None:
    import sys

    for name, tree in modules():
        if name.startswith("domain/"):
            for one in imports(tree):
                top = one.split(".")[0]
                assert top in sys.stdlib_module_names or one.startswith("zhengwu.domain"), name


def test_the_second_count_of_the_figures_shares_nothing_with_the_first() -> None:
    first = re.compile(
        r"zhengwu\.(domain\.(measuring|clock|counting|reading|timeledger|lifecycle)"
        r"|statistics\.(followers|queries|models|services)|cases)\b"
    )
    second = {"statistics/recount.py", "statistics/recounting.py", "domain/daybyday.py"}
    found = {name: [*imports(tree)] for name, tree in modules() if name in second}
    assert set(found) == second
    assert [(name, one) for name, every in found.items() for one in every if first.match(one)] == []
    own = [one for one in found["domain/daybyday.py"] if one.startswith("zhengwu")]
    assert own == ["zhengwu.domain.event.Event", "zhengwu.domain.event.Nature"]


def test_every_context_has_its_place_in_the_layers() -> None:
    text = (SOURCE.parents[1] / "docs" / "architecture.md").read_text()
    picture = text.split("```")[1]
    assert sorted(set(re.findall(r"^(\w+)(?: \| (\w+))?", picture, re.M)), key=str)
    for context in CONTEXTS:
        assert re.search(rf"(^|\| ){context}\b", picture, re.M), context


def test_pages_stand_in_portal_desk_and_web_only() -> None:
    for file in SOURCE.rglob("*.j2"):
        assert file.relative_to(SOURCE).parts[0] in ("portal", "desk", "web"), file
