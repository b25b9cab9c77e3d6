"""Decides by its content alone which format a report is in; a file's name and media type are what a sender claims."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from shared.domain.evidence import EvidenceFormat
from shared.errors import RefusedError
from shared.evidence.opening import XmlReader, json_of, text_of

type Shape = Literal["json", "xml", "text"]
MEDIA_TYPES: Mapping[Shape, str] = {"json": "application/json", "xml": "application/xml", "text": "text/plain"}
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LOOKED_AT = 64 * 1024
_KNOWN = (
    "SARIF 2.1.0, SonarQube's web API, JUnit, Cobertura, LCOV, CycloneDX, SPDX 2, k6, Locust, JMeter, axe-core, "
    "Lighthouse, ZAP and Playwright are read."
)


class Recognised(NamedTuple):
    """A report whose format is known; JSON is read, all else is as it came."""

    format: EvidenceFormat
    shape: Shape
    content: Any


def recognised(content: bytes) -> Recognised:
    """The format of ``content``. Raises ``RefusedError`` when it is none that is read, or no JSON, XML or text."""
    first = content.lstrip(b"".join(_MARKS) + b" \t\r\n\0")[:1]
    if first in {b"{", b"["}:
        value = json_of(content)
        return Recognised(_of_json(value), "json", value)
    if first == b"<":
        return Recognised(_of_xml(content), "xml", content)
    text = text_of(content)
    return Recognised(_of_text(text), "text", text)


def _has(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda value: all(name in value for name in names)


def _listed(name: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda value: isinstance(value.get(name), list)


_OBJECTS: tuple[tuple[EvidenceFormat, Callable[[Mapping[str, Any]], bool]], ...] = (
    (EvidenceFormat.SARIF, lambda value: "runs" in value and "version" in value),
    (EvidenceFormat.CYCLONEDX, lambda value: value.get("bomFormat") == "CycloneDX"),
    (EvidenceFormat.SPDX, _has("spdxVersion")),
    (EvidenceFormat.LIGHTHOUSE, _has("lighthouseVersion", "audits")),
    (EvidenceFormat.AXE, lambda value: "violations" in value and ("testEngine" in value or "passes" in value)),
    (EvidenceFormat.ZAP, lambda value: "site" in value and ("@version" in value or "@programName" in value)),
    (EvidenceFormat.PLAYWRIGHT, lambda value: "suites" in value and ("stats" in value or "config" in value)),
    (EvidenceFormat.K6, lambda value: isinstance(value.get("metrics"), dict)),
    (EvidenceFormat.SONARQUBE, lambda value: "projectStatus" in value or _measured(value)),
    (EvidenceFormat.SONARQUBE, lambda value: _listed("issues")(value) and ("paging" in value or "total" in value)),
)


def _measured(value: Mapping[str, Any]) -> bool:
    component = value.get("component")
    return isinstance(component, dict) and "measures" in component


_ENTRIES: tuple[tuple[EvidenceFormat, Callable[[Mapping[str, Any]], bool]], ...] = (
    (EvidenceFormat.AXE, _has("violations")),
    (EvidenceFormat.LOCUST, _has("num_requests", "response_times")),
)

_ROOTS: Mapping[str, EvidenceFormat] = {
    "testsuites": EvidenceFormat.JUNIT,
    "testsuite": EvidenceFormat.JUNIT,
    "coverage": EvidenceFormat.COBERTURA,
    "bom": EvidenceFormat.CYCLONEDX,
    "testResults": EvidenceFormat.JMETER,
    "OWASPZAPReport": EvidenceFormat.ZAP,
}

_TEXTS: tuple[tuple[EvidenceFormat, re.Pattern[str]], ...] = (
    (EvidenceFormat.SPDX, re.compile(r"^SPDXVersion:", re.MULTILINE)),
    (EvidenceFormat.LCOV, re.compile(r"^SF:.", re.MULTILINE)),
    (EvidenceFormat.JMETER, re.compile(r'\A"?timeStamp"?,"?elapsed"?,')),
    (EvidenceFormat.LOCUST, re.compile(r'\A"?Type"?,"?Name"?,"?(?:# requests|Request Count)"?,', re.IGNORECASE)),
)


def _of_json(value: Any) -> EvidenceFormat:
    if isinstance(value, dict):
        return _first(_OBJECTS, value)
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        return _first(_ENTRIES, value[0])
    raise _unknown("it is a JSON list of nothing that is known")


def _first(
    rules: tuple[tuple[EvidenceFormat, Callable[[Mapping[str, Any]], bool]], ...], value: Mapping[str, Any]
) -> EvidenceFormat:
    for name, holds in rules:
        if holds(value):
            return name
    members = ", ".join(sorted(value)[:8])
    raise _unknown(f"a JSON object with the members {members[:200] or 'none'}")


class _Root(Exception):  # noqa: N818 - not an error: it ends the reading
    def __init__(self, name: str) -> None:
        self.name = name


def _of_xml(content: bytes) -> EvidenceFormat:
    def found(name: str, _: dict[str, str]) -> None:
        raise _Root(name)

    try:
        XmlReader(found).read(content)
    except _Root as root:
        name = root.name.rpartition(":")[2]
        if name in _ROOTS:
            return _ROOTS[name]
        raise _unknown(f"an XML document <{name[:80]}>") from None
    raise _unknown("an XML document without an element")


def _of_text(text: str) -> EvidenceFormat:
    beginning = text[:_LOOKED_AT]
    for name, pattern in _TEXTS:
        if pattern.search(beginning):
            return name
    raise _unknown("text of a kind that is not known")


def _unknown(what: str) -> RefusedError:
    return RefusedError(f"the report is in no format that is read: {what}", _KNOWN)
