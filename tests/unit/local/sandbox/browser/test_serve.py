"""Serving: people get pages, programs get the simulator, and nothing else changes."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local.sandbox.browser.page import Markdown, Page
from local.sandbox.browser.serve import browser_middleware, wants_html

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def page_for(path: str, query: Mapping[str, str]) -> Page | None:
    if path == "/":
        return Page("Organisations")
    if path == "/octo/a b":
        return Page(f"query {dict(query)}", blocks=[Markdown("text")])
    if path == "/octo/defect":
        raise LookupError("secret detail")
    return None


async def api(request: Request) -> Response:
    return JSONResponse({"method": request.method, "path": request.url.path}, headers={"X-From": "simulator"})


async def raw(request: Request) -> Response:
    return PlainTextResponse("raw file")


@pytest.fixture
def client() -> httpx.AsyncClient:
    methods = ["GET", "POST", "HEAD"]
    simulator = Starlette(
        routes=[Route("/", api, methods=methods), Route("/octo/a b", api, methods=methods), Route("/raw", raw)]
    )
    app = browser_middleware(simulator, page_for, forge="github", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox.test")


async def test_a_browser_gets_the_page(client: httpx.AsyncClient) -> None:
    response = await client.get("/octo/a%20b?x=1&x=2&y=%3C", headers=BROWSER)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["vary"] == "Accept"
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert "query {&#39;x&#39;: &#39;2&#39;, &#39;y&#39;: &#39;&lt;&#39;}" in response.text


async def test_head_has_no_body_but_the_same_type(client: httpx.AsyncClient) -> None:
    response = await client.head("/", headers=BROWSER)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/vnd.github+json", "text/html;q=0, */*", ""])
async def test_programs_reach_the_simulator_untouched(client: httpx.AsyncClient, accept: str) -> None:
    response = await client.get("/octo/a%20b", headers={"Accept": accept})
    assert response.headers["x-from"] == "simulator"
    assert response.json()["method"] == "GET"
    assert "content-security-policy" not in response.headers


async def test_programs_keep_the_simulators_own_404(client: httpx.AsyncClient) -> None:
    response = await client.get("/nowhere", headers={"Accept": "application/json"})
    assert (response.status_code, response.text) == (404, "Not Found")


async def test_a_form_post_reaches_the_simulator(client: httpx.AsyncClient) -> None:
    assert (await client.post("/", headers=BROWSER)).json()["method"] == "POST"


async def test_what_has_no_page_but_exists_is_passed_through(client: httpx.AsyncClient) -> None:
    response = await client.get("/raw", headers=BROWSER)
    assert (response.status_code, response.text) == (200, "raw file")


async def test_unknown_paths_get_a_page_that_helps(client: httpx.AsyncClient) -> None:
    response = await client.get("/no%3Cwhere", headers=BROWSER)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")
    assert "Nothing is at /no&lt;where" in response.text
    assert 'href="/"' in response.text
    assert "Not Found" not in response.text


async def test_a_defect_is_shown_without_its_details_and_logged_with_them(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = await client.get("/octo/defect", headers=BROWSER)
    assert response.status_code == 500
    assert "LookupError" in response.text
    assert "secret detail" not in response.text
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    ("asset", "media_type"),
    [
        ("style.css", "text/css"),
        ("page.js", "text/javascript"),
        ("icons.svg", "image/svg+xml"),
        ("icon.svg", "image/svg+xml"),
    ],
)
async def test_assets_are_served_and_revalidated(client: httpx.AsyncClient, asset: str, media_type: str) -> None:
    response = await client.get(f"/_browser/{asset}")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(media_type)
    again = await client.get(f"/_browser/{asset}", headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/_browser/nothing.css", "/_browser/%2e%2e/serve.py", "/_browser/"])
async def test_only_assets_are_served(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path, headers=BROWSER)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")


async def test_other_protocols_pass_through() -> None:
    seen: list[str] = []

    async def simulator(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        return {}

    app = browser_middleware(simulator, page_for, forge="github")
    for kind in ("lifespan", "websocket"):
        await app({"type": kind, "path": "/"}, nothing, nothing)
    assert seen == ["lifespan", "websocket"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/html", True),
        ("TEXT/HTML; charset=utf-8", True),
        ("application/json, text/html;q=0.1", True),
        ("text/html;q=0.0", False),
        ("text/html; q=0", False),
        ("text/*", False),
        ("text/html-sandboxed", False),
        (";", False),
    ],
)
def test_accept(accept: str, expected: bool) -> None:
    assert wants_html(accept) is expected
