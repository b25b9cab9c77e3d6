"""Applies the GitHub part of a seed document; everything is checked before anything is stored."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from local.sandbox.faults import field_errors
from local.sandbox.github import apps, objects
from local.sandbox.github.auth import ALIASES
from local.sandbox.github.hook_config import add_hook
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.pushes import commit_files
from local.sandbox.github.security_alerts import add_dependabot_alert, add_secret_alert
from local.sandbox.github.teams import add_team
from local.sandbox.seed import SeedError
from local.sandbox.state import State


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UserSeed(_Model):
    """A person; `scopes` make the token classic, `permissions` make it fine-grained."""

    login: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")
    token: str | None = None
    name: str | None = None
    email: str | None = None
    site_admin: bool = False
    scopes: list[str] | None = None
    permissions: dict[str, str] | None = None


class HookSeed(_Model):
    """A webhook."""

    url: str = Field(pattern=r"^https?://")
    secret: str | None = None
    events: list[str] = ["*"]
    content_type: Literal["json", "form"] = "json"
    active: bool = True


class TeamSeed(_Model):
    """A team and what it reaches, by repository name."""

    slug: str = Field(pattern=r"^[a-z0-9_.-]+$")
    name: str | None = None
    members: list[str] = []
    repositories: dict[str, str] = {}


class DependencyAlertSeed(_Model):
    """A vulnerable dependency that Dependabot, then switched on, has found."""

    package: str
    ecosystem: str = "pip"
    manifest: str = "requirements.txt"
    ghsa: str = Field(pattern=r"^GHSA(-[23456789cfghjmpqrvwx]{4}){3}$")
    severity: Literal["low", "medium", "high", "critical"] = "high"
    summary: str = Field(max_length=1024)


class SecretAlertSeed(_Model):
    """A secret that secret scanning, then switched on, has found in a file of the first commit."""

    kind: str = Field(description="GitHub's name of the secret's type, such as azure_devops_personal_access_token")
    name: str = Field(description="the same for people")
    path: str
    line: int = Field(default=1, ge=1)


class RepositorySeed(_Model):
    """A repository; `files` (path to text) become one commit."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$")
    private: bool = False
    description: str | None = None
    topics: list[str] = []
    default_branch: str = "main"
    hooks: list[HookSeed] = []
    files: dict[str, str] = {}
    labels: list[str] = []
    dependency_alerts: list[DependencyAlertSeed] = []
    secret_alerts: list[SecretAlertSeed] = []
    collaborators: dict[str, Literal["read", "pull", "triage", "write", "push", "maintain", "admin"]] = {}


class AppSeed(_Model):
    """An App, installed on the organisation it is seeded in when `install`."""

    name: str
    public_key: str = Field(description="PEM of the key whose private half signs the App's tokens")
    id: int | None = None
    url: str = ""
    webhook_url: str = ""
    webhook_secret: str | None = None
    permissions: dict[str, str] = {}
    events: list[str] = []
    install: bool = True
    repositories: list[str] | None = None


class OrganizationSeed(_Model):
    """An organisation."""

    login: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")
    plan: Literal["free", "team", "enterprise"] = "team"
    members: dict[str, Literal["admin", "member"]] = {}
    default_repository_permission: Literal["none", "read", "write", "admin"] = "read"
    teams: list[TeamSeed] = []
    hooks: list[HookSeed] = []
    repositories: list[RepositorySeed] = []
    apps: list[AppSeed] = []


class GitHubSeed(_Model):
    """The whole part."""

    users: list[UserSeed] = []
    organizations: list[OrganizationSeed] = []
    calls_an_hour: int = Field(default=5000, ge=1, description="the allowance that answers show, of each credential")


def apply(state: State, part: Any) -> None:
    """Merge `part` into the state; raises SeedError naming each field, then nothing was applied."""
    try:
        seed = GitHubSeed.model_validate(part)
    except ValidationError as error:
        raise SeedError([{**e, "field": f"github.{e['field']}"} for e in field_errors(error)]) from error
    hub = Hub(state, "http://127.0.0.1")
    _check(hub, seed)
    if "calls_an_hour" in seed.model_fields_set:
        hub.data["calls_an_hour"] = seed.calls_an_hour
    for user in seed.users:
        record = hub.add_user(user.login, name=user.name, site_admin=user.site_admin)
        record["email"] = user.email or record["email"]
        if user.token:
            hub.add_token(user.token, user.login, user.scopes, user.permissions)
    for organization in seed.organizations:
        _organization(hub, organization)
    hub.changed()


