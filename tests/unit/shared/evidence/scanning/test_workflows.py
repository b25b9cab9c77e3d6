"""Weaknesses in workflows and actions, found without asking anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.domain.evidence import Severity
from shared.evidence.scanning import workflows
from shared.evidence.scanning.answers import UnansweredError
from tests.fakes.changes import file

PATH = ".github/workflows/ci.yml"
WEAK = """on: issues
permissions: {}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo "${{ github.event.issue.title }}"
"""


def test_a_weakness_is_found_with_its_place(job, found) -> None:
    scans = workflows.scan(job(file(PATH, None, WEAK)))
    (one,) = (each for each in found(scans) if each.rule == "zizmor/template-injection")
    assert (one.path, one.line, one.severity) == (PATH, 7, Severity.HIGH)
    assert one.help_url.startswith("https://") and scans[0].version == "1.32.0"


def test_only_touched_lines_count(job, found) -> None:
    scans = workflows.scan(job(file(PATH, WEAK, WEAK + "      - run: echo done\n")))
    assert "zizmor/template-injection" not in [one.rule for one in found(scans)]


def test_no_comment_excuses_a_line(job, found) -> None:
    text = WEAK.rstrip() + " # zizmor: ignore[template-injection]\n"
    assert "zizmor/template-injection" in [one.rule for one in found(workflows.scan(job(file(PATH, None, text))))]


def test_an_action_is_read_as_one(job, found) -> None:
    text = "name: a\ndescription: b\ninputs:\n  x: {description: x}\nruns:\n  using: composite\n  steps:\n    - run: echo ${{ inputs.x }}\n      shell: bash\n"
    scans = workflows.scan(job(file("tools/action.yml", None, text)))
    assert [one.path for one in found(scans)] == ["tools/action.yml"]
    assert scans[0].components == ("tools/action.yml",)


@pytest.mark.parametrize("text", ["a: [", "jobs: 7\n", "\0", "- just\n- a list\n", ""])
def test_what_it_cannot_read_is_told_and_the_rest_is_looked_at(job, found, reasons, text) -> None:
    bad = file(".github/workflows/bad.yml", "x\n", text)
    scans = workflows.scan(job(bad, file(PATH, None, WEAK)))
    assert found(scans)
    assert "bad.yml" in reasons(scans)[0]
    assert scans[0].components == (PATH,)


def test_one_file_alone_that_cannot_be_read_is_unknown(job, reasons) -> None:
    (only,) = workflows.scan(job(file(PATH, None, "a: [")))
    assert PATH in reasons([only])[0]


def test_other_files_do_not_concern_it(job) -> None:
    others = ["workflows/ci.yml", ".github/workflows/deep/ci.yml", ".github/workflows/readme.md", "myaction.yml"]
    assert workflows.scan(job(*(file(path, None, WEAK) for path in others))) == ()


def test_without_the_program_it_says_so(job) -> None:
    with pytest.raises(UnansweredError, match="not installed"):
        workflows.scan(job(file(PATH, None, WEAK), program=lambda _name: None))


def fake(tmp_path: Path, script: str):
    program = tmp_path / "zizmor"
    program.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo zizmor 9.9; exit 0; fi\n{script}\n')
    program.chmod(0o755)
    return lambda _name: program


@pytest.mark.parametrize("script", ["exit 3", "echo not json", "echo '{}'", "kill -9 $$"])
def test_a_program_that_fails_is_no_silence(job, tmp_path, reasons, script) -> None:
    scans = workflows.scan(job(file(PATH, None, WEAK), program=fake(tmp_path, script)))
    assert len(scans) == 1 and PATH in reasons(scans)[0]


def test_a_program_that_hangs_is_ended(job, tmp_path, reasons) -> None:
    scans = workflows.scan(job(file(PATH, None, WEAK), program=fake(tmp_path, "exec sleep 60"), seconds=0.7))
    assert len(scans) == 1 and PATH in reasons(scans)[0]


def test_the_program_is_told_no_secret_of_ours(job, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("DONERIGHT_SIGNING_KEY", "hush")
    monkeypatch.setenv("GITHUB_TOKEN", "hush")
    told = tmp_path / "told"
    workflows.scan(job(file(PATH, None, WEAK), program=fake(tmp_path, f"env > {told}; exit 1")))
    assert "PATH=" in told.read_text() and "hush" not in told.read_text()
