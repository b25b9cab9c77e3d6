"""The ASGI application: authenticates, turns a request into a function's trigger, and the outcome into the response."""

import html
import logging
from collections.abc import Awaitable, Callable

from azure_functions_runtime.bindings.datumdef import Datum

from local.host.app import App
from local.host.cors import CorsPolicy
from local.host.invoke import Invoker
from local.host.keys import AuthLevel, HostKeys, presented_key
from local.host.logs import correlation_of
from local.host.messages import (
    UNSAFE,
    BodyTooLargeError,
    ClientGoneError,
    Headers,
    Receive,
    Request,
    Response,
    Scope,
    Send,
)
from local.host.routes import Route, Router

BODILESS = frozenset((204, 304))
NOTHING: dict[str, Datum] = {}
UNSENDABLE = frozenset(("content-length", "transfer-encoding", "connection"))
LOGGER = logging.getLogger("Host.Http")

Section = Callable[[Request], Awaitable[Response]]


class HostApplication:
    """ASGI entry point of the host."""

    def __init__(
        self, app: App, router: Router, keys: HostKeys, invoker: Invoker, cors: CorsPolicy | None = None
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
            # A header that would end early could forge another; the short way of `protocol` leaves it out too.
            headers = [pair for pair in response.headers if not (UNSAFE.search(pair[0]) or UNSAFE.search(pair[1]))]
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
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
        # What the app says of its own answer stands in its log as well.
        if not any(name.lower() == b"x-correlation-id" for name, _ in headers):
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
