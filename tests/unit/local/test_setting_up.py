"""Setting up: done once, again when the locks change, and clear about what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local import setting_up


class Machine:
    """A machine that has what a test says it has, and remembers what was run on it."""

    def __init__(self) -> None:
        self.ran: list[list[str]] = []
        self.tools: dict[str, str] = {"npm": "/bin/npm", "node": "/bin/node"}
        self.versions: dict[str, tuple[int, int]] = {}
        self.node = "v20.1.0"
        self.fails: Callable[[list[str]], bool] = lambda _: False

    def which(self, name: str) -> str | None:
        return self.tools.get(name)

    def run(self, command: list[str], **_: Any) -> SimpleNamespace:
        self.ran.append(command)
        if command[-1] == "--version":
            return SimpleNamespace(returncode=0, stdout=self.node.encode())
        if "sys.version_info" in command[-1]:
            version = self.versions.get(command[0])
            text = " ".join(map(str, version)) if version else ""
            return SimpleNamespace(returncode=0 if version else 1, stdout=text.encode())
        if command[1:3] == ["-m", "venv"]:
            python = Path(command[3]) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
            python.parent.mkdir(parents=True)
            python.touch()
            self.versions[str(python)] = (3, 13)
        return SimpleNamespace(returncode=1 if self.fails(command) else 0, stdout=b"what went wrong\n")

    def commands(self, word: str) -> list[list[str]]:
        return [command for command in self.ran if word in command]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    made.versions[sys.executable] = (3, 13)
    for name in ("requirements.txt", "requirements-dev.txt", "package-lock.json"):
        (tmp_path / name).write_text(name)
    (tmp_path / "node_modules").mkdir()
    monkeypatch.setattr(setting_up, "ROOT", tmp_path)
    monkeypatch.setattr(setting_up, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setting_up.shutil, "which", made.which)
    monkeypatch.setattr(setting_up.subprocess, "run", made.run)
    return made


def test_everything_is_set_up_once(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    python = setting_up.ready()
    assert python.exists()
    assert len(machine.commands("venv")) == 1
    assert len(machine.commands("install")) == 1
    assert machine.commands("ci")[0][-1] == "--omit=dev"
    told = capsys.readouterr().err
    assert "virtual environment" in told
    assert "storage emulator" in told
    machine.ran.clear()
    assert setting_up.ready() == python
    assert machine.commands("venv") == machine.commands("install") == machine.commands("ci") == []


def test_a_changed_lock_is_installed_again(machine: Machine, tmp_path: Path) -> None:
    setting_up.ready()
    machine.ran.clear()
    (tmp_path / "requirements.txt").write_text("other")
    setting_up.ready()
    assert len(machine.commands("install")) == 1
    assert machine.commands("ci") == []


def test_tests_get_the_packages_they_read_and_keep_them(machine: Machine) -> None:
    setting_up.ready()
    machine.ran.clear()
    setting_up.ready(node_for_tests=True)
    assert "--omit=dev" not in machine.commands("ci")[0]
    machine.ran.clear()
    setting_up.ready()
    assert machine.commands("ci") == []


def test_another_python_is_found(machine: Machine, tmp_path: Path) -> None:
    other = tmp_path / "python3.13"
    other.touch()
    machine.versions[sys.executable] = (3, 11)
    machine.versions[str(other)] = (3, 13)
    machine.tools["python3.13"] = str(other)
    setting_up.ready()
    assert machine.commands("venv")[0][0] == str(other)


def test_an_environment_of_another_python_is_made_anew(machine: Machine, tmp_path: Path) -> None:
    python = setting_up.ready()
    machine.versions[str(python)] = (3, 12)
    machine.ran.clear()
    setting_up.ready()
    assert len(machine.commands("venv")) == 1


def test_without_the_right_python_it_says_how_to_get_it(machine: Machine) -> None:
    machine.versions[sys.executable] = (3, 9)
    with pytest.raises(setting_up.NotThereError, match=r"pyenv install 3\.13"):
        setting_up.ready()


@pytest.mark.parametrize("missing", ["npm", "node"])
def test_without_node_it_says_how_to_get_it(machine: Machine, missing: str) -> None:
    del machine.tools[missing]
    with pytest.raises(setting_up.NotThereError, match="nodejs"):
        setting_up.ready()


def test_an_old_node_is_named(machine: Machine) -> None:
    machine.node = "v18.3.0"
    with pytest.raises(setting_up.NotThereError, match=r"node is v18\.3\.0"):
        setting_up.ready()


def test_a_failed_installation_shows_its_end_and_is_tried_again(machine: Machine) -> None:
    machine.fails = lambda command: "install" in command
    with pytest.raises(setting_up.NotThereError, match="what went wrong"):
        setting_up.ready()
    machine.fails = lambda _: False
    machine.ran.clear()
    setting_up.ready()
    assert len(machine.commands("install")) == 1


def test_it_knows_where_it_runs() -> None:
    assert setting_up.runs_in(Path(sys.prefix) / "bin" / "python")
    assert not setting_up.runs_in(Path("/somewhere/else/bin/python"))


def test_an_unknown_command_lists_those_there_are() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "fly"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[3],
    )
    assert done.returncode == 2
    assert (
        "play the story"
        in subprocess.run(
            [sys.executable, "-m", "local", "--help"],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).resolve().parents[3],
        ).stdout
    )
