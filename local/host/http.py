"""The ASGI application: authenticates, turns a request into a function's trigger, and the outcome into the response."""

import html
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from azure_functions_runtime.bindings.datumdef import Datum

from local.host.app import App
from local.host.invoke import Invoker
from local.host.keys import AuthLevel, HostKeys, presented_key
from local.host.logs import correlation_of
from local.host.routes import Route, Router

MAX_BODY = 100 * 1024 * 1024  # bytes; Azure Functions refuses larger request bodies
BODILESS = frozenset((204, 304))
NOTHING: dict[str, Datum] = {}
UNSENDABLE = frozenset(("content-length", "transfer-encoding", "connection"))
LOGGER = logging.getLogger("Host.Http")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Section = Callable[["Request"], Awaitable["Response"]]


class BodyTooLargeError(Exception):
    """The request body is larger than Azure accepts."""


class ClientGoneError(Exception):
    """The client closed the connection before its request was read."""


class Response:
    """A status, headers and a body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes = b"", headers: Headers | None = None) -> None:
        self.status = status
        self.body = body
        self.headers: Headers = headers if headers is not None else []

    @classmethod
    def json(cls, status: int, value: Any, headers: dict[str, str] | None = None) -> "Response":
        """A JSON response."""
        encoded = [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in (headers or {}).items()]
        return cls(
            status, json.dumps(value).encode(), [(b"content-type", b"application/json; charset=utf-8"), *encoded]
        )


class Request:
    """A request as functions and the host's own pages see it; headers are lower-case and joined when repeated."""

    __slots__ = ("_body", "_receive", "headers", "method", "path", "query", "query_string", "raw_path", "server")

    def __init__(
        self,
        method: str,
        path: str,
        raw_path: str,
        query_string: str,
        headers: Headers,
        *,
        body: bytes | None = None,
        receive: Receive | None = None,
        server: tuple[str, int | None] | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.raw_path = raw_path
        self.query_string = query_string
        self.server = server
        self._body = body
        self._receive = receive
        joined = dict(headers)
        if len(joined) != len(headers):
            joined = {}
            for name, value in headers:
                joined[name] = joined[name] + b"," + value if name in joined else value
        self.headers: dict[bytes, bytes] = joined
        self.query: dict[str, str] = _parse_query(query_string) if query_string else {}

    @classmethod
    def of_scope(cls, scope: Scope, receive: Receive) -> "Request":
        """The request of an ASGI connection scope."""
        path: str = scope["path"]
        raw_path = scope.get("raw_path") or path.encode()
        return cls(
            scope["method"],
            path,
            raw_path.decode("latin-1").split("?", 1)[0],
            scope["query_string"].decode("latin-1"),
            list(scope["headers"]),
            receive=receive,
            server=scope.get("server"),
        )

    @property
    def origin(self) -> str:
        """Scheme and host as the client wrote them."""
        host = self.headers.get(b"host")
        if host is None:
            address, port = self.server or ("127.0.0.1", 80)
            return f"http://{address}:{port}"
        return "http://" + host.decode("latin-1")

    @property
    def target(self) -> str:
        """Path and query as the client wrote them."""
        return f"{self.raw_path}?{self.query_string}" if self.query_string else self.raw_path

    @property
    def url(self) -> str:
        """The full URL with its query."""
        return self.origin + self.target

    async def body(self) -> bytes:
        """Read the whole body.

        Raises:
            BodyTooLargeError: over 100 MiB.
            ClientGoneError: the client went away.
        """
        if self._body is not None:
            return self._body
        declared = self.headers.get(b"content-length")
        if self._receive is None or (declared is None and b"transfer-encoding" not in self.headers):
            return b""  # RFC 9112, 6.3: a request without either has no body
        if declared is not None and declared.isdigit() and int(declared) > MAX_BODY:
            raise BodyTooLargeError
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            chunk = message.get("body", b"")
            if chunk:
                size += len(chunk)
                if size > MAX_BODY:
                    raise BodyTooLargeError
                chunks.append(chunk)
            if not message.get("more_body"):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class HostApplication:
    """ASGI entry point of the host."""

    def __init__(
        self, app: App, router: Router, keys: HostKeys, invoker: Invoker, cors: "CorsPolicy | None" = None
    ) -> None:
        self._app = app
        self._router = router
        self._keys = keys
        self._invoker = invoker
        self._cors = cors
        self._sections: list[tuple[str, Section]] = []

    def mount(self, prefix: str, section: Section) -> None:
        """Serve every path under the prefix by a section of the host's own API."""
        self._sections.append((prefix, section))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of ASGI; only HTTP is spoken."""
        if scope["type"] != "http":
            return
        response = await self.answer(Request.of_scope(scope, receive))
        if response is not None:
            await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
            await send({"type": "http.response.body", "body": response.body})

    async def answer(self, request: Request) -> Response | None:
        """The complete response to a request, or None when the client is gone; never raises."""
        correlation_id = correlation_of(request.headers)
        try:
            found = self._router.find(request.path, request.method)
            if found is None or (self._cors is not None and self._cors.is_preflight(request)):
                response = await self._own_page(request)
            else:
                response = await self._invoke(request, found[0], found[1], correlation_id)
        except BodyTooLargeError:
            response = Response(413)
        except ClientGoneError:
            return None
        except Exception:
            LOGGER.exception(
                "%s %s failed in the host", request.method, request.path, extra={"correlation_id": correlation_id}
            )
            response = Response(500)
        headers = response.headers
        headers.append((b"x-correlation-id", correlation_id.encode("ascii")))
        if response.status in BODILESS:
            response.body = b""
        else:
            headers.append((b"content-length", b"%d" % len(response.body)))
        if self._cors is not None:
            headers.extend(self._cors.headers(request))
        return response

    async def _own_page(self, request: Request) -> Response:
        if self._cors is not None and self._cors.is_preflight(request):
            return Response(204)
        lowered = request.path.lower()
        for prefix, section in self._sections:
            if lowered == prefix or lowered.startswith(prefix + "/"):
                return await section(request)
        if request.path == "/" and request.method in ("GET", "HEAD"):
            return self._home()
        return Response(404)

    async def _invoke(self, request: Request, route: Route, values: dict[str, str], correlation_id: str) -> Response:
        headers = request.headers
        if route.level is not AuthLevel.ANONYMOUS and not self._keys.permits(
            route.level, presented_key(headers, request.query)
        ):
            return Response(401)
        body = await request.body()
        query = request.query
        trigger = Datum(
            {
                "method": Datum(request.method, "string"),
                "url": Datum(request.url, "string"),
                "headers": {
                    name.decode("latin-1"): Datum(value.decode("latin-1"), "string") for name, value in headers.items()
                },
                "body": Datum(body, "bytes"),
                "params": {name: Datum(value, "string") for name, value in values.items()} if values else NOTHING,
                "query": {name: Datum(value, "string") for name, value in query.items()} if query else NOTHING,
            },
            "http",
        )
        trace_parent = headers[b"traceparent"].decode("latin-1") if b"traceparent" in headers else ""
        trace_state = headers[b"tracestate"].decode("latin-1") if b"tracestate" in headers else ""
        outcome = await self._invoker.run(
            route.function,
            trigger,
            correlation_id,
            trace_parent=trace_parent,
            trace_state=trace_state,
            # The caller sees a success; a line for each would cost more than the invocation.
            success_level=logging.DEBUG,
        )
        if outcome.error is not None:
            return Response(500)
        return to_response(outcome.response)

    def _home(self) -> Response:
        rows = []
        routes = {route.function.name: route for route in self._router.routes}
        for name, function in sorted(self._app.functions.items()):
            route = routes.get(name)
            detail = ""
            if route is not None:
                methods = ", ".join(sorted(route.methods)) if route.methods else "any method"
                detail = f"{methods} /{route.template} ({route.level})"
            rows.append(
                f"<tr><td>{html.escape(name)}</td><td>{function.trigger}</td><td>{html.escape(detail)}</td></tr>"
            )
        page = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Functions</title></head><body>'
            f"<h1>Your function app is up and running</h1><p>{len(rows)} functions</p><table>"
            '<thead><tr><th scope="col">Function</th><th scope="col">Trigger</th><th scope="col">Route</th></tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table></body></html>"
        )
        return Response(200, page.encode(), [(b"content-type", b"text/html; charset=utf-8")])


def _parse_query(text: str) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        query[name] = query[name] + "," + value if name in query else value
    return query


def to_response(datum: Datum | None) -> Response:
    """The HTTP response a function's return value stands for (Azure: nothing returned is 200 with an empty body).

    Raises:
        ValueError: the status is not one a response can have.
    """
    if datum is None or datum.value is None:
        return Response(200)
    if datum.type != "http":
        value = datum.value
        return Response(
            200,
            value if isinstance(value, bytes) else str(value).encode(),
            [(b"content-type", b"text/plain; charset=utf-8")],
        )
    value = datum.value
    headers: Headers = []
    for name, header in value["headers"].items():
        lowered = name.lower()
        if lowered not in UNSENDABLE:
            headers.append((lowered.encode("latin-1"), header.value.encode("latin-1")))
    for jar in value["cookies"] or ():
        for morsel in jar.values():
            headers.append((b"set-cookie", morsel.OutputString().encode("latin-1")))
    status = int(value["status_code"].value)
    if not 200 <= status <= 599:
        raise ValueError(f"a function answered with the status {status}; HTTP knows 200 to 599")
    return Response(status, value["body"].value, headers)


class CorsPolicy:
    """``Host.CORS`` of local.settings.json: a comma-separated list of origins, or ``*``."""

    def __init__(self, origins: str, credentials: bool) -> None:
        self._origins = {origin.strip() for origin in origins.split(",") if origin.strip()}
        self._credentials = credentials

    def is_preflight(self, request: Request) -> bool:
        """Whether a browser asks what it may send."""
        return (
            request.method == "OPTIONS"
            and b"origin" in request.headers
            and b"access-control-request-method" in request.headers
        )

    def headers(self, request: Request) -> Headers:
        """The CORS headers of the answer; none for an origin that is not allowed."""
        origin = request.headers.get(b"origin")
        if origin is None:
            return []
        everyone = "*" in self._origins
        if not everyone and origin.decode("latin-1") not in self._origins:
            return []
        allowed = b"*" if everyone and not self._credentials else origin
        headers: Headers = [(b"access-control-allow-origin", allowed), (b"vary", b"Origin")]
        if self._credentials:
            headers.append((b"access-control-allow-credentials", b"true"))
        if self.is_preflight(request):
            headers.append((b"access-control-allow-methods", request.headers[b"access-control-request-method"]))
            if asked := request.headers.get(b"access-control-request-headers"):
                headers.append((b"access-control-allow-headers", asked))
        return headers
