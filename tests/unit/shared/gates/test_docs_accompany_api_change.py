"""A change of the public interface changes its reference."""

from __future__ import annotations

import pytest

from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, evidence, file, judged

GATE = "docs_accompany_api_change"
ROUTE = '@app.get("/orders/{number}")\ndef order(number: int): ...\n'


def code(after: str | None, before: str | None = None, path: str = "src/a.py") -> object:
    return file(path, before, after)


def docs(text: str, path: str = "docs/reference/api.md") -> object:
    return file(path, "# API\n", f"# API\n{text}\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "def export(): ...\n"),
        ("def export(): ...\n", "x = 1\n"),
        ("def export(a): ...\n", "def export(a, b): ...\n"),
        (None, "class Export: ...\n"),
        ("def _export(): ...\n\n__all__ = []\n", "def export(): ...\n"),
    ],
)
def test_what_changes_has_to_be_told(before: str | None, after: str) -> None:
    changed = code(after, before)
    found = judged(GATE, evidence(changed))
    assert found.outcome is Outcome.UNMET
    assert "export" in found.reason.lower()
    assert found.remarks[0].path == "src/a.py"
    assert judged(GATE, evidence(changed, docs("`export` and Export write a file"))).outcome is Outcome.MET


def test_a_remark_stands_where_the_function_is() -> None:
    (remark,) = judged(GATE, evidence(code("x = 1\n\ndef export(): ...\n"))).remarks
    assert (remark.line, remark.rule) == (3, "undocumented_interface")


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("docs/a.md", Outcome.MET),
        ("README.md", Outcome.MET),
        ("CHANGELOG.md", Outcome.UNMET),
        ("CONTRIBUTING.md", Outcome.UNMET),
        ("tests/a.md", Outcome.UNMET),
    ],
)
def test_a_changelog_is_no_reference(path: str, outcome: Outcome) -> None:
    assert judged(GATE, evidence(code("def export(): ...\n"), docs("export", path))).outcome is outcome


def test_documentation_of_something_else_does_not_tell_it() -> None:
    assert judged(GATE, evidence(code("def export(): ...\n"), docs("exported goods"))).outcome is Outcome.UNMET


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (None, 'def export():\n    """Writes."""\n', Outcome.MET),
        ('def export():\n    """Writes."""\n', 'def export(a):\n    """Writes a."""\n', Outcome.MET),
        ('def export():\n    """Writes."""\n', 'def export(a):\n    """Writes."""\n', Outcome.UNMET),
        ('def export():\n    """Writes."""\n', "x = 1\n", Outcome.UNMET),
    ],
)
def test_a_docstring_written_with_it_is_its_reference(before: str | None, after: str, outcome: Outcome) -> None:
    assert judged(GATE, evidence(code(after, before))).outcome is outcome


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("GET /orders/{number}", Outcome.MET),
        ("GET /orders/{id} tells one", Outcome.MET),
        ("GET /orders/:id", Outcome.MET),
        ("GET /orders/{id}/lines", Outcome.UNMET),
        ("GET /orders", Outcome.UNMET),
        ("order", Outcome.UNMET),
    ],
)
def test_a_route_is_told_by_its_path(text: str, outcome: Outcome) -> None:
    assert judged(GATE, evidence(code(ROUTE), docs(text))).outcome is outcome


def test_the_openapi_description_tells_routes() -> None:
    described = file("openapi.yaml", None, "paths:\n  /orders/{number}:\n    get: {}\n")
    assert judged(GATE, evidence(code(ROUTE), described)).outcome is Outcome.MET


def test_a_docstring_does_not_tell_a_route() -> None:
    assert judged(GATE, evidence(code(ROUTE.replace("...", '\n    """An order."""')))).outcome is Outcome.UNMET


@pytest.mark.parametrize(
    "changed",
    [
        file("docs/a.md", None, "a"),
        file("src/a.py", "def a():\n    return 1\n", "def a():\n    return 2\n"),
        file("src/a.py", None, "def _a(): ...\n"),
        file("src/_a.py", None, "def a(): ...\n"),
        file("tests/test_a.py", None, "def test_a(): ...\n"),
        file("deploy.sh", None, "ls\n"),
    ],
)
def test_a_change_that_leaves_the_interface_alone_is_not_asked(changed: object) -> None:
    assert judged(GATE, evidence(changed)).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    "changed",
    [
        file("src/a.py", None, "def a(:\n"),
        file("src/a.go", None, "package a\n"),
        file("src/a.go", "a\n", None),
    ],
)
def test_code_that_cannot_be_read_leaves_it_open(changed: object) -> None:
    assert judged(GATE, evidence(changed)).outcome is Outcome.NOT_AVAILABLE


def test_what_is_certainly_missing_outweighs_what_could_not_be_read() -> None:
    seen = evidence(code("def export(): ...\n"), file("src/b.py", None, "def a(:\n"))
    assert judged(GATE, seen).outcome is Outcome.UNMET


def test_documentation_that_could_not_be_had_leaves_it_open() -> None:
    lost = file("docs/a.md", "a\n", "b\n", patch=None)
    assert judged(GATE, evidence(code("def export(): ...\n"), lost)).outcome is Outcome.NOT_AVAILABLE
    whole = file("docs/a.md", None, "export\n", patch=None)
    assert judged(GATE, evidence(code("def export(): ...\n"), whole)).outcome is Outcome.MET


def test_exports_of_typescript_are_interface() -> None:
    changed = code("export function total(a: number) {\n  return a;\n}\n", path="src/a.ts")
    assert judged(GATE, evidence(changed)).outcome is Outcome.UNMET
    assert judged(GATE, evidence(changed, docs("total(a)"))).outcome is Outcome.MET


def test_a_constructor_is_told_by_its_class() -> None:
    changed = code("class Desk:\n    def __init__(self, a, b): ...\n", "class Desk:\n    def __init__(self, a): ...\n")
    assert judged(GATE, evidence(changed)).outcome is Outcome.UNMET
    assert judged(GATE, evidence(changed, docs("Desk(a, b)"))).outcome is Outcome.MET


def test_files_that_are_not_known_leave_it_open() -> None:
    assert judged(GATE, evidence().model_copy(update={"files": UNKNOWN})).outcome is Outcome.NOT_AVAILABLE
