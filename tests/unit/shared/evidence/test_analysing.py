"""A server's analysis is evidence about the head it analysed, and about nothing else."""

from __future__ import annotations

import json

import pytest

from shared.domain.connection import SonarQubeConnection
from shared.domain.forge import RepositoryRef
from shared.errors import RefusedError, TransientError
from shared.evidence.analysing import take
from shared.evidence.keeping import reports
from tests.fakes.app import App
from tests.fakes.changes import HEAD, TRIAL_MERGE, a_change

NAMED = SonarQubeConnection(url="https://sonarqube.example", token_secret="sonar")
REPORT = json.dumps(
    {"component": {"key": "x", "measures": [{"metric": "ncloc", "value": "12"}]}, "issues": [], "paging": {"total": 0}}
).encode()


class Server:
    def __init__(self, *revisions: str, report: bytes = REPORT, error: Exception | None = None) -> None:
        self.revisions, self.content, self.error = list(revisions), report, error
        self.asked: list[tuple[str, str]] = []

    def revision(self, project: str, *, branch: str = "", pull_request: str = "") -> str:
        self.asked.append((project, pull_request))
        return self.revisions.pop(0) if len(self.revisions) > 1 else self.revisions[0]

    def report(self, project: str, *, branch: str = "", pull_request: str = "") -> bytes:
        if self.error:
            raise self.error
        return self.content


@pytest.fixture
def evidence():
    return App().evidence


@pytest.mark.parametrize("revision", [HEAD, TRIAL_MERGE])
def test_the_heads_analysis_is_kept_among_its_reports(evidence, revision) -> None:
    server = Server(revision)
    assert take(evidence, lambda: server, NAMED, "desk", a_change()) == ()
    ((record, report),) = reports(evidence, "desk", HEAD)
    assert (record.tool, record.actor, report.measures[0].metric) == ("SonarQube", "sonarqube", "ncloc")
    assert set(server.asked) == {("contoso_desk", "7")}
    assert take(evidence, lambda: server, NAMED, "desk", a_change()) == ()
    assert len(list(reports(evidence, "desk", HEAD))) == 1


@pytest.mark.parametrize(
    ("server", "told"),
    [
        (Server("f" * 40), "analysed ffffffff last"),
        (Server(""), "no analysis"),
        (Server(HEAD, "f" * 40), "anew"),
        (Server(HEAD, error=RefusedError("SonarQube knows no such project", "Check its key.")), "Check its key"),
        (Server(HEAD, error=TransientError("SonarQube answered 503")), "503"),
        (Server(HEAD, report=b"{}"), "cannot be kept"),
    ],
)
def test_what_is_no_analysis_of_the_head_is_told_and_not_kept(evidence, server, told) -> None:
    (scan,) = take(evidence, lambda: server, NAMED, "desk", a_change())
    assert scan.scanner == "sonarqube" and told in scan.findings.reason
    assert list(reports(evidence, "desk", HEAD)) == []


def test_without_a_trial_merge_an_empty_revision_is_no_match(evidence) -> None:
    (scan,) = take(evidence, lambda: Server(""), NAMED, "desk", a_change(merge_commit=""))
    assert "no analysis" in scan.findings.reason


def test_a_server_that_cannot_be_reached_for_is_told(evidence) -> None:
    def reach() -> Server:
        raise RefusedError("there is no secret named sonar", "Put it into the vault.")

    (scan,) = take(evidence, reach, NAMED, "desk", a_change())
    assert "no secret named sonar. Put it" in scan.findings.reason


def test_a_repository_that_is_not_analysed_there_asks_nobody(evidence) -> None:
    server = Server(HEAD)
    elsewhere = NAMED.model_copy(update={"repositories": ("contoso/other",)})
    assert take(evidence, lambda: server, elsewhere, "desk", a_change()) == () and server.asked == []


def test_keys_of_projects() -> None:
    repository = RepositoryRef(owner="Contoso", name="desk")
    assert NAMED.key_of(repository) == "Contoso_desk"
    assert NAMED.model_copy(update={"project_key": "acme:{repository}"}).key_of(repository) == "acme:desk"
    assert NAMED.model_copy(update={"repositories": ("contoso/DESK",)}).key_of(repository) == "Contoso_desk"
