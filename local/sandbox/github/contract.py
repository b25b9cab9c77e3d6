"""Holds requests to GitHub's published OpenAPI description: path, method, query and body."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from local.sandbox.github.hub import Record

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "node_modules/@octokit/openapi/generated/api.github.com.json"
_URI = "urn:github"
_MULTI_SEGMENT = frozenset({"path", "ref", "branch", "basehead", "dir", "tree_sha", "ref_name"})
# Addresses GitHub answers and PyGithub asks, which its description has dropped or never held.
_UNDOCUMENTED = re.compile(r"/repos/[^/]+/[^/]+/(statuses/[^/]+|git/refs(/.+)?|contents)|/users/[^/]+/installation")
# In GitHub's whole description, but not in the excerpt of the contracts folder.
_BEYOND_EXCERPT = re.compile(
    r"get /(user/orgs|user/memberships/orgs/[^/]+|apps/[^/]+|users/[^/]+/repos)|post /app-manifests/[^/]+/conversions"
)
# Asked by browsers or by GraphQL clients, which have contracts of their own.
_ELSEWHERE = re.compile(r"/(graphql|api/graphql|zen|_archive/.*|(?!repos/)[^/]+/[^/]+/raw/.+)$")


def subset_path() -> Path:
    """Where the contracts folder holds GitHub's part."""
    folder = os.environ.get("DONERIGHT_CONTRACTS")
    return (Path(folder) if folder else ROOT.parent / "shared/contracts") / "github/openapi.subset.json"


def find() -> Path:
    """The description to use: the npm package's, else the contracts folder's. Raises FileNotFoundError."""
    for path in (PACKAGE, subset_path()):
        if path.exists():
            return path
    raise FileNotFoundError(f"no GitHub OpenAPI description: neither {PACKAGE} (run npm ci) nor {subset_path()}")


@functools.cache
def load(path: Path | None = None) -> OpenApiContract:
    """The contract read from `path` (found when None), once a process. Raises FileNotFoundError."""
    return OpenApiContract(json.loads((path or find()).read_text(encoding="utf-8")))


