"""The upload script sends each report packed, shows its key to nobody, and never fails a build whatever happens."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from shared.domain.evidence import EvidenceFormat
from shared.evidence.reading import read

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "curl", "gzip"))), reason="needs a POSIX shell, curl and gzip"
)
COMMIT = "0" * 40
KEY = "key+/with=signs"
LCOV = b"SF:src/a.py\nDA:1,1\nend_of_record\n"


class Doneright:
    """Answers ``status`` to every report and keeps what came."""

    def __init__(self) -> None:
        self.status = 201
        self.taken: list[tuple[str, dict[str, list[str]], str, bytes]] = []
        self.url = ""


@pytest.fixture
def doneright() -> Iterator[Doneright]:
    state = Doneright()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            parts = urlsplit(self.path)
            state.taken.append((parts.path, parse_qs(parts.query), self.headers["x-functions-key"], body))
            answer = b'{"detail": "told why"}'
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/"
    yield state
    server.shutdown()
    server.server_close()
    thread.join(5)


def upload(root: Path, url: str | None, *arguments: str, key: str | None = KEY) -> str:
    """What the script says; it must end well."""
    given = {"DONERIGHT_URL": url, "DONERIGHT_KEY": key}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DONERIGHT_")}
    done = subprocess.run(
        ["sh", "scripts/upload-evidence.sh", *arguments],
        cwd=root,
        env=kept | {name: value for name, value in given.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert KEY not in done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def root(generate: Callable[..., Path]) -> Path:
    folder = generate()
    (folder / "reports").mkdir()
    (folder / "reports" / "lcov.info").write_bytes(LCOV)
    (folder / "reports" / "junit-unit.xml").write_bytes(b"<testsuites/>")
    return folder


def test_every_report_there_is_arrives_whole(root: Path, doneright: Doneright) -> None:
    said = upload(root, doneright.url, COMMIT, "unit", "reports/lcov.info", "reports/missing", "reports/junit-unit.xml")
    (path, query, key, body), (_, _, _, other) = doneright.taken
    assert path == f"/api/evidence/order-desk/{COMMIT}"
    assert query == {"flag": ["unit"], "root": [str(root)]}
    assert key == KEY
    assert read(gzip.decompress(body)).format is EvidenceFormat.LCOV
    assert read(gzip.decompress(other)).format is EvidenceFormat.JUNIT
    assert said.count("was sent") == 2


@pytest.mark.parametrize(
    ("status", "told"), [(200, "had been sent before"), (400, "told why"), (401, "not taken (401)")]
)
def test_what_doneright_says_is_passed_on(root: Path, doneright: Doneright, status: int, told: str) -> None:
    doneright.status = status
    assert told in upload(root, doneright.url, COMMIT, "", "reports/lcov.info")


@pytest.mark.parametrize("url", [None, "", "$(DONERIGHT_URL)"])
def test_without_an_address_nothing_is_sent(root: Path, url: str | None) -> None:
    assert "DONERIGHT_URL is not set" in upload(root, url, COMMIT, "", "reports/lcov.info")


@pytest.mark.parametrize("key", [None, "", "$(DONERIGHT_KEY)"])
def test_without_a_key_nothing_is_sent(root: Path, doneright: Doneright, key: str | None) -> None:
    assert "DONERIGHT_KEY is not set" in upload(root, doneright.url, COMMIT, "", "reports/lcov.info", key=key)
    assert doneright.taken == []


def test_no_report_and_wrong_use_are_told(root: Path, doneright: Doneright) -> None:
    assert "no report was sent" in upload(root, doneright.url, COMMIT, "", "reports/missing")
    assert "usage" in upload(root, doneright.url)
    assert "usage" in upload(root, doneright.url, COMMIT, "unit")


@pytest.mark.slow
def test_an_address_where_nobody_answers_ends_well(root: Path) -> None:
    assert "was not sent" in upload(root, "http://127.0.0.1:9", COMMIT, "", "reports/lcov.info")


def test_both_pipelines_send_the_reports_of_every_gate_that_writes_one(generate: Callable[..., Path]) -> None:
    root = generate()
    jobs = yaml.safe_load((root / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    sending = {
        name: step["with"]
        for name, job in jobs.items()
        for step in job["steps"]
        if step.get("uses") == "./.github/actions/upload-evidence"
    }
    assert set(sending) == {"unit", "smoke", "integration", "coverage"}
    assert sending["unit"] == {
        "url": "${{ vars.DONERIGHT_URL }}",
        "key": "${{ secrets.DONERIGHT_KEY }}",
        "flag": "unit",
    }
    action = yaml.safe_load((root / ".github/actions/upload-evidence/action.yml").read_text(encoding="utf-8"))
    (step,) = action["runs"]["steps"]
    assert "${{" not in step["run"]
    stages = yaml.safe_load((root / "azure-pipelines.yml").read_text(encoding="utf-8"))["stages"]
    flags = {
        step["parameters"]["flag"]
        for stage in stages
        for job in stage["jobs"]
        for step in job.get("steps", ())
        if step.get("template") == ".azuredevops/upload-evidence.yml"
    }
    assert flags == set(sending)
    steps = yaml.safe_load((root / ".azuredevops/upload-evidence.yml").read_text(encoding="utf-8"))["steps"]
    assert steps[0]["condition"] == "succeededOrFailed()"
    assert set(steps[0]["env"]) == {"DONERIGHT_URL", "DONERIGHT_KEY", "FLAG"}
