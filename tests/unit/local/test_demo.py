"""Demos at the same time keep apart, and leave nothing behind but what tells why one failed."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from local import demo
from local.stack import PortTakenError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(demo, "STATE", tmp_path / "state")
    monkeypatch.setattr(demo.signal, "signal", lambda *_: None)
    return tmp_path / "state"


@pytest.fixture
def telling(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Path, bool], int]], None]:
    """Lets something else be told, with a state of its own and whether the stack is to stay up."""

    def replace(told: Callable[[Path, bool], int]) -> None:
        def tell(console: Console, state: Path, *, stay: bool) -> int:
            return told(state, stay)

        monkeypatch.setattr(demo, "tell", tell)

    return replace


def test_a_demo_within_another_has_a_folder_of_its_own_and_both_go(telling, folder):
    seen: list[Path] = []

    def told(state: Path, stay: bool) -> int:
        seen.append(state)
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        (state / "secrets.json").write_text("{}")
        code = demo.main([]) if len(seen) < 2 else 0
        assert (state / "secrets.json").exists(), "the other demo took it along"
        return code

    telling(told)
    assert demo.main([]) == 0
    assert len(set(seen)) == 2
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("arguments", "stays"), [([], False), (["--stay"], True)])
def test_the_folder_is_there_for_as_long_as_the_demo_plays_or_stays(telling, folder, arguments, stays):
    seen: list[bool] = []

    def told(state: Path, stay: bool) -> int:
        assert state.is_dir()
        seen.append(stay)
        return 0

    telling(told)
    assert demo.main(arguments) == 0
    assert seen == [stays]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_the_folder_goes_when_the_demo_is_interrupted(telling, folder, end):
    def told(state: Path, stay: bool) -> int:
        raise end

    telling(told)
    with pytest.raises(end):
        demo.main([])
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("code", [1, 2])
def test_what_a_failed_demo_leaves_is_named(telling, folder, capsys, code):
    telling(lambda state, stay: code)
    assert demo.main([]) == code
    (kept,) = folder.iterdir()
    assert str(kept) in capsys.readouterr().out


def test_a_taken_port_is_told_and_leaves_no_folder(telling, folder, capsys):
    def told(state: Path, stay: bool) -> int:
        raise PortTakenError("port 1 is taken")

    telling(told)
    assert demo.main([]) == 2
    assert "port 1 is taken" in capsys.readouterr().out
    assert list(folder.iterdir()) == []
