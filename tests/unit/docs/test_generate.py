"""The reference pages say what the code says, and a page that drifted is named."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs import generate
from docs.generators import markdown
from functions.openapi import ROUTES
from shared.domain.audit import AuditTag
from shared.projects.steps import definitions
from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    assert generate.write(folder) == list(generate.PAGES)
    return folder


def test_the_committed_pages_are_what_the_code_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0, capsys.readouterr().err


def test_a_page_that_was_edited_and_one_that_is_missing_are_named(
    pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(pages, tmp_path / "reference"))
    edited = folder / "settings.md"
    edited.write_text(edited.read_text(encoding="utf-8") + "by hand\n", encoding="utf-8")
    (folder / "problems" / "errors.md").unlink()
    assert generate.main(["--check"], folder) == 1
    said = capsys.readouterr().err
    assert "docs/reference/settings.md" in said
    assert "docs/reference/problems/errors.md" in said
    assert "api.md" not in said
    assert generate.main([], folder) == 0
    assert capsys.readouterr().out.count("wrote ") == 2
    assert generate.main(["--check"], folder) == 0


def test_line_ends_of_another_system_are_drift(pages: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(pages, tmp_path / "reference"))
    page = folder / "steps.md"
    page.write_bytes(page.read_bytes().replace(b"\n", b"\r\n"))
    assert generate.drifted(folder) == ["steps.md"]


def test_the_order_of_hashes_does_not_reach_the_pages(pages: Path) -> None:
    program = f"import sys; from pathlib import Path; from docs.generate import drifted; sys.exit(bool(drifted(Path({str(pages)!r}))))"
    for seed in ("1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env={"PYTHONHASHSEED": seed, "PATH": ""}, check=False
        )
        assert done.returncode == 0


def test_every_route_setting_tag_step_and_function_is_described(pages: Path) -> None:
    api = (pages / "api.md").read_text(encoding="utf-8")
    functions = (pages / "functions.md").read_text(encoding="utf-8")
    for route in ROUTES:
        assert f"### `{route.method.upper()} /api{route.path}`" in api
        assert f"| `{route.function}` |" in functions
    settings = (pages / "settings.md").read_text(encoding="utf-8")
    assert all(f"`DONERIGHT_{name.upper()}`" in settings for name in Settings.model_fields)
    tags = (pages / "audit-tags.md").read_text(encoding="utf-8")
    assert all(f"| `{tag.value}` |" in tags for tag in AuditTag)
    steps = (pages / "steps.md").read_text(encoding="utf-8")
    assert all(step.ensures in steps for step in definitions().values())
    errors = (pages / "problems" / "errors.md").read_text(encoding="utf-8")
    assert "| `ConflictError` | `TransientError` |" in errors


def test_every_http_function_is_in_the_api_and_every_operation_is_a_function(pages: Path) -> None:
    described = json.loads((pages / "openapi.json").read_text(encoding="utf-8"))
    operations = {op["operationId"] for path in described["paths"].values() for op in path.values()}
    lines = (pages / "functions.md").read_text(encoding="utf-8").split("## HTTP")[1].split("## Queues")[0].splitlines()
    registered = {line.split("`")[1] for line in lines if line.startswith("| `")}
    assert registered == operations


def test_text_of_the_code_cannot_break_a_table() -> None:
    written = markdown.table(("A",), [("one\ntwo | ``three`` <name> `<kept>`",)])
    assert written.splitlines()[2] == "| one two \\| `three` &lt;name> `<kept>` |"
