"""The OSV API of the sandbox answers as the real one: batches, pages, versions within ranges, refusals, faults."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from local.sandbox.osv.advisories import ADVISORIES
from local.sandbox.osv.app import BesideOsv, build_osv
from shared.adapters.osv import _advisory


def client(app=None, **options) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app or build_osv(**options)), base_url="http://osv")


async def ids_of(purl: str) -> list[str]:
    async with client() as http:
        answer = await http.post("/v1/query", json={"package": {"purl": purl}})
    return [one["id"] for one in answer.json().get("vulns", ())]


@pytest.mark.parametrize(
    ("purl", "found"),
    [
        ("pkg:pypi/flask@2.2.4", ["GHSA-m2qf-hxjv-5gpq", "PYSEC-2023-62"]),
        ("pkg:pypi/flask@2.2.5", []),
        ("pkg:pypi/flask@2.3.1", ["GHSA-m2qf-hxjv-5gpq", "PYSEC-2023-62"]),
        ("pkg:pypi/flask@2.3.0rc1", []),
        ("pkg:pypi/flask@2.3.2", []),
        ("pkg:pypi/Py.YAML@5.3", []),
        ("pkg:pypi/PyYAML@5.3", ["GHSA-8q59-q68h-6hv4"]),
        ("pkg:pypi/requests@2.2.1", ["GHSA-9wx4-h78v-vm56"]),
        ("pkg:pypi/requests@2.31.0", ["GHSA-9wx4-h78v-vm56"]),
        ("pkg:pypi/certifi@2014.1", []),
        ("pkg:npm/lodash@4.17.20", ["GHSA-35jh-r3h4-6jhm"]),
        ("pkg:npm/lodash@4.17.21-rc.1", ["GHSA-35jh-r3h4-6jhm"]),
        ("pkg:npm/lodash@4.17.21", []),
        ("pkg:npm/flask@2.0.0", []),
        ("pkg:pypi/flask@latest", []),
        ("pkg:npm/lodash@latest", []),
        ("pkg:cargo/serde@1.0.0", []),
    ],
)
async def test_versions_within_ranges_are_found(purl, found) -> None:
    assert await ids_of(purl) == found


async def test_a_batch_answers_each_question_in_turn_with_ids() -> None:
    queries = [
        {"package": {"purl": "pkg:npm/minimist@1.2.5"}},
        {"package": {"ecosystem": "PyPI", "name": "Jinja2"}, "version": "3.1.2"},
        {"package": {"purl": "pkg:pypi/none@1"}},
    ]
    async with client() as http:
        answer = await http.post("/v1/querybatch", json={"queries": queries})
    first, second, third = answer.json()["results"]
    assert first["vulns"] == [{"id": "GHSA-xvch-5gv4-984h", "modified": ADVISORIES["GHSA-xvch-5gv4-984h"]["modified"]}]
    assert [one["id"] for one in second["vulns"]] == ["GHSA-h5c8-rqwp-cp95"]
    assert third == {}


async def test_pages_follow_one_another() -> None:
    query = {"package": {"purl": "pkg:pypi/flask@2.0.0"}}
    async with client(page=1) as http:
        first = (await http.post("/v1/querybatch", json={"queries": [query]})).json()["results"][0]
        token = first["next_page_token"]
        second = (await http.post("/v1/querybatch", json={"queries": [{**query, "page_token": token}]})).json()[
            "results"
        ][0]
    assert [one["id"] for one in first["vulns"] + second["vulns"]] == ["GHSA-m2qf-hxjv-5gpq", "PYSEC-2023-62"]
    assert "next_page_token" not in second


@pytest.mark.parametrize(
    "body",
    [
        {"queries": 7}, {"queries": [7]}, {"queries": [{}]}, {"queries": [{"package": {"purl": "nonsense"}}]},
        {"queries": [{"package": {"purl": "pkg:generic/x@1"}}]}, [], {"queries": [{"package": {"purl": "pkg:npm/a@1"}}] * 1001},
        {"queries": [{"package": {"purl": "pkg:npm/a@1"}, "version": "1"}]}, {"queries": [{"package": {"purl": "pkg:npm/a"}, "page_token": "x"}]},
    ],
)  # fmt: skip
async def test_wrong_questions_are_refused(body) -> None:
    async with client() as http:
        answer = await http.post("/v1/querybatch", json=body)
        assert (await http.post("/v1/query", content=b"{")).status_code == 400
    assert answer.status_code == 400 and answer.json()["code"] == 3


async def test_an_advisory_by_its_id() -> None:
    async with client() as http:
        assert (await http.get("/v1/vulns/GHSA-35jh-r3h4-6jhm")).json()["aliases"] == ["CVE-2021-23337"]
        assert (await http.get("/v1/vulns/GHSA-none")).status_code == 404


@pytest.mark.parametrize("told", ADVISORIES.values(), ids=lambda told: told["id"])
def test_every_advisory_can_be_read_and_weighed(told) -> None:
    read = _advisory(told, told["affected"][0]["package"]["purl"])
    assert read is not None and read.fixed and read.summary and read.aliases
    assert (read.score is None) is told["id"].startswith("PYSEC-")
    if read.score is not None:
        words = [word for least, word in ((9.0, "CRITICAL"), (7.0, "HIGH"), (4.0, "MODERATE")) if read.score >= least]
        assert words[0] == read.word, read.score


async def test_it_is_served_beside_a_simulator_whose_calls_stay_uncounted() -> None:
    asked = []

    async def page(request):
        asked.append(request.url.path)
        return PlainTextResponse("here")

    app = BesideOsv(Starlette(routes=[Route("/{rest:path}", page)]), build_osv())
    async with client(app) as http:
        assert (await http.get("/_osv/v1/vulns/GHSA-35jh-r3h4-6jhm")).json()["id"] == "GHSA-35jh-r3h4-6jhm"
        assert (await http.get("/_osvx")).text == "here"
        assert (
            await http.post("/_osv/_faults", json=[{"kind": "rate_limited", "path": "/v1", "seconds": 3}])
        ).status_code < 300
        limited = await http.get("/_osv/v1/vulns/GHSA-35jh-r3h4-6jhm")
    assert asked == ["/_osvx"]
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "3")
