"""Knows which resource locations exist, their ids, route templates and versions, and matches paths to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

LATEST_VERSION = "7.2"
_TABLE = Path(__file__).with_name("locations.tsv")
_CATCH_ALL = "{*"


@dataclass(frozen=True)
class Location:
    """One resource location as `OPTIONS _apis` reports it; `route` is the template after `_apis/` with names filled in."""

    id: str
    area: str
    resource: str
    template: str
    version: int
    minimum: str
    maximum: str
    released: str

    @property
    def route(self) -> str:
        """The key handlers register under, such as `git/repositories/{repositoryId}/pushes/{pushId}`."""
        after = self.template.split("_apis/", 1)[1]
        return after.replace("{area}", self.area).replace("{resource}", self.resource)

    def as_json(self) -> dict[str, Any]:
        """The entry of the OPTIONS answer."""
        return {
            "id": self.id,
            "area": self.area,
            "resourceName": self.resource,
            "routeTemplate": self.template,
            "resourceVersion": self.version,
            "minVersion": self.minimum,
            "maxVersion": self.maximum,
            "releasedVersion": self.released,
        }


@cache
def locations() -> tuple[Location, ...]:
    """Every location of the table."""
    rows = [line.split("|") for line in _TABLE.read_text(encoding="utf-8").splitlines() if line]
    return tuple(Location(i, a, r, t, int(v), lo, hi, rel) for a, r, i, t, v, lo, hi, rel in rows)


@dataclass(frozen=True)
class Match:
    """A route found for a path, with the location that decides its versions."""

    route: str
    location: Location
    values: dict[str, str]
    scope: tuple[str, ...]
    """The segments before `_apis`: nothing, project, or project and team."""


def _pattern(route: str) -> re.Pattern[str]:
    parts = []
    for segment in route.strip("/").split("/"):
        if segment.startswith(_CATCH_ALL):
            parts.append(f"(?:/(?P<{segment[2:-1]}>.+?))?")
        elif segment.startswith("{"):
            parts.append(f"(?:/(?P<{segment[1:-1]}>[^/]+))?")
        elif "{" in segment:
            head, name = segment.split("{")
            parts.append(f"/{re.escape(head)}(?P<{name[:-1]}>[^/]+)")
        else:
            parts.append("/" + re.escape(segment))
    return re.compile("^" + "".join(parts) + "/?$", re.IGNORECASE)


def _specificity(route: str) -> tuple[int, int, int]:
    segments = route.strip("/").split("/")
    literal = sum(not s.startswith("{") for s in segments)
    wild = sum(s.startswith(_CATCH_ALL) for s in segments)
    return (-literal, wild, len(segments))


@cache
def _routes() -> dict[str, list[tuple[str, re.Pattern[str], Location]]]:
    """Routes by their first segment, the most specific first, each once."""
    table: dict[str, dict[str, Location]] = {}
    for location in locations():
        first = location.route.split("/")[0].lower()
        table.setdefault(first, {}).setdefault(location.route, location)
    return {
        first: sorted(((r, _pattern(r), loc) for r, loc in routes.items()), key=lambda item: _specificity(item[0]))
        for first, routes in table.items()
    }


def match(raw_path: str) -> Match | None:
    """The route of a still percent-encoded path after the organization, or None when there is no such location."""
    before, marker, after = raw_path.partition("/_apis")
    if not marker:
        before, marker, after = _partition_ignoring_case(raw_path)
    if not marker or not after.startswith("/"):
        return None
    scope = tuple(unquote(part) for part in before.strip("/").split("/") if part)
    first = after.strip("/").split("/")[0].lower()
    for route, pattern, location in _routes().get(first, []):
        found = pattern.match(after)
        if found and len(scope) <= 2:
            values = {k: unquote(v) for k, v in found.groupdict().items() if v is not None}
            return Match(route, location, values, scope)
    return None


def _partition_ignoring_case(path: str) -> tuple[str, str, str]:
    at = path.lower().find("/_apis")
    return (path, "", "") if at < 0 else (path[:at], path[at : at + 6], path[at + 6 :])
