"""A peer written in Python is installed once for one list of packages, in an environment of its own."""

import subprocess
from pathlib import Path

import pytest

from bench import peer_python
from bench.result import BenchError


@pytest.fixture
def peer(tmp_path):
    (tmp_path / "requirements.txt").write_text("one==1\n")
    return tmp_path


def test_it_is_installed_once_for_one_list(peer, monkeypatch):
    ran = []

    def run(command, **_):
        ran.append(command)
        (peer / ".venv").mkdir(exist_ok=True)
        return subprocess.CompletedProcess(command, 0, b"")

    monkeypatch.setattr(peer_python.subprocess, "run", run)
    assert peer_python.install(peer)
    assert not peer_python.install(peer)
    (peer / "requirements.txt").write_text("one==2\n")
    assert peer_python.install(peer)
    assert [Path(command[0]).is_relative_to(peer) for command in ran] == [False, True] * 2


def test_an_installer_that_fails_is_told_with_its_words(peer, monkeypatch):
    monkeypatch.setattr(
        peer_python.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, b"no such package")
    )
    with pytest.raises(BenchError, match="no such package"):
        peer_python.install(peer)
    assert not (peer / ".venv" / "doneright-stamp").exists()


def test_every_package_of_the_peer_is_pinned():
    lines = (peer_python.PR_AGENT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert "pr-agent==0.49.0" in lines
    assert all("==" in line and "/" not in line for line in lines)
