"""Risky behaviour stands behind a flag that is off by default; what is not risky is not asked for one."""

from __future__ import annotations

import pytest

from shared.domain.definition import ChangeKind
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, a_change, evidence, file, judged

GATE = "feature_flag_guards_risk"
RISKY = "def clear():\n    shutil.rmtree(folder)\n"
FLAGGED = "def clear():\n    if flags.clear_folders:\n        shutil.rmtree(folder)\n"


def code(source: str, path: str = "src/a.py") -> object:
    return file(path, None, source)


def test_a_risk_behind_a_flag_holds() -> None:
    found = judged(GATE, evidence(code(FLAGGED)))
    assert found.outcome is Outcome.MET
    assert "src/a.py:2" in found.reason


@pytest.mark.parametrize(
    ("path", "source", "why"),
    [
        ("src/a.py", RISKY, "deletes data"),
        ("src/a.py", "cursor.execute('DELETE FROM orders')\n", "deletes data"),
        ("src/a.py", "requests.post(url)\n", "talks to the outside"),
        ("src/a.py", "subprocess.run(['ls'])\n", "talks to the outside"),
        ("src/a.ts", "const x = await fetch(url)\n", "talks to the outside"),
        ("src/auth/token.py", "x = 1\n", "decides who may do what"),
        ("src/payment.py", "x = 1\n", "moves money"),
    ],
)
def test_a_risk_without_a_flag_is_told_where(path: str, source: str, why: str) -> None:
    found = judged(GATE, evidence(code(source, path)))
    assert found.outcome is Outcome.UNMET
    assert why in found.reason
    assert found.remarks[0].path == path
    assert found.remarks[0].line is not None


@pytest.mark.parametrize(
    "rest",
    [{"change": a_change(labels=("Risky",))}, {"kinds": (ChangeKind.BREAKING,)}],
)
def test_labels_and_kinds_say_it_too(rest: dict) -> None:
    assert judged(GATE, evidence(code("x = 1\n"), **rest)).outcome is Outcome.UNMET


@pytest.mark.parametrize(
    "asks",
    [
        "if settings.enable_clearing:", "if is_enabled('clear'):", "if client.variation('clear', user, False):",
        "if os.environ.get('FEATURE_CLEAR'):", "if get_boolean_value('clear', False):", "if settings.clearing_enabled:",
    ],
)  # fmt: skip
def test_flags_of_many_kinds_are_known(asks: str) -> None:
    assert judged(GATE, evidence(code(f"{asks}\n    shutil.rmtree(folder)\n"))).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("src/settings.py", "    enable_clearing: bool = True"),
        ("src/settings.py", "FEATURE_CLEAR = True"),
        ("config.yaml", "feature_flag_clear: on"),
        ("src/a.py", "x = os.environ.get('FEATURE_CLEAR', '1')"),
        ("src/a.py", "if get_boolean_value('clear', True):"),
    ],
)
def test_a_flag_that_is_on_from_the_start_guards_nothing(path: str, line: str) -> None:
    found = judged(GATE, evidence(code(FLAGGED, "src/b.py"), code(f"{line}\n", path)))
    assert found.outcome is Outcome.UNMET
    assert (found.remarks[0].path, found.remarks[0].line) == (path, 1)


@pytest.mark.parametrize(
    "line", ["enable_clearing: bool = False", "FEATURE_CLEAR = ''", "x = get_boolean_value('clear', False)"]
)
def test_a_flag_that_is_off_guards(line: str) -> None:
    assert judged(GATE, evidence(code(FLAGGED, "src/b.py"), code(f"{line}\n"))).outcome is Outcome.MET


@pytest.mark.parametrize("source", ["def total(a):\n    return a\n", "# requests.post(url)\n", "\n"])
def test_what_is_not_risky_is_not_asked(source: str) -> None:
    assert judged(GATE, evidence(code(source))).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    "changed",
    [file("docs/auth/a.md", None, "a"), file("tests/test_a.py", None, RISKY), file("src/auth/a.py", "a\n", None)],
)
def test_only_code_that_is_added_is_asked(changed: object) -> None:
    assert judged(GATE, evidence(changed, kinds=(ChangeKind.BREAKING,))).outcome is Outcome.NOT_APPLICABLE


def test_a_flag_in_a_comment_or_a_test_guards_nothing() -> None:
    seen = evidence(code("# is_enabled('clear')\n" + RISKY), file("tests/test_a.py", None, FLAGGED))
    assert judged(GATE, seen).outcome is Outcome.UNMET


@pytest.mark.parametrize("labels", [(), ("risk",)])
def test_hunks_that_could_not_be_had_leave_it_open(labels: tuple[str, ...]) -> None:
    lost = file("src/a.py", "a\n", RISKY, patch=None)
    assert judged(GATE, evidence(lost, change=a_change(labels=labels))).outcome is Outcome.NOT_AVAILABLE


def test_a_new_file_without_hunks_is_read_whole() -> None:
    assert judged(GATE, evidence(file("src/a.py", None, RISKY, patch=None))).outcome is Outcome.UNMET


def test_files_that_are_not_known_leave_it_open() -> None:
    assert judged(GATE, evidence().model_copy(update={"files": UNKNOWN})).outcome is Outcome.NOT_AVAILABLE