def _check(hub: Hub, seed: GitHubSeed) -> None:
    known = {user.login.lower() for user in seed.users} | set(hub.table("users"))
    errors = []
    for number, org in enumerate(seed.organizations):
        where = f"github.organizations.{number}"
        named = {f"{where}.members": list(org.members)}
        named |= {f"{where}.teams.{i}.members": team.members for i, team in enumerate(org.teams)}
        named |= {
            f"{where}.repositories.{i}.collaborators": list(r.collaborators) for i, r in enumerate(org.repositories)
        }
        errors += [
            {"field": field, "message": f"no user {login}: list it under users"}
            for field, logins in named.items()
            for login in logins
            if login.lower() not in known
        ]
    errors += _app_names(hub, seed)
    if errors:
        raise SeedError(errors)


def _app_names(hub: Hub, seed: GitHubSeed) -> list[dict[str, str]]:
    """A fault for each App whose name leads to the address of another."""
    errors = []
    names = {app["slug"]: app["name"] for app in hub.table("apps").values()}
    accounts = {user.login.lower() for user in seed.users} | {org.login.lower() for org in seed.organizations}
    for number, org in enumerate(seed.organizations):
        for index, app in enumerate(org.apps):
            slug = apps.slug_of(app.name)
            is_account = (slug in accounts or hub.account(slug) is not None) and slug != org.login.lower()
            if is_account or names.setdefault(slug, app.name) != app.name:
                field = f"github.organizations.{number}.apps.{index}.name"
                errors.append({"field": field, "message": f"{apps.NAME_TAKEN}: {app.name}"})
    return errors


def _organization(hub: Hub, seed: OrganizationSeed) -> None:
    org = hub.add_org(seed.login, plan=seed.plan)
    org["default_repository_permission"] = seed.default_repository_permission
    org["members"] |= {login.lower(): role for login, role in seed.members.items()}
    for hook in seed.hooks:
        _hook(hub, org, hook)
    for repository in seed.repositories:
        _repository(hub, org, repository)
    for team in seed.teams:
        record = org["teams"].get(team.slug) or add_team(hub, org, team.name or team.slug, team.slug)
        for login in team.members:
            record["members"][login.lower()] = "member"
            org["members"].setdefault(login.lower(), "member")
        for name, level in team.repositories.items():
            repo = hub.repo(seed.login, name)
            if repo is not None:
                record["repos"][str(repo["id"])] = ALIASES.get(level, level)
    for app in seed.apps:
        _app(hub, seed.login, app)


def _hook(hub: Hub, owner: Record, seed: HookSeed) -> None:
    if any(hook["config"]["url"] == seed.url for hook in owner["hooks"].values()):
        return
    config = {"url": seed.url, "content_type": seed.content_type, "insecure_ssl": "0"}
    add_hook(
        hub, owner, {**config, **({"secret": seed.secret} if seed.secret else {})}, seed.events, active=seed.active
    )


def _repository(hub: Hub, org: Record, seed: RepositorySeed) -> None:
    repo = hub.repo(org["login"], seed.name)
    if repo is None:
        fields = {
            "private": seed.private,
            "description": seed.description,
            "topics": seed.topics,
            "default_branch": seed.default_branch,
        }
        repo = hub.add_repo(org["login"], seed.name, **fields)
    repo["collaborators"] |= {login.lower(): ALIASES.get(level, level) for login, level in seed.collaborators.items()}
    for name in seed.labels:
        if name.lower() not in repo["labels"]:
            hub.add_label(repo, name)
    if seed.files and not repo["refs"]:
        owner = next((login for login, role in org["members"].items() if role == "admin"), None)
        author = hub.user(owner) or {"id": 0, "login": org["login"], "name": org["login"]}
        commit_files(hub, repo, {path: text.encode() for path, text in seed.files.items()}, "Initial commit", author)
    for hook in seed.hooks:
        _hook(hub, repo, hook)
    known = {one["ghsa"] for one in repo.get("dependabot_alerts", [])}
    for alert in seed.dependency_alerts:
        if alert.ghsa not in known:
            add_dependabot_alert(hub, repo, **alert.model_dump())
    found = {(one["kind"], one["path"]) for one in repo.get("secret_alerts", [])}
    for secret in seed.secret_alerts:
        if (secret.kind, secret.path) not in found:
            add_secret_alert(hub, repo, **secret.model_dump(), commit=objects.head_of(repo) or objects.NULL_SHA)


def _app(hub: Hub, login: str, seed: AppSeed) -> None:
    manifest = {
        "name": seed.name,
        "id": seed.id,
        "url": seed.url,
        "hook_attributes": {"url": seed.webhook_url, "secret": seed.webhook_secret},
        "default_permissions": seed.permissions,
        "default_events": seed.events,
    }
    app = next((a for a in hub.table("apps").values() if a["name"] == seed.name), None)
    if app is None:
        app, _ = apps.add_app(hub, login, manifest, seed.public_key)
    installed = any(i["app_id"] == app["id"] and i["account"] == login for i in hub.table("installations").values())
    if seed.install and not installed:
        ids = None
        if seed.repositories is not None:
            ids = [repo["id"] for name in seed.repositories if (repo := hub.repo(login, name))]
        apps.install(hub, app, login, ids)
