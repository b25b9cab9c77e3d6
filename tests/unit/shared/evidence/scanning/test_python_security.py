"""Weaknesses in touched lines of Python."""

from __future__ import annotations

import pytest

from shared.domain.evidence import Severity
from shared.evidence.scanning import python_security
from tests.fakes.changes import file

pytestmark = pytest.mark.usefixtures("here")
WEAK = 'import subprocess\n\n\ndef run(name):\n    return subprocess.run(f"ls {name}", shell=True)\n'


def test_a_weakness_is_found_with_its_place_and_weight(job, found) -> None:
    scans = python_security.scan(job(file("app.py", None, WEAK)))
    shell = next(one for one in found(scans) if one.rule == "B602")
    assert (shell.path, shell.line, shell.severity) == ("app.py", 5, Severity.HIGH)
    assert shell.help_url.startswith("https://") and shell.message
    assert scans[0].components == ("app.py",) and scans[0].version


def test_only_touched_lines_count(job, found) -> None:
    assert found(python_security.scan(job(file("app.py", WEAK, WEAK + "\n\nx = 1\n")))) == []


def test_taking_an_argument_away_touches_the_call(job, found) -> None:
    before = "import requests\n\nrequests.get(\n    'https://x',\n    timeout=5,\n)\n"
    rules = [
        one.rule
        for one in found(python_security.scan(job(file("a.py", before, before.replace("    timeout=5,\n", "")))))
    ]
    assert rules == ["B113"]


def test_how_sure_it_is_weighs_as_well() -> None:
    assert python_security._WEIGHTS[("HIGH", "LOW")] is Severity.MEDIUM
    assert set(python_security._WEIGHTS.values()) == set(Severity) - {Severity.CRITICAL}


def test_no_comment_excuses_a_line(job, found) -> None:
    text = WEAK.replace("shell=True)", "shell=True)  # nosec B602")
    assert "B602" in [one.rule for one in found(python_security.scan(job(file("a.py", None, text))))]


def test_a_password_is_not_repeated(job, found, written) -> None:
    text = "password = 'tr0ub4dor3xyz'\nlogin(password='tr0ub4dor3xyz')\ndef f(password='tr0ub4dor3xyz'): pass\n"
    scans = python_security.scan(job(file("a.py", None, text)))
    assert [one.rule for one in found(scans)] == ["B105", "B106", "B107"]
    assert "tr0ub4dor" not in written(scans)


def test_tests_may_assert_and_the_product_may_not(job, found) -> None:
    scans = python_security.scan(job(file("tests/test_a.py", None, "assert x\n"), file("a.py", None, "assert x\n")))
    assert [(one.path, one.rule) for one in found(scans)] == [("a.py", "B101")]


def test_what_it_cannot_read_is_told_and_the_rest_is_looked_at(job, found, reasons) -> None:
    scans = python_security.scan(
        job(file("bad.py", None, "def (\n"), file("app.py", None, WEAK), file("nul.py", None, "x\0"))
    )
    assert "B602" in [one.rule for one in found(scans)]
    assert len(reasons(scans)) == 1 and "bad.py" in reasons(scans)[0] and "nul.py" in reasons(scans)[0]
    assert scans[0].components == ("app.py",)


def test_other_files_do_not_concern_it(job) -> None:
    assert python_security.scan(job(file("a.js", None, "eval(x)\n"), file("b.py", "x = 1\n", None))) == ()
