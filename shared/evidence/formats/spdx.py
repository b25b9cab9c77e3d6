"""Reads SPDX 2 documents, JSON and tag-value: https://spdx.github.io/spdx-spec/v2.3/"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from shared.errors import RefusedError
from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.schemas import hold

_NOTHING = frozenset({"", "NOASSERTION", "NONE"})
_TAG = re.compile(r"([A-Za-z]+):[ \t]*(.*)")
_TOOL = re.compile(r"Tool:\s*(.+?)(?:-v?([0-9][^\s-]*))?\s*")
_PURL = re.compile(r"PACKAGE[-_]MANAGER\s+purl\s+(\S+)")
_VERSION = re.compile(r"SPDX-2\.[0-9]+")
_REMEDY = "Write SPDX 2.2 or 2.3 as JSON or tag-value."


def from_json(value: Any, given: Given) -> dict[str, Any]:
    """The packages with their licences."""
    hold(value, "spdx")
    tool, version = _tool(value.get("creationInfo", {}).get("creators", ()))
    return {"tool": tool, "tool_version": version, "components": [_package(each) for each in value["packages"]]}


def from_text(text: str, given: Given) -> dict[str, Any]:
    """The same from tag-value."""
    packages: list[dict[str, Any]] = []
    creators: list[str] = []
    version = ""
    for tag, value in _pairs(text):
        if tag == "SPDXVersion":
            version = value
        elif tag == "Creator":
            creators.append(value)
        elif tag == "PackageName":
            packages.append({"name": value})
            if len(packages) > LIMITS.items:
                raise RefusedError(f"the report holds more than {LIMITS.items} packages", "Send it in parts.")
        elif packages:
            _add(packages[-1], tag, value)
    if not _VERSION.fullmatch(version):
        raise RefusedError(f"SPDX {version[:20]!r} is not read", _REMEDY)
    tool, tool_version = _tool(creators)
    return {"tool": tool, "tool_version": tool_version, "components": [_package(each) for each in packages]}


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    within = ""
    for number, line in enumerate(text.splitlines(), 1):
        if within:
            within = "" if "</text>" in line else within
            continue
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _TAG.fullmatch(line.strip())
        if not found:
            raise RefusedError(f"line {number} of the document is no tag and value: {line[:80]!r}", _REMEDY)
        if "<text>" in found[2] and "</text>" not in found[2]:
            within = found[1]
            continue
        yield found[1], found[2].removeprefix("<text>").removesuffix("</text>").strip()
    if within:
        raise RefusedError(f"the text of {within} does not end", _REMEDY)


def _add(package: dict[str, Any], tag: str, value: str) -> None:
    if tag == "PackageVersion":
        package["versionInfo"] = value
    elif tag == "PackageLicenseConcluded":
        package["licenseConcluded"] = value
    elif tag == "PackageLicenseDeclared":
        package["licenseDeclared"] = value
    elif tag == "ExternalRef" and (found := _PURL.match(value)):
        package["externalRefs"] = [{"referenceType": "purl", "referenceLocator": found[1]}]


def _package(each: Mapping[str, Any]) -> dict[str, Any]:
    purls = [ref["referenceLocator"] for ref in each.get("externalRefs", ()) if ref["referenceType"] == "purl"]
    licences = (each.get("licenseConcluded", ""), each.get("licenseDeclared", ""))
    known = [licence for licence in licences if licence not in _NOTHING]
    return {
        "name": each["name"],
        "version": each.get("versionInfo", ""),
        "purl": purls[0] if purls else "",
        # What was concluded stands above what the package says of itself.
        "licences": known[:1],
    }


def _tool(creators: Iterable[str]) -> tuple[str, str]:
    for creator in creators:
        if found := _TOOL.fullmatch(creator):
            return found[1], found[2] or ""
    return "", ""
