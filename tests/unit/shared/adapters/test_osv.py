"""An OSV API is asked in batches and page by page, with patience and without end to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local.sandbox.faults import FaultRules
from local.sandbox.osv.advisories import ADVISORIES
from local.sandbox.osv.app import build_osv
from shared.adapters import osv
from shared.adapters.osv import Osv
from shared.errors import RefusedError, TransientError
from tests.fakes.serving import served as in_thread

FLASK = "pkg:pypi/flask@2.0.0"
LODASH = "pkg:npm/lodash@4.17.20"


@pytest.fixture
def served() -> Iterator[Callable[[Starlette], str]]:
    with ExitStack() as serving:
        yield lambda app: serving.enter_context(in_thread(lambda _: app, lifespan="off"))[0]


class Api:
    """The sandbox's API; remembers what was asked, and answers otherwise where told."""

    def __init__(self, **options) -> None:
        self.rules = FaultRules()
        self.asked: list[str] = []
        self.waited: list[float] = []
        inner = build_osv(faults=self.rules, **options)

        async def counted(scope, receive, send):
            if scope["type"] == "http":
                self.asked.append(f"{scope['method']} {scope['path']}")
            await inner(scope, receive, send)

        self.app = counted

    def at(self, url: str) -> Osv:
        return Osv(url, sleep=self.waited.append)


def test_advisories_are_told_by_package(served) -> None:
    api = Api()
    told = api.at(served(api.app)).about([FLASK, LODASH, "pkg:pypi/none@1"], 30)
    assert set(told) == {FLASK, LODASH}
    (lodash,) = told[LODASH]
    assert (lodash.id, lodash.score, lodash.scale, lodash.fixed) == (
        "GHSA-35jh-r3h4-6jhm",
        7.2,
        "CVSS_V3",
        ("4.17.21",),
    )
    assert lodash.url.endswith("/GHSA-35jh-r3h4-6jhm") and lodash.aliases == ("CVE-2021-23337",)
    assert [one.id for one in told[FLASK]] == ["GHSA-m2qf-hxjv-5gpq", "PYSEC-2023-62"]
    assert told[FLASK][1].score is None and told[FLASK][1].summary == "See CVE-2023-30861."


def test_a_thousand_are_asked_in_one_call_and_advisories_are_read_once(served) -> None:
    api = Api()
    asker = api.at(served(api.app))
    many = [f"pkg:pypi/p{n}@1" for n in range(1500)] + [FLASK, FLASK]
    assert set(asker.about(many, 60)) == {FLASK}
    assert api.asked.count("POST /v1/querybatch") == 2
    assert sum(one.startswith("GET") for one in api.asked) == 2
    api.asked.clear()
    asker.about([FLASK], 30)
    assert api.asked == ["POST /v1/querybatch"]


def test_nothing_to_ask_asks_nothing(served) -> None:
    api = Api()
    assert api.at(served(api.app)).about([], 30) == {} and api.asked == []


def test_every_page_is_read(served) -> None:
    api = Api(page=1)
    told = api.at(served(api.app)).about([LODASH, FLASK], 30)
    assert len(told[FLASK]) == 2 and len(told[LODASH]) == 1
    assert api.asked.count("POST /v1/querybatch") == 2


@pytest.mark.parametrize(
    ("kind", "rest"),
    [("rate_limited", {"seconds": 7}), ("server_error", {}), ("unavailable", {}), ("connection_reset", {})],
)
def test_a_fault_is_waited_out(served, kind, rest) -> None:
    api = Api()
    api.rules.add({"kind": kind, "path": "/v1/querybatch", "count": 1, **rest})
    assert set(api.at(served(api.app)).about([FLASK], 60)) == {FLASK}
    assert api.waited == [7.0 if kind == "rate_limited" else 1.0]


def test_patience_ends(served) -> None:
    api = Api()
    api.rules.add({"kind": "rate_limited", "path": "/v1", "count": 100, "seconds": 7})
    asker = api.at(served(api.app))
    with pytest.raises(TransientError, match="429") as caught:
        asker.about([FLASK], 60)
    assert caught.value.retry_after == 7 and api.waited == [7.0, 7.0]
    with pytest.raises(TransientError):
        asker.about([FLASK], 3)
    assert api.waited == [7.0, 7.0], "a wait beyond the time there is makes no sense"
    with pytest.raises(TransientError, match="in time"):
        asker.about([FLASK], 0)


def test_one_advisory_that_cannot_be_had_is_no_silence(served) -> None:
    api = Api()
    api.rules.add({"kind": "server_error", "path": "/v1/vulns/PYSEC", "count": 100})
    with pytest.raises(TransientError, match="500"):
        api.at(served(api.app)).about([FLASK], 60)


