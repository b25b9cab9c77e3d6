"""Reports sent over HTTP are kept once, listed with a summary, on record, and given back byte for byte."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from functions import evidence
from shared.domain.audit import AuditTag
from shared.domain.evidence import EvidenceFormat
from shared.errors import TransientError
from shared.evidence import keeping
from shared.evidence.limits import LIMITS
from tests.fakes.app import an_issue
from tests.unit.functions.conftest import DurableClient, request, user_function

SAMPLES = Path(__file__).parents[1] / "shared" / "evidence" / "samples"
SARIF = (SAMPLES / "codeql.sarif.json").read_bytes()
JUNIT = (SAMPLES / "surefire.junit.xml").read_bytes()
COMMIT = "0123456789abcdef" * 2 + "01234567"
ROUTE = {"project": "order-desk", "commit": COMMIT}


@pytest.fixture(autouse=True)
def project(app):
    from shared.projects.admission import admit

    app.connect_to()
    return admit(app.ports, app.run_for(an_issue())).project


def parts(*files: bytes, **fields: str) -> tuple[bytes, dict[str, str]]:
    pieces = [
        b'--x\r\nContent-Disposition: form-data; name="report"; filename="r"\r\n\r\n' + f + b"\r\n" for f in files
    ]
    pieces += [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
        for name, text in fields.items()
    ]
    return b"".join(pieces) + b"--x--\r\n", {"content-type": "multipart/form-data; boundary=x"}


def stored(app):
    return [event for event in app.events("order-desk") if event.tag is AuditTag.EVIDENCE_STORED]


def test_a_report_is_kept_listed_on_record_and_given_back(app, call):
    sent = call(evidence.keep_evidence, "POST", SARIF, route=ROUTE, client=DurableClient())
    assert sent.status == 201
    assert sent.headers["Location"] == f"https://doneright.example/api/evidence/order-desk/{COMMIT}"
    (record,) = sent.body["evidence"]
    assert (record["format"], record["tool"], record["size"]) == ("sarif", "CodeQL", len(SARIF))
    assert record["summary"]["findings"] == {"high": 1, "medium": 1}
    assert record["actor"].startswith("p-")

    listing = call(evidence.list_evidence, route=ROUTE)
    assert listing.body == {"project": "order-desk", "commit": COMMIT, "evidence": [record]}

    back = user_function(evidence.show_evidence)(request(route=ROUTE | {"digest": record["digest"]}))
    assert back.get_body() == SARIF
    assert back.mimetype == "application/json"
    assert back.headers["X-Content-Type-Options"] == "nosniff"
    assert back.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in back.headers["Content-Security-Policy"]

    (event,) = stored(app)
    assert event.artifacts == (record["digest"],)
    assert event.detail is not None
    assert event.detail["digest"] == record["digest"]
    assert event.subject == COMMIT


@pytest.mark.parametrize("packed", [SARIF, gzip.compress(SARIF)], ids=["plain", "gzip"])
def test_the_same_bytes_again_are_the_same_record(app, call, packed):
    first = call(evidence.keep_evidence, "POST", gzip.compress(SARIF), route=ROUTE, client=DurableClient())
    again = call(
        evidence.keep_evidence,
        "POST",
        packed,
        route=ROUTE,
        client=DurableClient(),
        headers={"content-encoding": "gzip"},
    )
    assert (first.status, again.status) == (201, 200)
    assert again.body["evidence"] == first.body["evidence"]
    assert again.body["repeated"] == [first.body["evidence"][0]["digest"]]
    assert len(stored(app)) == 1


def test_several_reports_at_once_with_what_is_said_of_them(app, call):
    lcov = (SAMPLES / "c8.lcov").read_bytes()
    body, headers = parts(gzip.compress(SARIF), JUNIT, lcov, lcov, flag="unit", root="/opt/ci/desk")
    sent = call(evidence.keep_evidence, "POST", body, route=ROUTE, client=DurableClient(), headers=headers)
    assert sent.status == 201
    assert {record["format"] for record in sent.body["evidence"]} == {"sarif", "junit", "lcov"}
    assert {(record["flag"], record["root"]) for record in sent.body["evidence"]} == {("unit", "/opt/ci/desk")}
    assert len(stored(app)) == 3


def test_a_zip_is_several_reports(call):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", SARIF)
        archive.writestr("b", JUNIT)
    sent = call(evidence.keep_evidence, "POST", target.getvalue(), route=ROUTE, client=DurableClient())
    assert len(sent.body["evidence"]) == 2


def test_another_flag_is_another_statement(app, call):
    call(evidence.keep_evidence, "POST", JUNIT, route=ROUTE, client=DurableClient(), flag="unit")
    other = call(evidence.keep_evidence, "POST", JUNIT, route=ROUTE, client=DurableClient(), flag="e2e")
    assert other.status == 201
    assert {r["flag"] for r in call(evidence.list_evidence, route=ROUTE).body["evidence"]} == {"unit", "e2e"}
    assert len(stored(app)) == 2


def test_one_wrong_report_and_none_is_kept(app, call):
    body, headers = parts(SARIF, b"nonsense")
    sent = call(evidence.keep_evidence, "POST", body, route=ROUTE, client=DurableClient(), headers=headers)
    assert (sent.status, sent.type) == (400, "application/problem+json")
    assert sent.body["detail"].startswith("report 2 of 2: the report is in no format")
    assert "SARIF" in sent.body["remedy"]
    assert call(evidence.list_evidence, route=ROUTE).body["evidence"] == []
    assert stored(app) == []


@pytest.mark.parametrize(
    ("body", "headers", "params", "status", "told"),
    [
        (b"", {}, {}, 400, "empty"),
        (gzip.compress(b"0" * 50_000_000, mtime=0), {}, {}, 413, "times"),
        (b"x" * (LIMITS.body + 1), {}, {}, 413, "are the most"),
        (SARIF, {"content-encoding": "br"}, {}, 400, "'br' is not taken"),
        (SARIF, {}, {"flag": "a b"}, 400, "flag"),
        (SARIF, {}, {"root": "/a\nb"}, 400, "root"),
        (b"--y--", {"content-type": "multipart/form-data; boundary=x"}, {}, 400, "holds no file"),
        (b"", {"content-type": "multipart/form-data"}, {}, 400, "multipart"),
        (parts(*[JUNIT] * 60)[0], parts()[1], {}, 413, "50 are the most"),
        (parts(*[b"x"] * 200_000)[0], parts()[1], {}, 413, "200001 parts"),
        (parts(*[JUNIT] * 51)[0], parts()[1], {}, 413, "more than one request"),
        (b'<!DOCTYPE l [<!ENTITY a "x">]><testsuites>&a;</testsuites>', {}, {}, 400, "declares"),
    ],
)  # fmt: skip
def test_refused(call, body, headers, params, status, told):
    sent = call(evidence.keep_evidence, "POST", body, route=ROUTE, client=DurableClient(), headers=headers, **params)
    assert sent.status == status
    assert told in sent.body["detail"]
    assert sent.body["remedy"]


def test_an_unknown_project_and_a_short_commit_are_refused_before_the_body_is_read(call, monkeypatch):
    monkeypatch.setattr(evidence, "_contents", lambda _: pytest.fail("the body was read"))
    for route, status in ((ROUTE | {"project": "other"}, 404), (ROUTE | {"commit": "abc123"}, 400)):
        for function, method, given in (
            (evidence.keep_evidence, "POST", {"client": DurableClient()}),
            (evidence.list_evidence, "GET", {}),
        ):
            refused = call(function, method, route=route, **given)
            assert refused.status == status
            assert refused.body["remedy"]


def test_a_commit_is_taken_in_either_case(call):
    call(evidence.keep_evidence, "POST", JUNIT, route=ROUTE | {"commit": COMMIT.upper()}, client=DurableClient())
    assert len(call(evidence.list_evidence, route=ROUTE).body["evidence"]) == 1


def test_evidence_of_another_commit_is_not_shown(call):
    sent = call(evidence.keep_evidence, "POST", JUNIT, route=ROUTE, client=DurableClient())
    digest = sent.body["evidence"][0]["digest"]
    elsewhere = call(evidence.show_evidence, route=ROUTE | {"commit": "f" * 40, "digest": digest})
    assert (elsewhere.status, elsewhere.body["status"]) == (404, 404)
    assert call(evidence.show_evidence, route=ROUTE | {"digest": "sha256:x"}).status == 404


def test_a_commit_takes_so_many_reports(app, call, monkeypatch):
    monkeypatch.setattr(keeping, "MOST_OF_A_COMMIT", 2)
    for number in range(2):
        assert (
            call(
                evidence.keep_evidence, "POST", b"<testsuites id='%d'/>" % number, route=ROUTE, client=DurableClient()
            ).status
            == 201
        )
    assert (
        call(evidence.keep_evidence, "POST", b"<testsuites id='1'/>", route=ROUTE, client=DurableClient()).status == 200
    )
    refused = call(evidence.keep_evidence, "POST", b"<testsuites id='2'/>", route=ROUTE, client=DurableClient())
    assert refused.status == 400
    assert "2 reports" in refused.body["detail"]


def test_a_call_that_broke_off_is_finished_by_the_next_with_one_event(app, call, monkeypatch):
    app.audit.lose_answers(1)
    first = call(evidence.keep_evidence, "POST", JUNIT, route=ROUTE, client=DurableClient())
    assert first.status == 503
    assert call(evidence.list_evidence, route=ROUTE).body["evidence"] == []
    assert call(evidence.keep_evidence, "POST", JUNIT, route=ROUTE, client=DurableClient()).status == 201
    assert len(stored(app)) == 1


def test_a_race_ends_in_one_record(app, call, monkeypatch):
    records = app.evidence.records
    first = call(evidence.keep_evidence, "POST", JUNIT, route=ROUTE, client=DurableClient())
    real, asked = records.get, []

    def blind_once(partition, key):
        asked.append(key)
        return None if len(asked) == 1 else real(partition, key)

    monkeypatch.setattr(records, "get", blind_once)
    second = call(evidence.keep_evidence, "POST", JUNIT, route=ROUTE, client=DurableClient())
    assert second.status == 200
    assert second.body["evidence"] == first.body["evidence"]
    assert len(stored(app)) == 1


def test_storage_that_is_away_is_told_as_such(app, call, monkeypatch):
    def away(*_):
        raise TransientError("storage does not answer", 7)

    monkeypatch.setattr(app.artifacts, "put", away)
    sent = call(evidence.keep_evidence, "POST", JUNIT, route=ROUTE, client=DurableClient())
    assert (sent.status, sent.headers["Retry-After"]) == (503, "7")


def test_gates_read_the_reports_again_from_what_is_stored(app, call):
    call(
        evidence.keep_evidence,
        "POST",
        (SAMPLES / "c8.lcov").read_bytes(),
        route=ROUTE,
        client=DurableClient(),
        flag="unit",
    )
    ((record, report),) = keeping.reports(app.evidence, "order-desk", COMMIT)
    assert record.format is report.format is EvidenceFormat.LCOV
    assert report.coverage is not None
    assert report.coverage.flag == "unit"


def test_listings_stay_small_however_large_the_report(call):
    cases = b"<testsuites>" + b'<testcase name="a"/>' * 50_000 + b"</testsuites>"
    sent = call(evidence.keep_evidence, "POST", gzip.compress(cases), route=ROUTE, client=DurableClient())
    assert sent.body["evidence"][0]["summary"]["tests"] == {"passed": 50_000}
    assert len(json.dumps(sent.body)) < 2000
