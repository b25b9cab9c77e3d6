"""Holds requests to the official REST specification: known path and method, api-version, body of the right shape."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from local.sandbox.azure_devops.app import asked_version

_AT_HOME = Path(__file__).parents[3].parent / "shared" / "contracts"
# Served by the real service and used by its own clients, but in no published specification.
_UNPUBLISHED = re.compile(
    r"^/[^/]+/_apis(/(connectiondata|resourceareas|identities|userentitlements|operations)(/.*)?)?$|/_apis/(build/authorizedresources|distributedtask/queues|notification/subscriptions|securitynamespaces)",
    re.IGNORECASE,
)
_MERGED = ("application/json-patch+json",)


def contracts_folder() -> Path:
    """Where the specifications are: DONERIGHT_CONTRACTS, or beside the repository."""
    return Path(os.environ.get("DONERIGHT_CONTRACTS") or _AT_HOME)


class Specification:
    """One area's document; read when first needed."""

    def __init__(self, path: Path) -> None:
        """Read `path`."""
        self.document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))

    def operations(self) -> Iterator[tuple[re.Pattern[str], int, str, dict[str, Any]]]:
        """Path pattern, number of literal segments, method and operation of each."""
        for table in ("paths", "x-ms-paths"):
            for template, methods in self.document.get(table, {}).items():
                for method, operation in methods.items():
                    if isinstance(operation, dict):
                        pattern, literal = _pattern(template.partition("?")[0], _optional(operation))
                        yield pattern, literal, method.upper(), operation

    def body_problems(self, operation: dict[str, Any], body: bytes) -> list[str]:
        """What is wrong with a body."""
        parameter = next((p for p in operation.get("parameters", []) if p.get("in") == "body"), None)
        if parameter is None:
            return []
        if not body:
            return ["body: required"] if parameter.get("required") else []
        try:
            value = json.loads(body)
        except ValueError as error:
            return [f"body: not JSON ({error})"]
        return list(self._check(parameter["schema"], value, "body"))

    def _check(self, schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            yield from self._check(self.document["definitions"].get(name, {}), value, where)
            return
        if value is None:
            return
        properties = self._properties(schema)
        if properties is not None and schema.get("type", "object") == "object":
            if not isinstance(value, dict):
                yield f"{where}: an object is expected"
                return
            # The published Change<T> lost its type parameter: T became string, though every T is an object.
            known = {
                name.lower(): sub
                for name, sub in properties.items()
                if not (name == "item" and "changeType" in properties)
            }
            for name, item in value.items():
                if name.lower() in known:
                    yield from self._check(known[name.lower()], item, f"{where}.{name}")
            return
        yield from self._check_plain(schema, value, where)

    def _check_plain(self, schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
        kinds: dict[str, tuple[type, ...]] = {
            "string": (str,),
            "integer": (int,),
            "number": (int, float),
            "boolean": (bool,),
            "array": (list,),
        }
        kind = schema.get("type")
        if kind == "array" and isinstance(value, list):
            for number, item in enumerate(value):
                yield from self._check(schema.get("items", {}), item, f"{where}[{number}]")
            return
        allowed = schema.get("enum")
        if allowed and isinstance(value, str):
            names = {str(a).lower() for a in allowed}
            # Flags are sent as a comma separated list.
            if any(part.strip().lower() not in names for part in value.split(",")):
                yield f"{where}: {value!r} is none of {', '.join(map(str, allowed))}"
            return
        wrong = kind in kinds and not isinstance(value, kinds[kind])
        if (
            wrong
            and not (allowed and isinstance(value, int))
            and not (kind == "string" and schema.get("format") and isinstance(value, str))
        ):
            yield f"{where}: {kind} is expected, not {type(value).__name__}"

    def _properties(self, schema: dict[str, Any], depth: int = 0) -> dict[str, Any] | None:
        if "$ref" in schema:
            schema = self.document["definitions"].get(schema["$ref"].rsplit("/", 1)[1], {})
        found: dict[str, Any] = {}
        for part in schema.get("allOf", []):
            if depth < 10:
                found |= self._properties(part, depth + 1) or {}
        found |= schema.get("properties", {})
        return found or None


def _optional(operation: dict[str, Any]) -> frozenset[str]:
    """Names of the path parameters that the service does without, whatever Swagger demands of its documents."""
    return frozenset(
        str(parameter.get("name"))
        for parameter in operation.get("parameters", [])
        if parameter.get("in") == "path" and parameter.get("x-ms-required") is False
    )


def _pattern(template: str, optional: frozenset[str] = frozenset()) -> tuple[re.Pattern[str], int]:
    parts = []
    literal = 0
    segments = template.strip("/").split("/")
    for place, segment in enumerate(segments, 1):
        name = segment[1:-1] if segment.startswith("{") and segment.endswith("}") else None
        if name in {"project", "team"}:
            # The specification names them everywhere; the service also serves addresses without them.
            parts.append("(?:/[^/]+)?")
        elif name is not None:
            one = "/.+?" if name in {"path", "query", "tagName", "teamId"} else "/[^/]+"
            # What stands after an empty segment could not be told from it; so only the last may be left out.
            parts.append(f"(?:{one})?" if name in optional and place == len(segments) else one)
        else:
            literal += 1
            parts.append("/" + re.sub(r"\\\{.+?\\\}", "[^/]+", re.escape(segment)))
    return re.compile("^" + "".join(parts) + "/?$", re.IGNORECASE), literal


class AzureDevOpsContract:
    """The published specification of every area in a folder."""

    def __init__(self, folder: Path) -> None:
        """Index `folder` (…/azure_devops/swagger) when the first request comes."""
        self.folder = folder

    @property
    def index(self) -> list[tuple[re.Pattern[str], int, str, Specification, dict[str, Any]]]:
        """Every operation, the most literal paths first."""
        return _index(self.folder)

    def check(
        self, method: str, path: str, query: Mapping[str, list[str]], headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """Name each way in which a request violates the specification."""
        if method == "OPTIONS" or path.startswith("/_") or (_UNPUBLISHED.search(path) and method == "GET"):
            return []
        known = [entry for entry in self.index if entry[0].match(path)]
        if not known and not _UNPUBLISHED.search(path):
            return [f"path: {path} is not in the specification"]
        candidates = [entry for entry in known if entry[2] == method]
        if known and not candidates:
            methods = ", ".join(sorted({entry[2] for entry in known}))
            return [f"method: {method} is not specified for {path}, only {methods}"]
        problems = []
        flat = {name.lower(): values[-1] for name, values in query.items() if values}
        if asked_version(dict(headers), flat) is None:
            problems.append("api-version: required, in the Accept header or the query")
        best = [entry for entry in candidates if entry[1] == candidates[0][1]] if candidates else []
        if best:
            # Overloads share a path: a body right for one of them is right.
            found = [specification.body_problems(operation, body) for _, _, _, specification, operation in best]
            problems += sorted(found, key=len)[0]
            problems += _content_type(method, headers, best[0][4])
        return problems


def _content_type(method: str, headers: Mapping[str, str], operation: dict[str, Any]) -> list[str]:
    wanted = operation.get("consumes") or []
    given = headers.get("content-type", "").split(";")[0].strip().lower()
    if method in {"POST", "PATCH", "PUT"} and wanted == list(_MERGED) and given not in _MERGED:
        return [f"content-type: {_MERGED[0]} is expected, not {given or 'nothing'}"]
    return []


@cache
def _index(folder: Path) -> list[tuple[re.Pattern[str], int, str, Specification, dict[str, Any]]]:
    found = []
    for path in sorted(folder.glob("*/*.json")):
        specification = Specification(path)
        found += [
            (pattern, literal, method, specification, operation)
            for pattern, literal, method, operation in specification.operations()
        ]
    return sorted(found, key=lambda entry: -entry[1])


def load(folder: Path | None = None) -> AzureDevOpsContract:
    """The contract; raises FileNotFoundError naming where it was looked for."""
    swagger = (folder or contracts_folder()) / "azure_devops" / "swagger"
    if not any(swagger.glob("*/*.json")):
        raise FileNotFoundError(
            f"no specification of Azure DevOps in {swagger}: set DONERIGHT_CONTRACTS to the contracts folder"
        )
    return AzureDevOpsContract(swagger)
