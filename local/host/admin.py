"""Serves /admin as Azure's host does: host status, the functions, and running one by hand; all but ping need the master key."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from importlib.metadata import version
from typing import Any

from local.host.app import App, Function, Trigger
from local.host.keys import AuthLevel, HostKeys, presented_key
from local.host.logs import correlation_of
from local.host.messages import Request, Response
from local.host.routes import Router

Runner = Callable[[Function, Any, str], Coroutine[Any, Any, None]]


class AdminApi:
    """The section of the host for operators."""

    def __init__(self, app: App, router: Router, keys: HostKeys, runners: Mapping[Trigger, Runner]) -> None:
        self._app = app
        self._routes = {route.function.name: route for route in router.routes}
        self._keys = keys
        self._runners = runners
        self._started = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, request: Request) -> Response:  # noqa: PLR0911 - one case an operation
        """Answer one request under /admin."""
        parts = [part for part in request.path.split("/") if part][1:]
        if parts == ["host", "ping"]:
            return Response(200)
        if not self._keys.permits(AuthLevel.ADMIN, presented_key(request.headers, request.query)):
            return Response(401)
        match request.method, parts:
            case "GET", ["host", "status"]:
                return Response.json(200, self._status())
            case "GET", ["functions"]:
                return Response.json(
                    200, [self._describe(request, function) for function in self._app.functions.values()]
                )
            case "GET", ["functions", name] if name in self._app.functions:
                return Response.json(200, self._describe(request, self._app.functions[name]))
            case "POST", ["functions", name] if name in self._app.functions:
                return await self._run(request, self._app.functions[name])
            case _:
                return Response(404)

    def _status(self) -> dict[str, Any]:
        return {
            "id": f"local-{self._app.directory.name}",
            "state": "Running",
            "version": "4.0.0",
            "versionDetails": f"local host, azure-functions-runtime {version('azure-functions-runtime')}",
            "processUptime": int((time.monotonic() - self._started) * 1000),
            "functionAppContentEditingState": "NotAllowed",
        }

    def _describe(self, request: Request, function: Function) -> dict[str, Any]:
        route = self._routes.get(function.name)
        return {
            "name": function.name,
            "script_root_path_href": None,
            "script_href": None,
            "config_href": None,
            "test_data_href": None,
            "href": f"{request.origin}/admin/functions/{function.name}",
            "invoke_url_template": f"{request.origin}/{route.template}" if route is not None else None,
            "language": "python",
            "config": {
                "name": function.name,
                "entryPoint": function.name,
                "scriptFile": "function_app.py",
                "language": "python",
                "functionDirectory": function.directory,
                "bindings": list(function.bindings),
            },
            "files": None,
            "test_data": None,
            "isDisabled": False,
            "isDirect": False,
            "isProxy": False,
        }

    async def _run(self, request: Request, function: Function) -> Response:
        runner = self._runners.get(function.trigger)
        if runner is None:
            kinds = ", ".join(self._runners)
            return Response.json(
                400, {"Message": f"{function.name} is a {function.trigger} function; only {kinds} can be run by hand"}
            )
        body = await request.body()
        try:
            document = json.loads(body) if body else {}
        except ValueError:
            document = None
        if not isinstance(document, dict):
            return Response.json(400, {"Message": 'the body must be a JSON object such as {"input": "..."}'})
        task = asyncio.create_task(runner(function, document.get("input"), correlation_of(request.headers)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Response(202)
