"""A SonarQube server is read page by page into one report, and whatever it answers ends in a report or a clear failure."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from shared.adapters import sonarqube
from shared.adapters.sonarqube import SonarQube, connected
from shared.domain.connection import SonarQubeConnection
from shared.domain.evidence import EvidenceFormat
from shared.errors import NotSupportedError, RefusedError, TransientError
from shared.evidence.reading import read
from tests.fakes.storage import MemorySecrets

TOKEN = "squ_0123456789"
ISSUES = [
    {
        "key": f"I{n}",
        "rule": "python:S1",
        "severity": "MAJOR",
        "component": "desk:src/a.py",
        "line": n + 1,
        "message": "m",
    }
    for n in range(5)
]


class Server:
    """The web API's four calls; ``answers`` overrides one with (status, headers, body)."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.tokens: set[str] = set()
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.total = len(ISSUES)

    def answer(self, path: str, asked: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        call = path.removeprefix("/sonar/api/")
        if call in self.answers:
            return self.answers[call]
        size, page = int(asked.get("ps", "1")), int(asked.get("p", "1"))
        bodies = {
            "server/version": b"2026.1.0\n",
            "qualitygates/project_status": json.dumps({"projectStatus": {"status": "OK", "conditions": []}}).encode(),
            "measures/component": json.dumps(
                {"component": {"key": "desk", "measures": [{"metric": "ncloc", "value": "120"}]}}
            ).encode(),
            "issues/search": json.dumps(
                {
                    "paging": {"pageIndex": page, "pageSize": size, "total": self.total},
                    "issues": ISSUES[(page - 1) * size : page * size],
                    "components": [{"key": "desk:src/a.py", "path": "src/a.py"}],
                }
            ).encode(),
        }
        return (200, {}, bodies[call]) if call in bodies else (404, {}, b"{}")


@pytest.fixture
def server():
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            state.asked.append((parts.path, asked))
            state.tokens.add(self.headers["Authorization"])
            status, headers, body = state.answer(parts.path, asked)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            return None

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_port}/sonar/"
    yield state
    http.shutdown()
    http.server_close()
    thread.join(5)


def client(server: Server) -> SonarQube:
    return SonarQube(server.url, SecretStr(TOKEN))


def test_the_pages_become_one_report_that_is_read(server, monkeypatch):
    monkeypatch.setattr(sonarqube, "PAGE", 2)
    report = read(client(server).report("desk", pull_request="7"))
    assert (report.format, report.tool_version) == (EvidenceFormat.SONARQUBE, "2026.1.0")
    assert [finding.fingerprint for finding in report.findings] == ["I0", "I1", "I2", "I3", "I4"]
    assert {finding.path for finding in report.findings} == {"src/a.py"}
    assert {(m.metric, m.value) for m in report.measures} == {("ncloc", 120.0), ("quality_gate", 1.0)}
    assert server.tokens == {f"Bearer {TOKEN}"}
    assert [asked["p"] for path, asked in server.asked if path.endswith("issues/search")] == ["1", "2", "3"]
    assert {asked.get("pullRequest") for path, asked in server.asked if not path.endswith("version")} == {"7"}


def test_the_same_analysis_is_the_same_bytes(server):
    assert client(server).report("desk", branch="main") == client(server).report("desk", branch="main")
    assert {asked.get("branch") for path, asked in server.asked if not path.endswith("version")} == {"main"}


def test_more_issues_than_it_tells_are_not_passed_for_all(server):
    server.total = 10_001
    with pytest.raises(NotSupportedError, match="10001 open issues"):
        client(server).report("desk")


@pytest.mark.parametrize(
    ("call", "answer", "error", "told"),
    [
        ("measures/component", (401, {}, b""), RefusedError, "token"),
        ("issues/search", (403, {}, b""), RefusedError, "token"),
        ("qualitygates/project_status", (404, {}, b"{}"), RefusedError, "knows no such project"),
        ("measures/component", (302, {"Location": "https://elsewhere.example"}, b""), RefusedError, "leads elsewhere"),
        ("measures/component", (400, {}, b"{}"), RefusedError, "400"),
        ("measures/component", (429, {"Retry-After": "9"}, b""), TransientError, "429"),
        ("measures/component", (503, {"Retry-After": "soon"}, b""), TransientError, "503"),
        ("measures/component", (200, {}, b"<html>"), TransientError, "not JSON"),
        ("measures/component", (200, {}, b"[" * 100_000), TransientError, "not JSON"),
        ("measures/component", (200, {}, b"[]"), TransientError, "no object"),
        ("issues/search", (200, {}, b"{}"), TransientError, "holds no issues"),
    ],
)  # fmt: skip
def test_failures_are_told_apart(server, call, answer, error, told):
    server.answers[call] = answer
    with pytest.raises(error, match=told) as raised:
        client(server).report("desk")
    assert TOKEN not in str(raised.value)
    if isinstance(raised.value, TransientError):
        assert raised.value.retry_after == (9.0 if answer[0] == 429 else None)


def test_an_endless_answer_is_refused(server, monkeypatch):
    monkeypatch.setattr(sonarqube, "MOST_BYTES", 100)
    server.answers["issues/search"] = (200, {}, b" " * 1000)
    with pytest.raises(RefusedError, match="larger than 100"):
        client(server).report("desk")


def test_a_server_that_is_away(server):
    away = SonarQube("http://127.0.0.1:9", SecretStr(TOKEN))
    with pytest.raises(TransientError, match="did not answer server/version"):
        away.report("desk")


@pytest.mark.parametrize(
    "url", ["http://sonarqube.example", "ftp://x", "https://", "https://u:p@sonar.example", "https://sonar.example?x=1"]
)
def test_addresses_that_no_token_is_sent_to(url):
    with pytest.raises(RefusedError, match="https"):
        SonarQube(url, SecretStr(TOKEN))


def test_the_token_is_not_shown():
    assert TOKEN not in repr(SonarQube("https://sonar.example", SecretStr(TOKEN)))


@pytest.mark.parametrize(
    ("body", "revision"),
    [
        ({"analyses": [{"revision": "abc"}, {"revision": "old"}]}, "abc"),
        ({"analyses": []}, ""),
        ({"analyses": [{}]}, ""),
        ({"analyses": [7]}, ""),
        ({"analyses": [{"revision": 7}]}, ""),
        ({}, ""),
    ],
)
def test_the_commit_of_the_newest_analysis(server, body, revision):
    server.answers["project_analyses/search"] = (200, {}, json.dumps(body).encode())
    assert client(server).revision("desk", pull_request="7") == revision
    assert server.asked[-1][1] == {"project": "desk", "ps": "1", "pullRequest": "7"}
    assert client(server).revision("desk", branch="main") == revision


def test_a_connection_names_its_server_and_the_secret():
    named = SonarQubeConnection(url="https://sonarqube.example/sonar", token_secret="sonar")
    assert repr(connected(named, MemorySecrets(sonar=TOKEN))) == "SonarQube('https://sonarqube.example/sonar', token=…)"
    with pytest.raises(RefusedError):
        connected(named, MemorySecrets())
    with pytest.raises(RefusedError):
        connected(named.model_copy(update={"url": "http://sonarqube.example"}), MemorySecrets(sonar=TOKEN))
