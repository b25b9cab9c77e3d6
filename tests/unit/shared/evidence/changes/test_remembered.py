"""What was read of a file is read once for as long as somebody holds the file, and forgotten with it."""

from __future__ import annotations

import gc

from shared.domain.change import ChangedFile
from shared.evidence.changes.functions import touched
from shared.evidence.changes.remembered import remembered
from tests.fakes.changes import file


def test_a_file_is_read_once_and_another_for_itself() -> None:
    read: list[str] = []

    @remembered
    def look(one: ChangedFile) -> str:
        read.append(one.path)
        return one.path.upper()

    first = file("a.py", None, "a")
    assert (look(first), look(first), look(file("a.py", None, "a"))) == ("A.PY", "A.PY", "A.PY")
    assert look(first.model_copy(update={"path": "b.py"})) == "B.PY"
    assert read == ["a.py", "b.py"]


def test_a_file_that_nobody_holds_is_forgotten() -> None:
    read: list[str] = []

    @remembered
    def look(one: ChangedFile) -> int:
        read.append(one.path)
        return len(read)

    assert look(file("a.py", None, "a")) == 1
    gc.collect()
    assert look(file("a.py", None, "a")) == 2


def test_a_copy_with_another_text_is_read_anew() -> None:
    first = file("a.py", None, "def a(): ...\n")
    assert touched(first) != touched(first.model_copy(update={"content": "def b(): ...\n"}))
