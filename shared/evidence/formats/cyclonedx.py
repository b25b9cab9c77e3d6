"""Reads CycloneDX bills of materials, JSON and XML: https://cyclonedx.org/specification/overview/"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from shared.errors import RefusedError
from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.schemas import hold
from shared.evidence.severities import of_word
from shared.evidence.trees import Element, tree

_VERSION = re.compile(r"1\.([0-9]{1,2})")
_NAMESPACE = re.compile(r"http://cyclonedx\.org/schema/bom/1\.([0-9]{1,2})")
_SCHEMA_OF = 6
"""The minor version of the schema at hand. It takes every earlier document; a later one may hold more."""


def from_json(value: Any, given: Given) -> dict[str, Any]:
    """Components with their licences, and vulnerabilities where the tool put them in."""
    version = _VERSION.fullmatch(str(value.get("specVersion", "")))
    if not version:
        raise RefusedError("the bill of materials says no specVersion of CycloneDX 1", "Write CycloneDX 1.2 to 1.7.")
    hold(value, "cyclonedx" if int(version[1]) <= _SCHEMA_OF else "cyclonedx_read")
    components: list[dict[str, Any]] = []
    _walk(value.get("components", ()), components)
    names = {ref: each["name"] for each in components if (ref := each.pop("ref"))}
    tool, tool_version = _tool(value.get("metadata", {}).get("tools", ()))
    findings = [_vulnerability(each, names) for each in value.get("vulnerabilities", ())]
    return {"tool": tool, "tool_version": tool_version, "components": components, "findings": findings}


def from_xml(content: bytes, given: Given) -> dict[str, Any]:
    """The same from XML."""
    root = tree(content)
    if root.name != "bom" or not _NAMESPACE.fullmatch(root.namespace):
        raise RefusedError("the bill of materials is in no namespace of CycloneDX 1", "Write CycloneDX 1.2 to 1.7.")
    components: list[dict[str, Any]] = []
    for held in root.all("components"):
        _walk_elements(held, components)
    tools = [tool for metadata in root.all("metadata") for held in metadata.all("tools") for tool in _tools(held)]
    first = tools[0] if tools else None
    return {
        "tool": first.text_of("name") if first else "",
        "tool_version": first.text_of("version") if first else "",
        "components": components,
    }


def _walk(components: Iterable[Mapping[str, Any]], found: list[dict[str, Any]]) -> None:
    for each in components:
        group, name = each.get("group"), each["name"]
        found.append(
            {
                "name": f"{group}/{name}" if group else name,
                "version": each.get("version", ""),
                "purl": each.get("purl", ""),
                "licences": [text for choice in each.get("licenses", ()) if (text := _licence(choice))],
                "ref": each.get("bom-ref", ""),
            }
        )
        _walk(each.get("components", ()), found)


def _licence(choice: Mapping[str, Any]) -> str:
    named = choice.get("license", {})
    text: str = choice.get("expression") or named.get("id") or named.get("name") or ""
    return text


def _tool(tools: Any) -> tuple[str, str]:
    """1.5 made an object of what was a list."""
    listed = tools if not isinstance(tools, dict) else [*tools.get("components", ()), *tools.get("services", ())]
    first: Mapping[str, Any] = next(iter(listed), {})
    return first.get("name", ""), first.get("version", "")


def _vulnerability(each: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    ratings = [str(rating["severity"]) for rating in each.get("ratings", ()) if rating.get("severity")]
    worst = ratings[0] if ratings else ""
    hit = ", ".join(names.get(affected["ref"], affected["ref"]) for affected in each.get("affects", ()))
    told = each.get("description") or each.get("detail") or ""
    return {
        "rule": each.get("id") or "vulnerability",
        "severity": of_word(worst),
        "source_severity": worst,
        "message": (f"{hit}: {told}" if hit else told)[: LIMITS.text],
        "help_url": each.get("source", {}).get("url", ""),
        "suppressed": each.get("analysis", {}).get("state") in {"false_positive", "not_affected", "resolved"},
    }


def _walk_elements(held: Element, found: list[dict[str, Any]]) -> None:
    for each in held.all("component"):
        name = each.text_of("name")
        if not name:
            raise RefusedError("a component of the bill of materials has no name", "Name it.")
        group = each.text_of("group")
        found.append(
            {
                "name": f"{group}/{name}" if group else name,
                "version": each.text_of("version"),
                "purl": each.text_of("purl"),
                "licences": [text for choice in each.all("licenses") for text in _licences(choice)],
            }
        )
        for below in each.all("components"):
            _walk_elements(below, found)


def _licences(choice: Element) -> Iterable[str]:
    for each in choice.children:
        text = each.text.strip() if each.name == "expression" else each.text_of("id") or each.text_of("name")
        if text:
            yield text


def _tools(held: Element) -> list[Element]:
    return held.all("tool") or [
        each for kind in ("components", "services") for part in held.all(kind) for each in part.children
    ]
