"""The checks run every tool, name each that failed, and fail when one does."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import checking


class Tools:
    """Stands for the tools: remembers what was run, fails where told."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.failing = ""

    def __call__(self, command: list[str], **_: str) -> int:
        line = " ".join(command)
        self.ran.append(line)
        return 1 if self.failing and self.failing in line else 0


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tools:
    made = Tools()
    monkeypatch.setattr(checking, "_run", made)
    monkeypatch.setattr(checking, "ROOT", tmp_path)
    monkeypatch.setattr(checking, "COVERAGE_DATA", tmp_path / ".coverage")
    (tmp_path / ".coverage").touch()
    return made


def test_a_sound_tree_passes(tools: Tools) -> None:
    assert checking.check([]) == 0
    ran = "\n".join(tools.ran)
    for tool in (
        "ruff format --check",
        "ruff check",
        "mypy --strict",
        "lint-imports",
        "bandit",
        "docs.generate --check",
    ):
        assert tool in ran
    assert f"--fail-under={checking.COVERAGE_FLOOR}" in ran


@pytest.mark.parametrize("tool", ["ruff format", "mypy --strict", "lint-imports", "bandit", "docs.generate", "report"])
def test_one_failing_tool_fails_the_check_and_is_named(
    tools: Tools, capsys: pytest.CaptureFixture[str], tool: str
) -> None:
    tools.failing = tool
    assert checking.check([]) == 1
    assert "1 checks failed" in capsys.readouterr().err
    assert len(tools.ran) >= 8, "the others still run"


def test_fix_lets_the_formatters_write(tools: Tools) -> None:
    assert checking.check(["--fix"]) == 0
    assert any("ruff check --fix" in line for line in tools.ran)
    assert not any("ruff format --check" in line for line in tools.ran)


def test_coverage_is_measured_first_where_it_was_not(tools: Tools, tmp_path: Path) -> None:
    (tmp_path / ".coverage").unlink()
    assert checking.check([]) == 0
    assert any("pytest" in line for line in tools.ran)


def test_tests_that_fail_when_coverage_is_measured_fail_the_check(tools: Tools, tmp_path: Path) -> None:
    (tmp_path / ".coverage").unlink()
    tools.failing = "pytest"
    assert checking.check([]) == 1
    assert not any("coverage report" in line for line in tools.ran)


def test_the_quick_check_runs_no_test(tools: Tools) -> None:
    assert checking.check(["--quick"]) == 0
    assert not any("coverage" in line for line in tools.ran)


def test_the_suites_differ_in_the_long_matrices(tools: Tools, tmp_path: Path) -> None:
    stale = tmp_path / ".coverage.stale"
    stale.touch()
    assert checking.test(["-k", "one"]) == 0
    assert not stale.exists()
    assert "not slow" in tools.ran[-1]
    assert tools.ran[-1].endswith("-k one")
    checking.test_all([])
    assert "not slow" not in tools.ran[-1]


def test_lock_names_no_index_and_needs_uv(
    tools: Tools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checking.shutil, "which", lambda _: None)
    assert checking.lock([]) == 2
    assert "pip install uv" in capsys.readouterr().err
    monkeypatch.setattr(checking.shutil, "which", lambda _: "/bin/uv")
    assert checking.lock([]) == 0
    assert all("--no-emit-index-url" in line for line in tools.ran)
    tools.failing = "requirements.in"
    assert checking.lock([]) == 1


def test_clean_removes_the_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    monkeypatch.setattr(checking, "STATE", state)
    assert checking.clean([]) == 0
    assert not state.exists()