class OpenApiContract:
    """A Contract read from an OpenAPI 3.0 description; schemas are compiled when first needed."""

    def __init__(self, document: Record) -> None:
        """Index the paths of `document`."""
        self._document = document
        resource = DRAFT4.create_resource(document)
        self._registry: Registry[Any] = Registry().with_resource(_URI, resource)
        self._validators: dict[str, Any] = {}
        # The end of a path sorts last, so that "{branch}/protection" is tried before "{branch}".
        ordered = sorted(
            document["paths"], key=lambda p: [*(("{" in part, part) for part in p.split("/")), (True, "~")]
        )
        self._paths = [(self._pattern(path), path) for path in ordered]
        self._fixed = {path for path in document["paths"] if "{" not in path}

    @staticmethod
    def _pattern(path: str) -> re.Pattern[str]:
        def part(match: re.Match[str]) -> str:
            return "(?:.*)" if match[1] in _MULTI_SEGMENT else "(?:[^/]+)"

        pieces = re.split(r"(\{\w+\})", path)
        return re.compile("".join(re.sub(r"\{(\w+)\}", part, p) if p.startswith("{") else re.escape(p) for p in pieces))

    def operation(self, method: str, path: str) -> tuple[str, Record] | None:
        """The path template and operation that a request means; None when there is none."""
        if path in self._fixed:
            found = self._document["paths"][path].get(method)
            return (path, found) if found else None
        for pattern, template in self._paths:
            if pattern.fullmatch(path):
                found = self._document["paths"][template].get(method)
                if found:
                    return template, found
        return None

    def check(
        self, method: str, path: str, query: Mapping[str, list[str]], headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """Each violation in words; see local.sandbox.contract.Contract."""
        path = path.removeprefix("/api/v3") or "/"
        if _ELSEWHERE.search(path) or headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return []
        verb = "get" if method == "HEAD" else method.lower()
        if verb == "get" and _UNDOCUMENTED.fullmatch(path):
            return []
        found = self.operation(verb, path)
        if found is None:
            if _BEYOND_EXCERPT.fullmatch(f"{verb} {path}"):
                return []
            return [f"{method} {path} is not in GitHub's API description"]
        template, operation = found
        return [*self._query(template, operation, query), *self._body(template, verb, operation, body)]

    def _query(self, template: str, operation: Record, query: Mapping[str, list[str]]) -> list[str]:
        shared = self._document["paths"][template].get("parameters", [])
        known = {
            p["name"]: p for p in map(self._resolved, [*shared, *operation.get("parameters", [])]) if p["in"] == "query"
        }
        violations = [f"query parameter {name} is not known" for name in query if name not in known]
        violations += [
            f"query parameter {n} is required" for n, p in known.items() if p.get("required") and n not in query
        ]
        for name, values in query.items():
            schema = self._resolved(known.get(name, {}).get("schema", {}))
            for value in values if name in known else ():
                typed = _typed(value, schema.get("type"))
                errors = self._errors(f"query {template} {name}", schema, typed)
                violations += [f"query parameter {name}: {error}" for error in errors]
        return violations

    def _body(self, template: str, method: str, operation: Record, body: bytes) -> list[str]:
        described = self._resolved(operation.get("requestBody", {}))
        content = described.get("content", {}).get("application/json")
        if not body:
            return ["a body is required"] if described.get("required") and _demands(content) else []
        if content is None:
            # Clients send an empty object where nothing is described, and GitHub takes it.
            return (
                []
                if not described and body.strip() in {b"{}", b"null"}
                else (["no body is described"] if not described else [])
            )
        try:
            value = json.loads(body)
        except ValueError as error:
            return [f"the body is not JSON: {error}"]
        return [
            f"body{error}" for error in self._errors(f"body {method} {template}", content["schema"], _as_read(value))
        ]

    def _resolved(self, node: Record) -> Record:
        while "$ref" in node:
            found: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            node = found
        return node

    def _errors(self, key: str, schema: Record, value: Any, *, answered: bool = False) -> list[str]:
        if key not in self._validators:
            validator = OAS30ReadValidator if answered else OAS30WriteValidator
            self._validators[key] = validator(_absolute(schema), registry=self._registry)
        # "nullable" beside oneOf or enum means null is fine, which the validator overlooks.
        # A oneOf without inner errors means that several alternatives fit: the description overlaps, the value is fine.
        found = [
            e
            for e in self._validators[key].iter_errors(value)
            if not (e.instance is None and e.schema.get("nullable")) and (e.validator != "oneOf" or e.context)
        ]
        found.sort(key=lambda e: [str(p) for p in e.absolute_path])
        return ["".join(f".{part}" for part in e.absolute_path) + f": {_told(e)}" for e in found]

    def answer_errors(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """How an answer differs from the description; tests hold the simulator itself to it."""
        found = self.operation(method.lower(), path.removeprefix("/api/v3") or "/")
        if found is None:
            return [f"{method} {path} is not in GitHub's API description"]
        template, operation = found
        described = operation["responses"].get(str(status))
        if described is None:
            return [f"{method} {template}: status {status} is not described"]
        content = self._resolved(described).get("content", {}).get("application/json")
        if content is None or body is None:
            return []
        return self._errors(f"answer {method} {template} {status}", content["schema"], body, answered=True)


# Parts whose null means "none" and which must be sent.
_NULL_MATTERS = frozenset(
    {"required_status_checks", "enforce_admins", "required_pull_request_reviews", "restrictions", "sha"}
)


def _as_read(value: Any) -> Any:
    """A body as GitHub reads it, which is laxer than its description.

    Null counts as absent, a list of label names stands for {"labels": […]}, and `checks` replaces the deprecated
    `contexts`: the real clients rely on all three.
    """
    if isinstance(value, list):
        return {"labels": value} if all(isinstance(item, str) for item in value) else value
    if not isinstance(value, dict):
        return value
    kept = {name: item for name, item in value.items() if item is not None or name in _NULL_MATTERS}
    checks = kept.get("required_status_checks")
    if isinstance(checks, dict):
        filled: Record = {"contexts": []} if "checks" in checks else {}
        kept["required_status_checks"] = {**filled, **{name: item for name, item in checks.items() if item is not None}}
    reviews = kept.get("required_pull_request_reviews")
    if isinstance(reviews, dict):
        kept["required_pull_request_reviews"] = {name: item for name, item in reviews.items() if item is not None}
    return kept


def _told(error: Any) -> str:
    """What is wrong; of alternatives, what the best one lacks."""
    nested = "; ".join(sorted({e.message[:120] for e in error.context or () if e.validator == "required"}))
    return f"{error.message[-200:]} ({nested})" if nested else str(error.message)[:300]


def _demands(content: Record | None) -> bool:
    """Whether a described body has fields that must be there."""
    return bool(content and content["schema"].get("required"))


def _typed(value: str, kind: str | None) -> Any:
    if kind == "integer" and re.fullmatch(r"-?\d+", value):
        return int(value)
    if kind == "boolean" and value in {"true", "false"}:
        return value == "true"
    if kind == "array":
        return value.split(",")
    return value


def _absolute(node: Any) -> Any:
    """A copy whose references name the document, so that they resolve from anywhere."""
    if isinstance(node, dict):
        return {
            key: _URI + value
            if key == "$ref" and isinstance(value, str) and value.startswith("#")
            else _absolute(value)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_absolute(item) for item in node]
    return node
