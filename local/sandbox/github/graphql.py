"""Answers the GraphQL in use: pull requests with all that is said and checked, files, the viewer; other fields are refused."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local.sandbox.github.auth import Caller, authenticate
from local.sandbox.github.errors import ApiError
from local.sandbox.github.graphql_parse import Document, Field, ParseError, Spread, Variable, parse
from local.sandbox.github.graphql_resolvers import Context, GraphError
from local.sandbox.github.graphql_schema import ABSTRACT, SCHEMA
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.routing import Answer, respond


def graphql_routes(hub: Hub) -> list[BaseRoute]:
    """The endpoint under both of its addresses."""

    async def endpoint(request: Request) -> Response:
        caller = Caller()
        try:
            caller = authenticate(hub, request.headers.get("authorization"))
            if caller.kind == "anonymous":
                message = "This endpoint requires you to be authenticated."
                raise ApiError(403 if not request.headers.get("authorization") else 401, message)
            body = json.loads(await request.body())
            if not isinstance(body, dict) or not isinstance(body.get("query"), str):
                raise ApiError(400, "A query attribute must be specified and must be a string.")
            return respond(hub, request, caller, Answer(200, execute(Context(hub, caller), body)))
        except ApiError as error:
            return respond(hub, request, caller, Answer(error.status, error.body()))
        except ValueError:
            return respond(hub, request, caller, Answer(400, {"message": "Problems parsing JSON"}))

    return [Route("/graphql", endpoint, methods=["POST"]), Route("/api/graphql", endpoint, methods=["POST"])]


def execute(context: Context, body: Record) -> Record:
    """Run one request body; the answer holds data, errors or both, as GitHub words them."""
    try:
        document = parse(body["query"], body.get("operationName"))
    except ParseError as error:
        return {"errors": [{"message": str(error)}]}
    given = body.get("variables") or {}
    if not isinstance(given, dict):
        return {"errors": [{"message": "Variables must be an object."}]}
    variables = {**document.defaults, **given}
    missing = [name for name in document.required if variables.get(name) is None]
    if missing:
        message = f"Variable ${missing[0]} of type was provided invalid value"
        return {
            "errors": [
                {
                    "message": message,
                    "extensions": {"problems": [{"path": [], "explanation": "Expected value to not be null"}]},
                }
            ]
        }
    root = "Mutation" if document.operation == "mutation" else "Query"
    errors = _Checker(document).check(root, document.selections, [document.operation])
    if errors:
        return {"errors": errors}
    runner = _Runner(context, document, variables)
    data = runner.object(root, {}, document.selections, [])
    return {"data": data, **({"errors": runner.errors} if runner.errors else {})}


class _Checker:
    """Finds fields the schema does not hold and selections that cannot be."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.entered: list[str | None] = []

    def check(self, kind: str, selections: list[Field | Spread], path: list[str]) -> list[Record]:
        errors: list[Record] = []
        for item in selections:
            if isinstance(item, Spread):
                fragment = self.document.fragments.get(item.fragment) if item.fragment else item
                if fragment is None:
                    errors.append({"message": f"Fragment {item.fragment} was used, but not defined", "path": path})
                    continue
                if item.fragment and item.fragment in self.entered:
                    errors.append({"message": f"Fragment {item.fragment} contains an infinite loop", "path": path})
                    continue
                self.entered.append(item.fragment)
                errors += self.check(fragment.on or kind, fragment.selections, path)
                self.entered.pop()
            elif item.name != "__typename":
                errors += self._field(kind, item, [*path, item.alias])
        return errors

    def _field(self, kind: str, item: Field, path: list[str]) -> list[Record]:
        place = [{"line": item.at[0], "column": item.at[1]}]
        known = ("ID", None) if kind == "Node" and item.name == "id" else SCHEMA.get(kind, {}).get(item.name)
        if known is None:
            extensions = {"code": "undefinedField", "typeName": kind, "fieldName": item.name}
            message = f"Field '{item.name}' doesn't exist on type '{kind}'"
            return [{"path": path, "extensions": extensions, "locations": place, "message": message}]
        target = known[0]
        if (target in SCHEMA or target in ABSTRACT) != bool(item.selections):
            extensions = {"code": "selectionMismatch", "nodeName": f"field '{item.name}'", "typeName": target}
            reason = f"Field must have selections (field '{item.name}' returns {target} but has no selections. Did you mean '{item.name} {{ ... }}'?)"
            if item.selections:
                reason = f"Selections can't be made on scalars (field '{item.name}' returns {target})"
            return [{"path": path, "extensions": extensions, "locations": place, "message": reason}]
        return self.check(target, item.selections, path)


class _Runner:
    """Resolves what was asked for."""

    def __init__(self, context: Context, document: Document, variables: Record) -> None:
        self.context = context
        self.document = document
        self.variables = variables
        self.errors: list[Record] = []

    def object(self, kind: str, value: Any, selections: list[Field | Spread], path: list[str | int]) -> Record:
        shown: Record = {}
        for item in selections:
            if isinstance(item, Spread):
                fragment = self.document.fragments[item.fragment] if item.fragment else item
                if fragment.on in {None, kind} or kind in ABSTRACT.get(fragment.on or "", ()):
                    shown |= self.object(kind, value, fragment.selections, path)
            elif item.name == "__typename":
                shown[item.alias] = kind
            else:
                shown[item.alias] = self._field(kind, value, item, [*path, item.alias])
        return shown

    def _field(self, kind: str, value: Any, item: Field, path: list[str | int]) -> Any:
        target, resolve = SCHEMA[kind][item.name]
        try:
            found = resolve(self.context, value, self._filled(item.arguments))
        except GraphError as error:
            place = [{"line": item.at[0], "column": item.at[1]}]
            self.errors.append({"type": error.kind, "path": path, "locations": place, "message": str(error)})
            return None
        return self._shown(target, found, item, path)

    def _shown(self, target: str, found: Any, item: Field, path: list[str | int]) -> Any:
        if found is None or not item.selections:
            return found
        if isinstance(found, list):
            return [self._shown(target, entry, item, [*path, number]) for number, entry in enumerate(found)]
        if target in ABSTRACT:
            target, found = found["__type"], found["value"]
        return self.object(target, found, item.selections, path)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, Variable):
            return self.variables.get(value.name)
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        return value
