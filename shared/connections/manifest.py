"""Registers the GitHub App of a connection through GitHub's manifest flow, keeping its secrets where secrets belong.

https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Protocol

from pydantic import SecretStr

from shared.connections import keeping
from shared.domain.connection import Connection
from shared.domain.forge import Frozen
from shared.errors import RefusedError, TransientError
from shared.ports import SecretStore
from shared.projects.links import Links
from shared.projects.ports import ProjectPorts

PERMISSIONS = {
    "actions": "read",
    "administration": "write",
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "members": "read",
    "metadata": "read",
    "organization_hooks": "write",
    "pull_requests": "write",
    "repository_hooks": "write",
    "secret_scanning_alerts": "read",
    "security_events": "write",
    "statuses": "write",
    "vulnerability_alerts": "read",
    "workflows": "write",
}
EVENTS = (
    "check_run",
    "issue_comment",
    "issues",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_review_thread",
    "push",
    "status",
)


class Registration(Protocol):
    """What GitHub tells once about a new App."""

    @property
    def id(self) -> int: ...
    @property
    def slug(self) -> str: ...
    @property
    def html_url(self) -> str: ...
    @property
    def pem(self) -> SecretStr: ...
    @property
    def webhook_secret(self) -> SecretStr | None: ...


class ManifestForm(Frozen):
    """The form a browser posts to GitHub."""

    action: str
    manifest: str


class Registered(Frozen):
    """What a person needs to know after the registration; never a secret's value."""

    app_id: int
    slug: str
    install_url: str
    private_key_secret: str
    webhook_secret_name: str = ""
    """Where the App's own webhook secret is kept; empty when GitHub was told to sign with ours."""


def form(connection: Connection, links: Links, state: str) -> ManifestForm:
    """The form that registers an App with exactly the permissions and events Doneright uses."""
    web, organization = connection.github.web_url.rstrip("/"), connection.github.organization
    manifest = {
        "name": f"Doneright {organization}"[:34],
        "url": links.api(""),
        "hook_attributes": {"url": links.api("webhooks/github"), "active": True},
        "redirect_url": links.api("github-app/callback"),
        "public": False,
        "default_permissions": PERMISSIONS,
        "default_events": list(EVENTS),
    }
    return ManifestForm(
        action=f"{web}/organizations/{organization}/settings/apps/new?state={state}", manifest=json.dumps(manifest)
    )


def finish(
    ports: ProjectPorts,
    connection: Connection,
    code: str,
    *,
    secrets: SecretStore,
    convert: Callable[[str, str], Registration],
    tell_secret: Callable[[Registration, str], None],
) -> Registered:
    """Exchange ``code`` for the App, store its key, make it the connection's identity and have it sign as we verify."""
    app = convert(code, connection.github.api_url)
    key_name = f"github-app-{app.id}-key"
    secrets.set(key_name, app.pem.get_secret_value())
    keeping.adopt_app(ports, connection, app.id, key_name)
    hook_name = ""
    try:
        tell_secret(app, connection.github.api_url)
    except (RefusedError, TransientError):
        # The code cannot be used twice, so the registration stands; a person then adds the App's secret to ours.
        if app.webhook_secret:
            hook_name = f"github-app-{app.id}-webhook"
            secrets.set(hook_name, app.webhook_secret.get_secret_value())
    return Registered(
        app_id=app.id,
        slug=app.slug,
        install_url=f"{app.html_url}/installations/new",
        private_key_secret=key_name,
        webhook_secret_name=hook_name,
    )
