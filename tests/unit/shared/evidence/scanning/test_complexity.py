"""Functions with too many ways through them, where the change touches them."""

from __future__ import annotations

import pytest

from shared.domain.evidence import Severity
from shared.evidence.scanning import complexity
from shared.evidence.scanning.complexity import FIGURE
from tests.fakes.changes import file

pytestmark = pytest.mark.usefixtures("here")


def function(name: str, ways: int) -> str:
    return (
        f"def {name}(a):\n"
        + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(ways - 1))
        + "    return a\n"
    )


def test_the_figure_is_of_the_worst_function_that_was_touched(job) -> None:
    before = function("old", 40) + "\n" + function("small", 3)
    (scan,) = complexity.scan(job(file("a.py", before, before + "    # the end\n    return 7\n")))
    assert scan.figures == {FIGURE: 3}
    assert scan.findings == ()
    assert scan.components == ("a.py",) and scan.version


@pytest.mark.parametrize(
    ("ways", "severity"), [(15, None), (16, Severity.MEDIUM), (30, Severity.MEDIUM), (31, Severity.HIGH)]
)
def test_a_function_above_the_bound_is_found_with_its_place(job, found, ways, severity) -> None:
    scans = complexity.scan(job(file("a.py", None, "\n\n" + function("f", ways))))
    assert scans[0].figures == {FIGURE: ways}
    assert [one.severity for one in found(scans)] == ([severity] if severity else [])
    for one in found(scans):
        assert (one.path, one.line, one.rule) == ("a.py", 3, complexity.RULE)
        assert one.end_line == 2 * ways + 2 and str(ways) in one.message and " f;" in one.message


def test_taking_a_line_out_of_a_function_touches_it(job) -> None:
    before = function("f", 20)
    (scan,) = complexity.scan(job(file("a.py", before, before.replace("        return 4\n", "", 1))))
    assert scan.figures[FIGURE] == 20


@pytest.mark.parametrize(
    "excuse", ["# lizard forgives", "#lizard forgive global", "# GENERATED CODE", "# LIZARD FORGIVES"]
)
def test_a_comment_excuses_nothing(job, found, excuse) -> None:
    text = f"{excuse}\n" + function("f", 20).replace("(a):\n", f"(a):\n    {excuse}\n", 1)
    assert len(found(complexity.scan(job(file("a.py", None, text))))) == 1


@pytest.mark.parametrize("suffix", sorted(complexity.SUFFIXES))
def test_every_suffix_is_one_the_library_reads(suffix) -> None:
    from lizard_languages import get_reader_for

    assert get_reader_for(f"a{suffix}") is not None


@pytest.mark.parametrize("path", ["a.md", "a.json", "Dockerfile", "a.png"])
def test_other_files_do_not_concern_it(job, path) -> None:
    assert complexity.scan(job(file(path, None, "if a: b\n"))) == ()


def test_javascript_is_read(job, found) -> None:
    body = "".join(f"if (a == {n}) return {n};\n" for n in range(17))
    assert [one.path for one in found(complexity.scan(job(file("a.ts", None, f"function f(a) {{\n{body}}}\n"))))] == [
        "a.ts"
    ]


def test_text_that_is_no_program_ends_in_an_answer(job) -> None:
    files = [file(f"a{n}.py", None, text) for n, text in enumerate(["def (", ")" * 5000, "'''", "\x00", "if " * 3000])]
    scans = complexity.scan(job(*files))
    told = {path for scan in scans for path in scan.components} | {
        one.path for one in files if any(one.path in str(scan.findings) for scan in scans)
    }
    assert told == {one.path for one in files}


def test_a_file_without_its_text_is_told(job, reasons) -> None:
    scans = complexity.scan(job(file("a.py", None, "x", content=None, patch=None)))
    assert len(scans) == 1 and "a.py" in reasons(scans)[0]


def test_what_makes_the_library_stumble_is_told(job, found, reasons, monkeypatch) -> None:
    import sys

    import lizard

    def deep(self, name, code):
        if name.startswith("00000"):
            sys.stderr.write("[skip] fail to process\n")
        if name.startswith("00001"):
            raise IndexError
        return sound(self, name, code)

    sound = lizard.FileAnalyzer.analyze_source_code
    monkeypatch.setattr(lizard.FileAnalyzer, "analyze_source_code", deep)
    scans = complexity.scan(job(*(file(f"{n}.py", None, function("f", 20)) for n in range(3))))
    assert [one.path for one in found(scans)] == ["2.py"]
    assert "too deeply" in reasons(scans)[0] and "cannot read" in reasons(scans)[0]