def odd(answer: Response | None = None, told: object = None) -> Starlette:
    async def batch(request: Request) -> Response:
        if answer is not None:
            return answer
        return JSONResponse(
            {"results": [{"vulns": [{"id": "GHSA-x", "modified": "1"}]} for _ in (await request.json())["queries"]]}
        )

    async def one(_request: Request) -> Response:
        return JSONResponse(told)

    return Starlette(routes=[Route("/v1/querybatch", batch, methods=["POST"]), Route("/v1/vulns/{id}", one)])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (PlainTextResponse("not json"), TransientError), (JSONResponse([]), TransientError), (JSONResponse({}), TransientError),
        (JSONResponse({"results": []}), TransientError), (JSONResponse({"results": [7]}), TransientError),
        (JSONResponse({"results": [{"vulns": 7}]}), TransientError), (JSONResponse({"results": [{"vulns": [{}]}]}), TransientError),
        (JSONResponse({"results": [{"vulns": [{"id": "../../x"}]}]}), TransientError),
        (JSONResponse({"results": [{"next_page_token": "again"}]}), TransientError),
        (PlainTextResponse("[" * 100_000), TransientError),
        (Response(status_code=302, headers={"Location": "http://127.0.0.1:9/"}), RefusedError),
        (Response(status_code=404), RefusedError), (Response(status_code=400), RefusedError),
    ],
)  # fmt: skip
def test_an_odd_answer_is_no_silence(served, answer, error) -> None:
    with pytest.raises(error):
        Osv(served(odd(answer)), sleep=lambda _s: None).about([FLASK], 30)


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        {"id": "GHSA-x", "affected": 7},
        {"id": "GHSA-x", "severity": [{}]},
        {"id": "GHSA-x", "affected": [{"package": {"purl": "x"}}]},
    ],
)
def test_an_odd_advisory_is_no_silence(served, told) -> None:
    with pytest.raises(TransientError):
        Osv(served(odd(told=told)), sleep=lambda _s: None).about([FLASK], 30)


def test_what_was_withdrawn_is_none(served) -> None:
    assert Osv(served(odd(told={"id": "GHSA-x", "withdrawn": "2024-01-01T00:00:00Z"}))).about([FLASK], 30) == {}


def test_too_much_is_refused(served, monkeypatch) -> None:
    url = served(odd(told={"id": "GHSA-x", "details": "x" * 5000}))
    monkeypatch.setattr(osv, "MOST_BYTES", 4000)
    with pytest.raises(RefusedError, match="larger than 4000"):
        Osv(url).about([FLASK], 30)
    monkeypatch.setattr(osv, "MOST_ADVISORIES", 0)
    with pytest.raises(RefusedError, match="advisories are about the packages"):
        Osv(url).about([FLASK], 30)


def test_what_is_remembered_has_an_end(served, monkeypatch) -> None:
    monkeypatch.setattr(osv, "KEPT", 1)
    api = Api()
    asker = api.at(served(api.app))
    asker.about([FLASK, LODASH], 30)
    assert len(asker._known) == 1
    assert set(asker.about([FLASK, LODASH], 30)) == {FLASK, LODASH}


@pytest.mark.parametrize(
    ("entries", "score", "scale"),
    [
        ([{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}], 9.8, "CVSS_V3"),
        ([{"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}], 7.5, "CVSS_V2"),
        (
            [
                {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
                {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N"},
            ],
            6.9,
            "CVSS_V4",
        ),
        ([{"type": "CVSS_V3", "score": "CVSS:3.1/nonsense"}, {"type": "Ubuntu", "score": "low"}], None, ""),
        ([], None, ""),
    ],
)  # fmt: skip
def test_scores_are_of_the_newest_scale_that_can_be_read(entries, score, scale) -> None:
    read = osv._advisory({"id": "GHSA-x", "severity": entries}, FLASK)
    assert read is not None and (read.score, read.scale) == (score, scale)


def test_only_what_is_about_the_package_says_what_mends_it() -> None:
    told = {
        "id": "GHSA-x",
        "affected": [
            {
                "package": {"name": "other", "purl": "pkg:pypi/other"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "9"}]}],
            },
            {
                "package": {"name": "Flask", "ecosystem": "PyPI"},
                "ranges": [{"type": "GIT", "events": [{"fixed": "abc"}]}],
            },
            {
                "package": {"name": "Flask", "ecosystem": "PyPI"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3"}]}],
            },
        ],
    }
    read = osv._advisory(told, FLASK)
    assert read is not None and read.fixed == ("3",)


@pytest.mark.parametrize(
    "url",
    [
        "http://osv.example",
        "ftp://127.0.0.1",
        "https://",
        "https://a.example?x=1",
        "https://user:pw@a.example",
        "https://a.example#x",
        "",
    ],
)
def test_only_addresses_that_can_be_are_taken(url) -> None:
    with pytest.raises(RefusedError, match="https"):
        Osv(url)


def test_a_server_that_is_not_there_is_transient() -> None:
    with pytest.raises(TransientError, match="did not answer"):
        Osv("http://127.0.0.1:9", sleep=lambda _s: None).about([FLASK], 5)


def test_the_sandbox_holds_a_dozen() -> None:
    assert len(ADVISORIES) >= 12
