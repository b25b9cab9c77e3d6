"""Puts the browser in front of a simulator: HTML for people, and every other request reaches the simulator untouched."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.sandbox.browser.page import Empty, Link, Notice, Page
from local.sandbox.browser.render import Forge, render

type PageFor = Callable[[str, Mapping[str, str]], Page | None]

ASSETS = "/_browser"
_STATIC = Path(__file__).parent / "static"
_LOG = logging.getLogger(__name__)
_HEADERS = {
    # State is user-written text: even if an escape were ever missed, nothing but our own files may run or load.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept",
}


def browser_middleware(
    app: ASGIApp, page_for: PageFor, *, forge: Forge, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> ASGIApp:
    """Wrap the simulator `app` so that people can look at its state with a web browser.

    A GET or HEAD that names text/html in Accept is answered with the page of its path. When `page_for` has none, the
    simulator answers (a raw file, JSON), unless it answers 404: then a page says what to do instead. `page_for` gets the
    percent-decoded path and the query (last value of a repeated key). When it fails, the failure is logged and shown
    as status 500. All else, websockets and lifespan included, passes through.
    """
    static = StaticFiles(directory=_STATIC)

    async def browser(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await app(scope, receive, send)
            return
        path = scope["path"]
        if path.startswith(f"{ASSETS}/"):
            try:
                await static({**scope, "root_path": scope.get("root_path", "") + ASSETS}, receive, send)
            except HTTPException:
                await _respond(not_found(path), 404, forge, clock())(scope, receive, send)
            return
        if not wants_html(Headers(scope=scope).get("accept", "")):
            await app(scope, receive, send)
            return
        try:
            page = page_for(path, dict(QueryParams(scope["query_string"])))
            body = None if page is None else render(page, forge=forge, now=clock())
        except Exception as error:
            _LOG.exception("the page %s could not be drawn", path)
            failed = _respond(could_not_draw(path, error), 500, forge, clock())
            await failed(scope, receive, send)
            return
        if body is not None:
            await HTMLResponse(body, headers=_HEADERS)(scope, receive, send)
            return
        await _app_or_not_found(scope, receive, send)

    async def _app_or_not_found(scope: Scope, receive: Receive, send: Send) -> None:
        unknown = False

        async def watch(message: Message) -> None:
            nonlocal unknown
            if message["type"] == "http.response.start":
                unknown = message["status"] == 404
            if not unknown:
                await send(message)

        await app(scope, receive, watch)
        if unknown:
            await _respond(not_found(scope["path"]), 404, forge, clock())(scope, receive, send)

    return browser


def wants_html(accept: str) -> bool:
    """Whether an Accept header names text/html itself (RFC 9110 section 12.5.1); a wildcard is an API client's."""
    for part in accept.lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        if media_type == "text/html":
            return not any(_is_zero_weight(parameter) for parameter in parameters)
    return False


def _is_zero_weight(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and value.strip().strip("0") in {"", "."}


def not_found(path: str) -> Page:
    """The page for a path that neither the browser nor the simulator knows."""
    return Page(
        title="Page not found",
        breadcrumbs=[Link("Organisations", "/")],
        blocks=[
            Empty(
                what=f"Nothing is at {path}",
                how="It may have been renamed, deleted or not created yet, or the address has a typing error. "
                "Start from the list of organisations and follow the links.",
                action=Link("All organisations", "/"),
            )
        ],
    )


def could_not_draw(path: str, error: Exception) -> Page:
    """The page for a failure while a page was made; names the kind of failure and where its details are."""
    return Page(
        title="This page could not be drawn",
        breadcrumbs=[Link("Organisations", "/")],
        blocks=[
            Notice(
                f"Making the page {path} failed with {type(error).__name__}. The sandbox's log holds the details; "
                "the API behind it is not affected.",
                level="error",
                title="A defect in the sandbox browser",
            )
        ],
    )


def _respond(page: Page, status: int, forge: Forge, now: datetime) -> HTMLResponse:
    return HTMLResponse(render(page, forge=forge, now=now), status_code=status, headers=_HEADERS)
