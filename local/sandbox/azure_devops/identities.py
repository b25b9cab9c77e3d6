"""Decides who a request comes from and what they may do, and writes people and groups as the service does."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.service import Service, Tree, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

RANKS = {"reader": 1, "contributor": 2, "project_administrator": 3, "collection_administrator": 4}


def level_of(user: Tree, project: Tree | None = None) -> int:
    """The user's rank: on a project, or the highest anywhere when none is given.

    A permission is `rank` for every project or `rank:project name` for one.
    """
    best = 0
    for permission in user.get("permissions", []):
        rank, _, scope = str(permission).partition(":")
        if scope and project is not None and scope.lower() not in {project["name"].lower(), project["id"]}:
            continue
        best = max(best, RANKS.get(rank, 0))
    if project is not None and best < RANKS["collection_administrator"]:
        members = {m for group in project["groups"].values() for m in group["members"]}
        members |= {m for team in project["teams"].values() for m in team["members"]}
        if user["id"] in members:
            best = max(best, RANKS["contributor"])
        administrators = next((g for g in project["groups"].values() if g["name"] == "Project Administrators"), None)
        if administrators and user["id"] in administrators["members"]:
            best = max(best, RANKS["project_administrator"])
    return best


class SignInRequiredError(Exception):
    """The personal access token is unknown or expired: the service answers 203 with its sign-in page."""


@dataclass(frozen=True)
class NoCredentialsError(Exception):
    """No usable Authorization header: 401 with WWW-Authenticate."""

    challenge: str


def challenge(service: Service) -> str:
    """The WWW-Authenticate header of a 401."""
    authority = "https://login.windows.net/00000000-0000-0000-0000-000000000000"
    return f'Bearer authorization_uri={authority}, Basic realm="{service.base_url}/", TFS-Federated'


def authenticate(service: Service, org: Tree, headers: Mapping[str, str]) -> Tree:
    """The user of a request; raises NoCredentialsError, SignInRequiredError or a 401 for a wrong bearer token."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            secret = base64.b64decode(credentials, validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError) as error:
            raise SignInRequiredError from error
        for user in org["users"].values():
            if secret and user.get("token") == secret and not _expired(service, user.get("token_expires_at")):
                return user
        raise SignInRequiredError
    if scheme.lower() == "bearer":
        for user in org["users"].values():
            for token in user.get("tokens", []):
                if token["token"] == credentials and not _expired(service, token.get("expires_at")):
                    return user
        refusal = errors.unauthorized("aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", 401)
        refusal.headers["WWW-Authenticate"] = challenge(service)
        raise refusal
    raise NoCredentialsError(challenge(service))


def _expired(service: Service, moment: str | None) -> bool:
    return moment is not None and service.now() >= parse_time(moment)


def descriptor_of(subject: Tree) -> str:
    """The graph descriptor of a user or group."""
    prefix = "aad" if "mail" in subject else "vssgp"
    return f"{prefix}.{base64.b64encode(subject['id'].encode()).decode().rstrip('=')}"


def identity_ref(service: Service, org: Tree, user: Tree) -> Tree:
    """A person as embedded in other resources."""
    descriptor = descriptor_of(user)
    avatar = service.url(org, "_apis/GraphProfile/MemberAvatars", descriptor)
    return {
        "displayName": user["name"],
        "url": service.url(org, "_apis/Identities", user["id"]),
        "_links": {"avatar": {"href": avatar}},
        "id": user["id"],
        "uniqueName": user.get("mail", user["name"]),
        "imageUrl": avatar,
        "descriptor": descriptor,
    }


def find_user(org: Tree, text: str) -> Tree | None:
    """A user by id, mail, display name, `Name <mail>` or descriptor."""
    wanted = text.strip().lower()
    if wanted.endswith(">") and "<" in wanted:
        wanted = wanted.rsplit("<", 1)[1][:-1]
    for user in org["users"].values():
        if wanted in {user["id"], user["mail"].lower(), user["name"].lower(), descriptor_of(user).lower()}:
            found: Tree = user
            return found
    return None


def groups_of(org: Tree) -> list[Tree]:
    """Every group: of the collection, then of each project with its teams."""
    found = list(org["groups"].values())
    for project in org["projects"].values():
        found.extend(project["groups"].values())
        found.extend(project["teams"].values())
    return found


def find_subject(org: Tree, text: str) -> Tree | None:
    """A user or group by id or descriptor."""
    user = find_user(org, text)
    if user is not None:
        return user
    wanted = text.lower()
    return next((g for g in groups_of(org) if wanted in {g["id"], descriptor_of(g).lower()}), None)


def subject_ref(service: Service, org: Tree, subject: Tree) -> Tree:
    """A person or group as embedded in other resources."""
    reference = identity_ref(service, org, subject)
    if "mail" not in subject:
        reference["displayName"] = display_name(subject)
        reference["uniqueName"] = (
            f"vstfs:///Classification/TeamProject/{subject.get('project_id', '')}\\{subject['name']}"
        )
        reference["isContainer"] = True
    return reference


def display_name(subject: Tree) -> str:
    """`[Project]\\Group` for groups, the name for people."""
    return subject["name"] if "mail" in subject else f"[{subject['scope']}]\\{subject['name']}"
