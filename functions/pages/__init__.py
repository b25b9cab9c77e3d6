"""The HTML people see, rendered from the same views that scripts get as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from shared.connections.keeping import ConnectionCheck
from shared.connections.manifest import ManifestForm, Registered
from shared.domain.connection import Connection
from shared.domain.run import ProjectRecord
from shared.projects.links import Links
from shared.projects.status import StatusView

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> Environment:
    # Imported on the first page: webhooks, which come far more often, never need it.
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=PackageLoader("functions.pages"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def project(view: StatusView) -> str:
    """The status page of a project."""
    return _environment().get_template("project.html.j2").render(view=view)


def projects(rows: Sequence[ProjectRecord], links: Links) -> str:
    """Every project, the latest first."""
    return _environment().get_template("projects.html.j2").render(rows=[(row, links.status(row.id)) for row in rows])


def not_found(project_id: str) -> str:
    """There is no such project, and where to look instead."""
    return _environment().get_template("not_found.html.j2").render(project=project_id)


def connection_check(connection: Connection, check: ConnectionCheck) -> str:
    """What a connection may do, permission by permission."""
    return _environment().get_template("connection_check.html.j2").render(connection=connection, check=check)


def github_app(connection: Connection, form: ManifestForm) -> str:
    """The page whose button registers the GitHub App."""
    return _environment().get_template("github_app.html.j2").render(connection=connection, form=form)


def github_app_registered(connection: Connection, registered: Registered) -> str:
    """The App is registered; where to install it."""
    template = _environment().get_template("github_app_registered.html.j2")
    return template.render(connection=connection, registered=registered)
