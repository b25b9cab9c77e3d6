"""The tutorial of the first review, typed as it stands, says what it says it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Ports

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(420)]

ROOT = Path(__file__).resolve().parents[2]
TEXT = ROOT / "docs" / "tutorial" / "first-review.md"
_BLOCK = re.compile(r"^```(sh)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "--- end of what was typed ---"
MOST_ANSWERS = 5
"""How often what blocks is asked for again: a review may end before the checks that it is told of."""


def typed() -> list[tuple[str, str]]:
    """What the reader types, each with what is printed; empty where the text shows nothing."""
    found: list[tuple[str, str]] = []
    for kind, text in _BLOCK.findall(TEXT.read_text(encoding="utf-8")):
        if kind == "sh":
            found.append((text, ""))
        else:
            found[-1] = (found[-1][0], text)
    return found


class Shell:
    """One bash, kept from the first line to the last."""

    def __init__(self, folder: Path) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def type(self, text: str) -> str:
        """What is printed until the prompt is back."""
        assert self._bash.stdin is not None and self._bash.stdout is not None
        self._bash.stdin.write(f"{text}\necho '{_END}'\n")
        self._bash.stdin.flush()
        said = []
        while (line := self._bash.stdout.readline()).strip() != _END:
            assert line, f"bash ended after: {''.join(said)}"
            said.append(line)
        return "".join(said)

    def close(self) -> None:
        """End it."""
        self._bash.kill()
        self._bash.communicate(timeout=10)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the reader sits: the stack runs, and has told where in ``ready.json``."""
    ports = Ports.free()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DONERIGHT_")} | {
        "DONERIGHT_HOST_PORT": str(ports.host),
        "DONERIGHT_GITHUB_PORT": str(ports.github),
        "DONERIGHT_AZURE_DEVOPS_PORT": str(ports.azure_devops),
        "DONERIGHT_STORAGE_PORT": str(ports.storage),
    }
    serving = subprocess.Popen(
        [sys.executable, "-m", "local.serve", "--state", str(tmp_path / "state")],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert serving.stdout is not None
        ready = serving.stdout.readline()
        json.loads(ready)
        (tmp_path / "ready.json").write_text(ready, encoding="utf-8")
        yield tmp_path
    finally:
        serving.terminate()
        serving.communicate(timeout=40)


def printed(shell: Shell, text: str, shown: str) -> str:
    """What is printed for ``text``; what blocks is asked for again, as the reader is told to, while it is not as shown."""
    said, last = shell.type(text), text.rstrip().rpartition("\n")[2]
    for _ in range(MOST_ANSWERS if last.startswith("blocked ") else 0):
        if said == shown:
            break
        time.sleep(1)
        before = [line for line in said.splitlines(keepends=True) if "\t" not in line]
        said = "".join(before) + shell.type(last)
    return said


def test_what_is_typed_prints_what_the_text_shows(folder: Path) -> None:
    if missing := [name for name in ("bash", "curl", "jq") if shutil.which(name) is None]:
        pytest.skip(f"the tutorial needs {', '.join(missing)}")
    (first, _), *rest = typed()
    assert first.strip() == "make serve > ready.json"
    shell, said = Shell(folder), ""
    try:
        for text, shown in rest:
            said = printed(shell, text, shown)
            if shown:
                assert said.endswith(shown), f"{text}\nprinted\n{said}\nand not\n{shown}"
    finally:
        shell.close()
    record = [line.split("\t") for line in said.splitlines()]
    assert record[0] == ['{"ok":true,"first_fault":null}'], said
    assert {tag for tag, *_ in record} >= {"github:change:merged", "azure_devops:change:merged"}, said
