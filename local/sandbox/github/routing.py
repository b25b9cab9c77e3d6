"""Turns a request into a call on the hub, and a handler's result into an answer with GitHub's headers."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.sandbox.github.auth import Caller, authenticate, require, role_in
from local.sandbox.github.errors import ApiError, bad_request, not_found, requires_authentication
from local.sandbox.github.hub import API_PREFIX, Hub, Record

API_VERSION = "2022-11-28"
RATE_LIMIT = 5000


@dataclass(frozen=True)
class Answer:
    """A status with a JSON body (None for no content) and further headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One request: who, where, and with what."""

    hub: Hub
    caller: Caller
    request: Request
    params: dict[str, str]
    query: Mapping[str, str]
    body: Record

    def repo(self, level: str = "read", permission: str = "metadata") -> Record:
        """The repository of the path, when the caller has `level` on it; raises ApiError."""
        found = self.hub.repo(self.params["owner"], self.params["repo"])
        if found is None:
            raise not_found()
        require(self.hub, self.caller, found, level, permission)
        return found

    def org(self, *, admin: bool = False, permission: str = "members", level: str = "read") -> Record:
        """The organisation of the path; `admin` demands an owner (or an app with `permission` at `level`)."""
        found = self.hub.org(self.params["org"])
        if found is None:
            raise not_found()
        if admin:
            self.require_owner(found, permission, level)
        return found

    def require_owner(self, org: Record, permission: str, level: str) -> None:
        """Refuse unless the caller owns `org` or its installation holds `permission`; raises ApiError."""
        from local.sandbox.github.auth import granted

        caller = self.caller
        if caller.kind == "anonymous":
            raise requires_authentication()
        if caller.kind == "app":
            raise ApiError(403, "Resource not accessible by integration")
        if caller.permissions is not None and not granted(caller.permissions, permission, level):
            who = "integration" if caller.kind == "installation" else "personal access token"
            raise ApiError(403, f"Resource not accessible by {who}")
        if caller.kind == "installation":
            if caller.installation["account"].lower() != org["login"].lower():
                raise not_found()
            return
        needed = {"organization_hooks": {"admin:org_hook"}}.get(permission, {"admin:org", "write:org", "read:org"})
        if caller.scopes is not None and not needed & set(caller.scopes):
            raise not_found()
        if role_in(self.hub, org, caller) != "admin":
            raise (
                not_found()
                if permission == "organization_hooks"
                else ApiError(403, "Must have admin rights to Organization.")
            )

    def signed_in(self) -> Record:
        """The calling user (an installation's bot user included); raises ApiError 401."""
        if self.caller.kind == "anonymous":
            raise requires_authentication()
        if self.caller.kind == "app":
            raise ApiError(403, "Resource not accessible by integration")
        user = self.hub.user(self.caller.login)
        if user is None:
            user = self.hub.add_user(self.caller.login, kind="Bot")
        return user

    def get(self, name: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
        """An optional body field; raises ApiError 422 for a value of another type (null counts as absent)."""
        value = self.body.get(name)
        if value is None:
            return default
        allowed = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            names = {str: "string", int: "integer", bool: "boolean", list: "array", dict: "object", float: "number"}
            wanted = " or ".join(names[k] for k in allowed)
            raise bad_request(f"For 'properties/{name}', {json.dumps(value)} is not of type {wanted}.")
        return value

    def need(self, name: str, kind: type | tuple[type, ...]) -> Any:
        """A required body field; raises ApiError 422 when it is absent."""
        if self.body.get(name) is None:
            raise bad_request(f'"{name}" wasn\'t supplied.')
        return self.get(name, kind)

    def number(self, name: str) -> int:
        """A number of the path; raises ApiError 404 for anything else."""
        try:
            return int(self.params[name])
        except ValueError as error:
            raise not_found() from error

    def page_of(self, items: list[Any], render: Callable[[Any], Any], wrap: str | None = None) -> Answer:
        """One page of `items` with the Link header; `wrap` puts them under that key beside total_count."""
        size = self._positive("per_page", 30, most=100)
        page = self._positive("page", 1)
        last = max(1, -(-len(items) // size))
        shown = [render(item) for item in items[(page - 1) * size : page * size]]
        links = {}
        if page < last:
            links = {"next": page + 1, "last": last}
        if page > 1:
            links |= {"prev": page - 1, "first": 1}
        header = ", ".join(f'<{self._page_url(number)}>; rel="{rel}"' for rel, number in links.items())
        body = {"total_count": len(items), wrap: shown} if wrap else shown
        return Answer(200, body, {"Link": header} if header else {})

    def _positive(self, name: str, default: int, most: int | None = None) -> int:
        given = self.query.get(name, "")
        value = int(given) if re.fullmatch(r"[1-9]\d{0,8}", given) else default
        return min(value, most) if most else value

    def _page_url(self, page: int) -> str:
        pairs = [(k, v) for k, v in parse_qsl(self.request.url.query, keep_blank_values=True) if k != "page"]
        return f"{self.hub.base_url}{self.request.scope['path']}?{urlencode([*pairs, ('page', str(page))])}"


Handler = Callable[[Call], Any]
_ROUTES: list[tuple[str, str, Handler]] = []


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Register a handler for `method` and `path` (Starlette syntax); results are Answer, or a body sent with 200."""

    def register(handler: Handler) -> Handler:
        _ROUTES.append((method, path, handler))
        return handler

    return register


def api_routes(hub: Hub) -> list[Route]:
    """Every registered route, bound to `hub`; fixed paths come before those with placeholders."""
    # The end of a path sorts last, so that "{branch:path}/protection" is tried before "{branch:path}".
    ordered = sorted(
        _ROUTES,
        key=lambda item: [*((":path}" in part, "{" in part) for part in item[1].split("/")), (True, True, True)],
    )
    return [Route(path, _endpoint(hub, handler), methods=[method]) for method, path, handler in ordered]


def _endpoint(hub: Hub, handler: Handler) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        prefix = "/api/v3" if request.scope["path"].startswith("/api/v3/") else ""
        token = API_PREFIX.set(prefix)
        caller = Caller()
        try:
            caller = authenticate(hub, request.headers.get("authorization"))
            call = Call(hub, caller, request, dict(request.path_params), request.query_params, await _body(request))
            result = handler(call)
            if inspect.isawaitable(result):
                result = await result
            answer = result if isinstance(result, Answer) else Answer(200, result)
        except ApiError as error:
            answer = Answer(error.status, error.body(), error.headers)
        finally:
            API_PREFIX.reset(token)
        return respond(hub, request, caller, answer)

    return endpoint


async def _body(request: Request) -> Record:
    raw = await request.body()
    if not raw or request.method in {"GET", "HEAD"}:
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise ApiError(400, "Problems parsing JSON") from error
    if isinstance(body, list):
        return {"": body}
    if not isinstance(body, dict):
        raise ApiError(400, "Body should be a JSON object")
    return body


def respond(hub: Hub, request: Request, caller: Caller, answer: Answer) -> Response:
    """Render an answer with ETag, rate limit, request id and scopes; 304 when the client has it already."""
    content = (
        b"" if answer.body is None else json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")).encode()
    )
    headers = {
        "X-GitHub-Request-Id": uuid.uuid4().hex[:20].upper(),
        "X-GitHub-Media-Type": "github.v3; format=json",
        "x-github-api-version-selected": request.headers.get("x-github-api-version", API_VERSION),
        **rate_headers(hub, caller),
        **answer.headers,
    }
    if caller.kind == "user" and caller.scopes is not None:
        headers["X-OAuth-Scopes"] = ", ".join(caller.scopes)
        headers["X-Accepted-OAuth-Scopes"] = "repo"
    status = answer.status
    if request.method in {"GET", "HEAD"} and status == 200 and content:
        tag = f'"{hashlib.sha256(content).hexdigest()}"'
        headers["ETag"] = f"W/{tag}"
        headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
        if tag in request.headers.get("if-none-match", ""):
            status, content = 304, b""
    media = "application/json; charset=utf-8" if content else None
    return Response(content, status, {key.lower(): value for key, value in headers.items()}, media)


def rate_headers(hub: Hub, caller: Caller, *, count: bool = True) -> dict[str, str]:
    """The caller's hourly allowance; each call takes one when `count`. It is shown, not enforced: faults do that."""
    used, reset = hub.used.get(caller.token, (0, 0))
    if reset <= time.time():
        used, reset = 0, int(time.time()) + 3600
    used += count
    hub.used[caller.token] = (used, reset)
    limit = 60 if caller.kind == "anonymous" else hub.data.get("calls_an_hour", RATE_LIMIT)
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(max(0, limit - used)),
        "X-RateLimit-Reset": str(reset),
        "X-RateLimit-Used": str(used),
        "X-RateLimit-Resource": "core",
    }
