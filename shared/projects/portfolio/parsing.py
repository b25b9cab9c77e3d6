"""Validates a portfolio's file as a whole: every field of every project at fault is named with its path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from shared.domain.faults import FieldFault, faults_of
from shared.domain.portfolio import MOST_PROJECTS, Portfolio, PortfolioBody, PortfolioEpic
from shared.domain.project import ProjectRequest, slug_of


@dataclass(frozen=True)
class Parsed:
    """What a file says, as far as it is valid."""

    portfolio: Portfolio | None
    """Only where nothing is at fault."""
    id: str
    """Of the portfolio, as far as it can be told; else empty."""
    requests: Mapping[int, ProjectRequest]
    """By place in the file: the projects that are valid by themselves."""
    faults: tuple[FieldFault, ...]


def parse(value: Mapping[str, Any], examples: Mapping[str, str] | None = None) -> Parsed:
    """The portfolio that ``value`` describes, and every fault of it. ``examples`` are for fields of a project."""
    body, faults = _body(value)
    entries = _projects(value)
    defaults = value.get("defaults")
    given = defaults if isinstance(defaults, Mapping) else {}
    requests: dict[int, ProjectRequest] = {}
    for place, entry in enumerate(entries):
        merged = merge(given, entry)
        try:
            requests[place] = ProjectRequest.model_validate(merged)
        except ValidationError as error:
            found = faults_of(error, examples, ProjectRequest)
            faults += [_placed(fault, place, entry, given) for fault in found]
    faults += collisions([entry.get("name") for entry in entries])
    faults += _faults_of_epics(value, [entry.get("name") for entry in entries])
    # A default at fault is one fault, however many projects take it.
    unique = tuple(dict.fromkeys(faults))
    if unique or body is None:
        return Parsed(None, _id(value), requests, unique)
    portfolio = Portfolio(
        id=body.id or slug_of(body.name),
        name=" ".join(body.name.split()),
        connection=body.connection,
        projects=tuple(requests[place] for place in sorted(requests)),
        epics=body.epics,
    )
    return Parsed(portfolio, portfolio.id, requests, ())


def merge(defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """A project with the file's defaults: its own fields win, and within ``rules`` each rule by itself."""
    merged = dict(defaults) | dict(entry)
    if isinstance(defaults.get("rules"), Mapping) and isinstance(entry.get("rules"), Mapping):
        merged["rules"] = dict(defaults["rules"]) | dict(entry["rules"])
    return merged


def collisions(names: Sequence[object]) -> list[FieldFault]:
    """Names that would make the same project id as one before them."""
    first: dict[str, int] = {}
    faults = []
    for place, name in enumerate(names):
        if not isinstance(name, str) or not (slug := slug_of(name)):
            continue
        before = first.setdefault(slug, place)
        if before != place:
            faults.append(
                FieldFault(
                    field=f"projects.{place}.name",
                    problem=f"makes the project id {slug!r}, as projects.{before}.name does",
                    example=f"{name[:60]} 2",
                )
            )
    return faults


def _body(value: Mapping[str, Any]) -> tuple[PortfolioBody | None, list[FieldFault]]:
    try:
        body = PortfolioBody.model_validate(dict(value))
    except ValidationError as error:
        return None, list(faults_of(error, None, PortfolioBody))
    if not body.id and not slug_of(body.name):
        return None, [FieldFault(field="name", problem="has no letter or digit from a-z, 0-9 to make an id of")]
    return body, []


def _id(value: Mapping[str, Any]) -> str:
    given, name = value.get("id"), value.get("name")
    return slug_of(given) if isinstance(given, str) and given else slug_of(name) if isinstance(name, str) else ""


def _projects(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = value.get("projects")
    if not isinstance(given, Sequence) or isinstance(given, str):
        return []
    # Places must stay those of the file; what is no object is a fault of the body already.
    return [cast("Mapping[str, Any]", entry) if isinstance(entry, Mapping) else {} for entry in given[:MOST_PROJECTS]]


def _placed(fault: FieldFault, place: int, entry: Mapping[str, Any], defaults: Mapping[str, Any]) -> FieldFault:
    top, _, inner = fault.field.partition(".")
    own = entry.get(top)
    from_defaults = top in defaults and (
        top not in entry or (isinstance(own, Mapping) and bool(inner) and inner.split(".")[0] not in own)
    )
    where = "defaults" if from_defaults else f"projects.{place}"
    return fault.model_copy(update={"field": where if fault.field == "(whole)" else f"{where}.{fault.field}"})


def _faults_of_epics(value: Mapping[str, Any], names: Sequence[object]) -> Iterator[FieldFault]:
    given = value.get("epics")
    if not isinstance(given, Sequence) or isinstance(given, str):
        return
    known = {slug_of(name): name for name in names if isinstance(name, str)}
    titles: dict[str, int] = {}
    for place, raw in enumerate(given):
        try:
            epic = PortfolioEpic.model_validate(raw)
        except ValidationError:
            continue  # named as a fault of the body
        before = titles.setdefault(epic.key, place)
        if before != place:
            yield FieldFault(field=f"epics.{place}.title", problem=f"is the title of epics.{before} as well")
        yield from _unknown(f"epics.{place}.projects", enumerate(epic.projects or ()), known)
        members = known if epic.projects is None else {slug_of(name): name for name in epic.projects}
        for name in epic.features:
            if slug_of(name) not in known:
                yield from _unknown(f"epics.{place}.features", [(name, name)], known)
            elif slug_of(name) not in members:
                yield FieldFault(field=f"epics.{place}.features.{name}", problem="is not among the epic's own projects")


def _unknown(field: str, named: Iterable[tuple[object, str]], known: Mapping[str, object]) -> Iterator[FieldFault]:
    for place, name in named:
        if slug_of(name) not in known:
            example = str(next(iter(known.values()), ""))
            yield FieldFault(
                field=f"{field}.{place}", problem=f"{name[:40]!r} is not a project of this portfolio", example=example
            )
