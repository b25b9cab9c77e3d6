"""Answers the OSV API's calls over the advisories at hand: https://google.github.io/osv.dev/api/"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from packageurl import PackageURL
from packaging.version import InvalidVersion, Version
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.sandbox.faults import FaultMiddleware, FaultRules
from local.sandbox.osv.advisories import ADVISORIES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/_osv"
"""Where it is found beside the simulator of GitHub."""
MOST_QUERIES = 1000
_ECOSYSTEMS = {"pypi": "PyPI", "npm": "npm"}
_KNOWN = frozenset({*_ECOSYSTEMS, "maven", "golang", "cargo", "nuget", "gem", "composer", "hex", "pub", "deb", "apk"})
_SEPARATORS = re.compile(r"[-_.]+")
_SEMVER = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-[0-9A-Za-z.-]+)?(?:\+.*)?")


class _WrongError(Exception):
    """The question is none; the message is the answer's."""


def build_osv(
    advisories: Mapping[str, dict[str, Any]] = ADVISORIES, *, page: int = 1000, faults: FaultRules | None = None
) -> Starlette:
    """The API over ``advisories``, ``page`` ids at a time; it fails on demand by ``/_faults`` as the simulators do."""

    async def query(request: Request) -> Response:
        try:
            found, token = _asked(await _body(request), advisories, page)
        except _WrongError as error:
            return _refused(400, 3, str(error))
        return JSONResponse({"vulns": [advisories[name] for name in found]} | token if found else {})

    async def batch(request: Request) -> Response:
        try:
            queries = (await _body(request)).get("queries")
            if not isinstance(queries, list):
                raise _WrongError("Invalid JSON: queries is no list")
            if len(queries) > MOST_QUERIES:
                raise _WrongError("Too many queries.")
            answers = [_asked(one, advisories, page) for one in queries]
        except _WrongError as error:
            return _refused(400, 3, str(error))
        results = [
            {"vulns": [{"id": name, "modified": advisories[name]["modified"]} for name in found]} | token
            if found
            else {}
            for found, token in answers
        ]
        return JSONResponse({"results": results})

    async def one(request: Request) -> Response:
        found = advisories.get(request.path_params["id"])
        return JSONResponse(found) if found else _refused(404, 5, "Bug not found.")

    return Starlette(
        routes=[
            Route("/v1/query", query, methods=["POST"]),
            Route("/v1/querybatch", batch, methods=["POST"]),
            Route("/v1/vulns/{id}", one),
        ],
        middleware=[Middleware(FaultMiddleware, rules=faults or FaultRules())],
    )


class BesideOsv:
    """Serves ``osv`` below ``/_osv`` and everything else by ``app``, so that no simulator's log counts its calls."""

    def __init__(self, app: ASGIApp, osv: ASGIApp) -> None:
        self.app, self.osv = app, osv

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan of ``app``."""
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith(f"{PATH}/"):
            await self.osv({**scope, "path": path.removeprefix(PATH)}, receive, send)
        else:
            await self.app(scope, receive, send)


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise _WrongError("Invalid JSON") from error
    if not isinstance(body, dict):
        raise _WrongError("Invalid JSON: no object")
    return body


def _asked(asked: Any, advisories: Mapping[str, dict[str, Any]], page: int) -> tuple[Sequence[str], dict[str, str]]:
    """The ids on the page that was asked for, and where the next begins."""
    package = asked.get("package") if isinstance(asked, dict) else None
    if not isinstance(package, dict):
        raise _WrongError("Invalid query")
    ecosystem, name, version = _package(package, str(asked.get("version", "")))
    found = sorted(one for one, told in advisories.items() if _is_about(told, ecosystem, name, version))
    token = str(asked.get("page_token", "")) or "0"
    if not token.isdigit():
        raise _WrongError("Invalid page token.")
    start = int(token)
    more = {"next_page_token": str(start + page)} if start + page < len(found) else {}
    return found[start : start + page], more


def _package(package: Mapping[str, Any], version: str) -> tuple[str, str, str]:
    if "purl" not in package:
        return str(package.get("ecosystem", "")), _plain(str(package.get("name", ""))), version
    try:
        purl = PackageURL.from_string(str(package["purl"]))
    except ValueError as error:
        raise _WrongError("Invalid Package URL.") from error
    if purl.type not in _KNOWN:
        raise _WrongError("Invalid Package URL.")
    if purl.version and version:
        raise _WrongError("version specified in params and purl query")
    name = f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name
    return _ECOSYSTEMS.get(purl.type, purl.type), _plain(name), purl.version or version


def _plain(name: str) -> str:
    return name.lower() if "/" in name else _SEPARATORS.sub("-", name).lower()


def _is_about(told: Mapping[str, Any], ecosystem: str, name: str, version: str) -> bool:
    for one in told["affected"]:
        if one["package"]["ecosystem"] == ecosystem and _plain(one["package"]["name"]) == name:
            order = _order(ecosystem, version)
            if not version or (order is not None and any(_is_within(span, ecosystem, order) for span in one["ranges"])):
                return True
    return False


def _is_within(span: Mapping[str, Any], ecosystem: str, order: Any) -> bool:
    inside = False
    for event in span["events"]:
        kind, value = next(iter(event.items()))
        bound = _order(ecosystem, value)
        if value == "0" or order >= bound:
            inside = kind == "introduced"
    return inside


def _order(ecosystem: str, version: str) -> Any:
    """What versions are ordered by; ``None`` for one that is none."""
    if ecosystem != "npm":
        try:
            return Version(version)
        except InvalidVersion:
            return None
    found = _SEMVER.fullmatch(version)
    if not found:
        return None
    # A pre-release comes before its release; the text between two of them decides well enough here.
    return tuple(int(found[part] or 0) for part in (1, 2, 3)), not found[4], found[4] or ""


def _refused(status: int, code: int, message: str) -> Response:
    return JSONResponse({"code": code, "message": message}, status_code=status)
