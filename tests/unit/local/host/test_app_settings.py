"""A wrong setting of the app ends the host's start: one line for each, no value in it, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.host.app_settings import check_settings
from local.host.settings import SettingsError

ROOT = Path(__file__).resolve().parents[4]
VALID = "0123456789abcdef"


def start(app: Path, tmp_path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """The host started on an app, without an engine: with right settings it goes on until it misses that."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DONERIGHT_")}
    environment |= {"DONERIGHT_HOST_STATE_DIR": str(tmp_path / "host"), **settings}
    command = [sys.executable, "-m", "local.host", "--app", str(app), "--port", "0"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_every_wrong_setting_ends_the_start_with_a_line(tmp_path: Path) -> None:
    ended = start(
        ROOT,
        tmp_path,
        DONERIGHT_GITHUB_WEBHOOK_SECRETS=f"{VALID}1 {VALID}2 {VALID}3",
        DONERIGHT_AZURE_DEVOPS_WEBHOOK_SECRETS="short",
        DONERIGHT_LARGE_BODY_BYTES="much",
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert [line.split(" is wrong: ")[0] for line in lines] == [
        "host: DONERIGHT_GITHUB_WEBHOOK_SECRETS",
        "host: DONERIGHT_AZURE_DEVOPS_WEBHOOK_SECRETS",
        "host: DONERIGHT_LARGE_BODY_BYTES",
    ]
    assert VALID not in ended.stderr


def test_right_settings_let_the_start_go_on(tmp_path: Path) -> None:
    ended = start(
        ROOT,
        tmp_path,
        DONERIGHT_GITHUB_WEBHOOK_SECRETS=f"{VALID}1 {VALID}2",
        AzureWebJobsStorage="UseDevelopmentStorage=true",
        DONERIGHT_SWEEP_SCHEDULE="0 */5 * * * *",
        DONERIGHT_DRIFT_SCHEDULE="0 0 5 * * *",
    )
    assert ended.returncode == 2
    assert "is wrong" not in ended.stderr
    assert "name the engine with --engine" in ended.stderr


def test_only_the_apps_own_settings_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shared.settings  # noqa: F401 - as an app of that folder would

    monkeypatch.setenv("DONERIGHT_SIGNING_KEY", "short")
    check_settings(tmp_path)
    with pytest.raises(SettingsError, match="DONERIGHT_SIGNING_KEY is wrong"):
        check_settings(ROOT)
    monkeypatch.delitem(sys.modules, "shared.settings")
    check_settings(ROOT)
