"""Reports sent to the running app: refused without a key, kept once, listed, given back, and in a record that verifies."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx
import pytest

from tests.e2e.world import World

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]

SAMPLES = Path(__file__).parents[1] / "unit" / "shared" / "evidence" / "samples"
COMMIT = "a" * 40


def test_reports_about_a_commit(world: World) -> None:
    asked = {"connection": "sandbox", "name": "Evidence Desk", "owner": "casey", "stack": "fastapi"}
    connections = world.api.get("/api/connections").json()["connections"]
    made = world.api.post("/api/projects", json=asked | {"connection": connections[0]["id"]})
    assert made.status_code == 202, made.text
    world.until("the project is known", lambda: world.project("evidence-desk"))
    address = f"/api/evidence/evidence-desk/{COMMIT}"
    sarif = (SAMPLES / "codeql.sarif.json").read_bytes()

    stranger = httpx.post(f"{world.api.base_url}{address}", content=b"\x1f\x8bno gzip", timeout=30)
    assert (stranger.status_code, stranger.content) == (401, b"")

    sent = world.api.post(address, content=gzip.compress(sarif), headers={"content-encoding": "gzip"})
    assert sent.status_code == 201, sent.text
    (record,) = sent.json()["evidence"]
    assert world.api.post(address, content=sarif).status_code == 200
    files = [("report", (name, (SAMPLES / name).read_bytes())) for name in ("surefire.junit.xml", "c8.lcov")]
    parts = world.api.post(address, files=files, data={"flag": "unit"})
    assert parts.status_code == 201, parts.text

    listing = world.api.get(address).json()["evidence"]
    assert {(each["format"], each["flag"]) for each in listing} == {("sarif", ""), ("junit", "unit"), ("lcov", "unit")}
    back = world.api.get(f"{address}/{record['digest']}")
    assert (back.status_code, back.content) == (200, sarif)

    refused = world.api.post(address, content=b'<!DOCTYPE l [<!ENTITY a "x">]><testsuites>&a;</testsuites>')
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")

    world.ended("evidence-desk")
    events = world.api.get("/api/audit/evidence-desk?limit=500").json()["events"]
    stored = [event["artifacts"] for event in events if event["tag"] == "doneright:evidence:stored"]
    assert sorted(stored) == sorted([each["digest"]] for each in listing)
    assert world.api.get("/api/audit/evidence-desk/verify").json()["ok"] is True
