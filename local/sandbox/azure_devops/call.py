"""Gives handlers one request in resolved form (organization, user, project, query, body) and registers them by route."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.identities import level_of
from local.sandbox.azure_devops.service import Service, Tree


class Level(IntEnum):
    """What a user may do, each including those below it."""

    NONE = 0
    READER = 1
    CONTRIBUTOR = 2
    PROJECT_ADMINISTRATOR = 3
    COLLECTION_ADMINISTRATOR = 4


@dataclass(frozen=True)
class Reply:
    """An answer with more than a JSON body of status 200."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str | None = None


@dataclass
class Call:
    """One authenticated request to a known route."""

    service: Service
    org: Tree
    user: Tree
    method: str
    route: str
    values: dict[str, str]
    scope: tuple[str, ...]
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    accept: str = "application/json"
    level: int = 0

    def json(self, kind: type = dict) -> Any:
        """The body, which must be a JSON value of `kind`; raises a 400 otherwise."""
        try:
            body = json.loads(self.raw) if self.raw else None
        except ValueError as error:
            raise errors.invalid(f"The request body is not valid JSON: {error}", "JsonReaderException") from error
        if not isinstance(body, kind):
            raise errors.missing_value("body" if body is None else f"body ({kind.__name__} expected)")
        return body

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean query parameter."""
        return self.query.get(name.lower(), str(default)).lower() == "true"

    def text(self, name: str, default: str = "") -> str:
        """A text query parameter."""
        return self.query.get(name.lower(), default)

    def integer(self, name: str, default: int = 0) -> int:
        """A number in the query; raises a 400 when it is none."""
        given = self.query.get(name.lower())
        if given is None:
            return default
        try:
            return int(given)
        except ValueError as error:
            raise errors.invalid(f"The value '{given}' is not valid for {name}.") from error

    def value(self, name: str) -> str:
        """A route value that must be there."""
        if name not in self.values:
            raise errors.missing_value(name)
        return self.values[name]

    def int_value(self, name: str, missing: Callable[[str], errors.ServiceError]) -> int:
        """A numeric route value; `missing` words the refusal of anything else."""
        given = whole_number(self.value(name))
        if given is None:
            raise missing(self.value(name))
        return given

    @property
    def project_or_none(self) -> Tree | None:
        """The project before `_apis`, None when the path names none; raises 404 for an unknown one."""
        return self.find_project(self.scope[0]) if self.scope else None

    @property
    def project(self) -> Tree:
        """The project before `_apis`; raises a 400 when the path names none."""
        project = self.project_or_none
        if project is None:
            raise errors.missing_value("project")
        return project

    def find_project(self, name_or_id: str) -> Tree:
        """A project the user can see, by name or id; raises TF200016 or VS800075."""
        for project in self.org["projects"].values():
            named = project["name"].lower() == name_or_id.lower()
            if (named or project["id"] == name_or_id.lower()) and level_of(self.user, project) >= Level.READER:
                return project
        if len(name_or_id) == 36 and name_or_id.count("-") == 4:
            raise errors.project_by_id_missing(name_or_id)
        raise errors.project_by_name_missing(name_or_id)

    def projects(self) -> list[Tree]:
        """The project of the path, or every one the user can see."""
        if self.scope:
            return [self.project]
        return [p for p in self.org["projects"].values() if level_of(self.user, p) >= Level.READER]

    def linked_items(self, pull: Tree) -> list[str]:
        """Numbers of the work items a pull request is linked with; those deleted since are not."""
        return [number for number in pull["work_items"] if number in self.org["work_items"]]

    def url(self, *segments: str, **query: Any) -> str:
        """An absolute address under the organization."""
        return self.service.url(self.org, *segments, **query)

    def stamp(self) -> str:
        """Now, as text."""
        return self.service.stamp()

    def enter(self, project: Tree) -> Tree:
        """The project something was found in; refuses a caller who has less on it than the route needs."""
        self.require(Level(self.level), project)
        return project

    def require(self, level: Level, project: Tree | None = None) -> None:
        """Refuse a user below `level`, in the wording of the area called."""
        if level_of(self.user, project) >= level:
            return
        area = self.route.split("/")[0].lower()
        if level is Level.COLLECTION_ADMINISTRATOR:
            raise errors.access_check(
                self.user["name"], "Create new projects" if area == "projects" else "Edit instance-level information"
            )
        if area == "git":
            needed = (
                "CreateRepository"
                if self.route.startswith("git/repositories/{") and level > Level.CONTRIBUTOR
                else "GenericContribute"
            )
            raise errors.git_permission(self.user["name"], needed)
        if area == "wit":
            raise errors.work_item_permission()
        raise errors.unauthorized(self.user["id"])


def whole_number(text: str) -> int | None:
    """The number of decimal digits; None for anything else, numbers no resource can have included."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


type Handler = Callable[[Call], Any]


@dataclass(frozen=True)
class Operation:
    """A handler with the level its caller needs."""

    handler: Handler
    level: Level


OPERATIONS: dict[tuple[str, str], Operation] = {}


def serves(method: str, route: str, level: Level | None = None) -> Callable[[Handler], Handler]:
    """Register a handler for a method and a route of the location table; reads need READER, changes CONTRIBUTOR."""
    needed = level if level is not None else Level.READER if method == "GET" else Level.CONTRIBUTOR

    def register(handler: Handler) -> Handler:
        if (method, route) in OPERATIONS:
            raise ValueError(f"{method} {route} is served twice")
        OPERATIONS[method, route] = Operation(handler, needed)
        return handler

    return register


def page_of(items: Iterable[Any], call: Call, top: str = "$top", skip: str = "$skip", limit: int = 1000) -> list[Any]:
    """The slice that $top and $skip ask for."""
    listed = list(items)
    start = max(0, call.integer(skip))
    return listed[start : start + max(0, call.integer(top, limit))]


def internal_call(service: Service, org: Tree, user: Tree) -> Call:
    """A call the service makes itself, for things that happen without a request."""
    return Call(service, org, user, "GET", "", {}, (), {}, {}, b"")
