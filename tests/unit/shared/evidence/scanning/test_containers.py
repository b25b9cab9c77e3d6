"""Weaknesses in descriptions of images."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.domain.evidence import Severity
from shared.evidence.scanning import containers
from shared.evidence.scanning.answers import UnansweredError
from shared.evidence.scanning.containers import is_concerned
from shared.evidence.scanning.ports import find_program
from tests.fakes.changes import file

WEAK = "FROM debian:latest\nRUN apt-get update && \\\n    apt-get install foo\nENV A=1\nUSER root\n"


def test_weaknesses_are_found_with_their_places(job, found) -> None:
    scans = containers.scan(job(file("deploy/Dockerfile", None, WEAK)))
    told = {one.rule: one for one in found(scans)}
    assert (told["DL3007"].line, told["DL3007"].severity) == (1, Severity.MEDIUM)
    assert (told["DL3008"].line, told["DL3008"].end_line) == (2, 3)
    assert (told["DL3002"].line, told["DL3002"].severity) == (5, Severity.HIGH)
    assert all(one.path == "deploy/Dockerfile" and one.help_url for one in told.values())
    assert scans[0].version == "2.15.1" and scans[0].components == ("deploy/Dockerfile",)


def test_only_touched_instructions_count_but_for_root(job, found) -> None:
    scans = containers.scan(job(file("Dockerfile", WEAK, WEAK.replace("A=1", "A=2"))))
    assert [one.rule for one in found(scans)] == ["DL3002"]
    deeper = containers.scan(job(file("Dockerfile", WEAK, WEAK.replace("install foo", "install bar"))))
    assert {"DL3008", "DL3002"} <= {one.rule for one in found(deeper)}
    assert "DL3007" not in {one.rule for one in found(deeper)}


def test_no_comment_excuses_a_line(job, found) -> None:
    text = "# hadolint global ignore=DL3007\n# hadolint ignore=DL3007\n" + WEAK
    assert "DL3007" in [one.rule for one in found(containers.scan(job(file("Dockerfile", None, text))))]


def test_a_secret_in_an_image_is_not_repeated(job, written) -> None:
    scans = containers.scan(job(file("Dockerfile", None, WEAK + "ENV DB_PASSWORD=tr0ub4dor3xyz\n")))
    assert "DL3064" in written(scans) and "tr0ub4dor" not in written(scans)


def test_what_it_cannot_read_is_told_and_the_rest_is_looked_at(job, found, reasons) -> None:
    scans = containers.scan(
        job(file("Dockerfile", None, WEAK), file("b.dockerfile", None, "FROM x\nBOGUS tr0ub4dor\n"))
    )
    assert found(scans) and {one.path for one in found(scans)} == {"Dockerfile"}
    assert "b.dockerfile" in reasons(scans)[0] and "tr0ub4dor" not in reasons(scans)[0]


@pytest.mark.parametrize(
    ("path", "concerned"),
    [
        ("Dockerfile", True), ("a/dockerfile.prod", True), ("Containerfile", True), ("x.Dockerfile", True), ("Dockerfile-ci", True),
        ("Dockerfile.dockerignore", False), ("Dockerfile.md", False), ("MyDockerfiles/a.py", False), ("docker.yml", False),
    ],
)  # fmt: skip
def test_which_files_concern_it(path, concerned) -> None:
    assert is_concerned(file(path, None, "FROM x\n")) is concerned
    assert not is_concerned(file(path, "FROM x\n", None))


def test_without_the_program_it_says_so(job) -> None:
    with pytest.raises(UnansweredError, match="not installed"):
        containers.scan(job(file("Dockerfile", None, WEAK), program=lambda _name: None))


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense", "echo '[{}]'", "echo '{\"a\": 1}'", "exec sleep 60"])
def test_a_program_that_fails_is_no_silence(job, tmp_path: Path, script) -> None:
    program = tmp_path / "hadolint"
    program.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo 9; exit 0; fi\n{script}\n')
    program.chmod(0o755)
    with pytest.raises(UnansweredError):
        containers.scan(job(file("Dockerfile", None, WEAK), program=lambda _name: program, seconds=1))


def test_an_answer_without_end_is_cut_off(job, tmp_path: Path) -> None:
    from shared.evidence.scanning.ports import ScanLimits

    program = tmp_path / "hadolint"
    program.write_text("#!/bin/sh\nhead -c 100000 /dev/zero\n")
    program.chmod(0o755)
    with pytest.raises(UnansweredError, match="larger"):
        containers.scan(
            job(file("Dockerfile", None, WEAK), program=lambda _name: program, limits=ScanLimits(output_bytes=100))
        )


def test_programs_are_found_where_dependencies_are_installed(tmp_path: Path, monkeypatch) -> None:
    assert find_program("hadolint") and find_program("zizmor")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "only-here").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_program("only-here") == tmp_path / "bin" / "only-here"
    assert find_program("nowhere-at-all") is None
