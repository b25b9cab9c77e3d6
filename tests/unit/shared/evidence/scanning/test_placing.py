"""Texts of a change in a folder of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.domain.change import ChangedFile, FileStatus
from shared.evidence.scanning.placing import numbered, place, suffix_of
from shared.evidence.scanning.ports import ScanLimits
from tests.fakes.changes import file

HOSTILE = [
    "../../etc/passwd.py",
    "/etc/passwd.py",
    "C:\\Windows\\system32\\a.py",
    "..\\..\\a.py",
    "a/../../../b.py",
    "CON.py",
    "nul",
    "a\x00b.py",
    "a\nb.py",
    "-rf.py",
    "~/.ssh/id_rsa",
    "x" * 5000 + ".py",
    "a.py/../..",
    "\u202egnp.py",
    "a." + "p" * 300,
    "a.p/y",
    ".bandit",
    "sitecustomize.py",
]


@pytest.mark.parametrize("path", HOSTILE)
def test_no_path_of_a_change_is_a_path_here(path: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    placed, unseen = place([file(path, None, "x = 1\n")], inside, ScanLimits(), numbered)
    assert [one.file.path for one in placed] == [path]
    assert not unseen
    written = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert [one.parent for one in written] == [inside]
    assert written[0].name.startswith("00000") and len(written[0].name) < 20
    assert written[0].read_text() == "x = 1\n"


def test_two_files_of_one_name_do_not_meet(tmp_path: Path) -> None:
    placed, _ = place([file("a/x.py", None, "1\n"), file("A/X.py", None, "2\n")], tmp_path, ScanLimits(), numbered)
    assert sorted(one.read_text() for one in tmp_path.iterdir()) == ["1\n", "2\n"]
    assert len({one.name for one in placed}) == 2


def test_what_was_not_had_or_is_too_large_is_told(tmp_path: Path) -> None:
    files = [
        file("gone.py", None, "", content=None, patch=None),
        file("large.py", None, "x" * 200),
        file("wide.py", None, "é" * 60),
        file("first.py", None, "x" * 90),
        file("second.py", None, "x" * 90),
        file("third.py", None, "x" * 90),
    ]
    placed, unseen = place(files, tmp_path, ScanLimits(file_bytes=100, all_bytes=200), numbered)
    assert [one.file.path for one in placed] == ["first.py", "second.py"]
    assert [one.path for one in unseen] == ["gone.py", "large.py", "wide.py", "third.py"]
    assert all(one.reason for one in unseen)


def test_removed_and_renamed_files_are_not_written(tmp_path: Path) -> None:
    files = [file("a.py", "x\n", None), file("b.py", "x\n", "x\n", previous_path="c.py")]
    assert place(files, tmp_path, ScanLimits(), numbered) == ([], [])
    assert list(tmp_path.iterdir()) == []


def test_added_lines_stand_at_their_numbers_where_the_text_is_missing(tmp_path: Path) -> None:
    sparse = ChangedFile(path="a.py", status=FileStatus.MODIFIED, additions=1, patch="@@ -2,0 +3 @@\n+here")
    placed, unseen = place([sparse], tmp_path, ScanLimits(), numbered, sparse=True)
    assert (tmp_path / placed[0].name).read_text() == "\n\nhere"
    assert not unseen


def test_lines_are_counted_as_the_forge_counts_them(tmp_path: Path) -> None:
    placed, _ = place([file("a.py", None, "one\rtwo\r\nthree\nfour")], tmp_path, ScanLimits(), numbered)
    assert (tmp_path / placed[0].name).read_bytes() == b"one\ntwo\nthree\nfour"
    assert [placed[0].line(number) for number in (0, 1, 2, 3, 4, 99)] == [1, 1, 1, 2, 3, 3]


def test_half_a_character_is_written_as_a_question_mark(tmp_path: Path) -> None:
    placed, _ = place([file("a.py", None, "x = '\ud800'\n")], tmp_path, ScanLimits(), numbered)
    assert (tmp_path / placed[0].name).read_bytes() == b"x = '?'\n"


@pytest.mark.parametrize(
    ("path", "end"), [("A.PY", ".py"), ("a/b.c/d", ""), ("a.", ""), ("Dockerfile", ""), ("a.ü", "")]
)
def test_ends_of_names(path: str, end: str) -> None:
    assert suffix_of(path) == end
