"""Writes the HTTP API's page from the OpenAPI document that the app itself serves."""

from __future__ import annotations

import json
from typing import Any

from docs.generators.markdown import code, page, prose, table
from functions.openapi import document

AREAS = {
    "projects": "Projects",
    "adoptions": "Adoptions",
    "stale": "Empty and stale projects",
    "portfolios": "Portfolios",
    "scaffold-updates": "Scaffold updates",
    "evidence": "Evidence",
    "view": "Signed links",
    "connections": "Connections",
    "github-app": "GitHub App registration",
    "reviews": "Reviews",
    "agents": "Agents",
    "policies": "Policies",
    "webhooks": "Webhooks",
    "deliveries": "Deliveries",
    "audit": "Record",
    "openapi.json": "Description",
    "health": "Health",
}
SECURITY = {
    "functionKey": "a function key: header `x-functions-key`, or `?code=`",
    "githubSignature": "GitHub's signature: header `X-Hub-Signature-256`",
    "azureDevOps": "basic authentication with the shared secret as password, or header `X-Doneright-Secret`",
}
INTRODUCTION = (
    "The same description is served at `/api/openapi.json` and kept beside this page as\n"
    "[openapi.json](openapi.json) (OpenAPI 3.1). A refusal is `application/problem+json` (RFC 9457), with a remedy where\n"
    "there is one and every field at fault; who asks for HTML, as browsers do, gets the same as a page. A function key\n"
    "that is missing or wrong is refused by the host itself, with an empty body."
)
_REFERENCE = "#/components/schemas/"


def openapi() -> str:
    """The OpenAPI document as text that only changes when the API does."""
    return json.dumps(document(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def reference() -> str:
    """The page ``api.md``. Raises ``KeyError`` when the document has an area without a title here."""
    described = document()
    by_area: dict[str, list[str]] = {area: [] for area in AREAS}
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            by_area[operation["tags"][0]].append(_operation(method, path, operation))
    blocks = [text for area, title in AREAS.items() for text in (f"## {title}", *by_area[area])]
    schemas = described["components"]["schemas"]
    blocks.append("## Schemas")
    blocks += [_schema(name, schemas[name]) for name in sorted(schemas, key=str.lower)]
    return page("HTTP API", INTRODUCTION, blocks)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    lines = [f"### `{method.upper()} {path}`", prose(operation["summary"]) + "."]
    wanted = [SECURITY[name] for scheme in operation["security"] for name in scheme]
    lines.append(f"**Authentication:** {wanted[0] if wanted else 'none'}.")
    if parameters := operation.get("parameters"):
        rows = [
            (
                code(p["name"]),
                p["in"],
                _type(p["schema"]),
                _default(p["schema"]) or ("required" if p.get("required") else ""),
                p.get("description", ""),
            )
            for p in parameters
        ]
        lines.append(table(("Parameter", "In", "Type", "Default", "Meaning"), rows))
    if body := operation.get("requestBody"):
        lines.append(f"**Body:** {_body(body['content'])}")
    answers = [(status, _answer(answer), answer["description"]) for status, answer in operation["responses"].items()]
    lines.append(table(("Answer", "Body", "Meaning"), answers))
    return "\n\n".join(lines)


def _body(content: dict[str, Any]) -> str:
    """JSON by its model alone, as nearly every body is; others by their media types."""
    if "application/json" in content:
        return _type(content["application/json"]["schema"])
    return ", ".join(code(kind) for kind in content)


def _answer(answer: dict[str, Any]) -> str:
    return ", ".join(_type(content["schema"]) for content in answer["content"].values())


def _schema(name: str, schema: dict[str, Any]) -> str:
    lines = [f"### {name}"]
    if text := schema.get("description"):
        lines.append(prose(text))
    if "enum" in schema:
        lines.append("One of: " + ", ".join(code(str(value)) for value in schema["enum"]) + ".")
    elif properties := schema.get("properties"):
        required = set(schema.get("required", ()))
        rows = [
            (
                code(field),
                _type(sub),
                _default(sub) or ("required" if field in required else ""),
                " ".join(filter(None, (sub.get("description", ""), _limits(sub)))),
            )
            for field, sub in properties.items()
        ]
        lines.append(table(("Field", "Type", "Default", "Meaning"), rows))
    else:
        lines.append(_type(schema) or "Any JSON value.")
    return "\n\n".join(lines)


def _type(schema: dict[str, Any]) -> str:
    if reference := schema.get("$ref"):
        name = reference.removeprefix(_REFERENCE)
        return f"[{name}](#{name.lower()})"
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(_type(option) for option in schema[union])
    values = [json.dumps(schema["const"])] if "const" in schema else schema.get("enum", ())
    return " or ".join(code(str(value)) for value in values) or _named_type(schema)


def _named_type(schema: dict[str, Any]) -> str:
    match schema.get("type"):
        case "array":
            return f"list of {_type(schema.get('items', {})) or 'values'}"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return f"object of {_type(schema['additionalProperties']) or 'values'}"
        case str(kind):
            named = str(schema.get("format", kind))
            return {"string": "text", "null": "none", "date-time": "time"}.get(named, named)
        case _:
            return ""


def _default(schema: dict[str, Any]) -> str:
    return code(json.dumps(schema["default"])) if "default" in schema else ""


def _limits(schema: dict[str, Any]) -> str:
    words = {
        "minimum": "at least {}",
        "maximum": "at most {}",
        "minLength": "{} characters or more",
        "maxLength": "{} characters or fewer",
    }
    found = [text.format(schema[name]) for name, text in words.items() if name in schema]
    if pattern := schema.get("pattern"):
        found.append(f"matches {code(pattern)}")
    return f"({', '.join(found)})" if found else ""
