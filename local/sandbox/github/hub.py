"""Finds and creates accounts and repositories in the state; everything else is stored inside those records."""

from __future__ import annotations

import base64
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from local.sandbox.hooks import HookSender
from local.sandbox.state import State

Record = dict[str, Any]

API_PREFIX: ContextVar[str] = ContextVar("API_PREFIX", default="")
"""How the running request reaches the API ("" or "/api/v3"): clients insist that follow-up URLs begin alike."""

DEFAULT_SCOPES = ["admin:org", "admin:org_hook", "admin:repo_hook", "delete_repo", "repo", "user", "workflow"]
DEFAULT_LABELS = [
    ("bug", "d73a4a", "Something isn't working"),
    ("documentation", "0075ca", "Improvements or additions to documentation"),
    ("duplicate", "cfd3d7", "This issue or pull request already exists"),
    ("enhancement", "a2eeef", "New feature or request"),
    ("good first issue", "7057ff", "Good for newcomers"),
    ("help wanted", "008672", "Extra attention is needed"),
    ("invalid", "e4e669", "This doesn't seem right"),
    ("question", "d876e3", "Further information is requested"),
    ("wontfix", "ffffff", "This will not be worked on"),
]


def now() -> str:
    """The moment as GitHub writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, number: int) -> str:
    """The GraphQL global id."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


class Hub:
    """The GitHub part of a State, with the addresses it is served under and the sender of its webhooks."""

    def __init__(self, state: State, base_url: str, sender: HookSender | None = None) -> None:
        """`base_url` has no trailing slash."""
        self.state = state
        self.base_url = base_url.rstrip("/")
        self.sender = sender
        self.used: dict[str, tuple[int, int]] = {}

    @property
    def api(self) -> str:
        """The root of API addresses for the running request."""
        return self.base_url + API_PREFIX.get()

    @property
    def data(self) -> Record:
        """This simulator's part of the state."""
        part: Record = self.state.data.setdefault("github", {})
        return part

    def table(self, name: str) -> Record:
        """One of the keyed collections."""
        rows: Record = self.data.setdefault(name, {})
        return rows

    def changed(self) -> None:
        """Mark the state as unsaved."""
        self.state.changed()

    def next_id(self, kind: str, start: int = 1) -> int:
        """The next id of a kind; kinds start apart so that a mixed-up id shows."""
        return self.state.next_id(f"github.{kind}", start)

    def user(self, login: str | None) -> Record | None:
        """A user by login."""
        return self.table("users").get((login or "").lower())

    def org(self, login: str | None) -> Record | None:
        """An organisation by login."""
        return self.table("orgs").get((login or "").lower())

    def account(self, login: str | None) -> Record | None:
        """A user or an organisation."""
        return self.user(login) or self.org(login)

    def repo(self, owner: str, name: str) -> Record | None:
        """A repository by owner and name, in any case."""
        return self.table("repos").get(f"{owner}/{name}".lower())

    def repos_of(self, owner: str) -> list[Record]:
        """Every repository of an account, oldest first."""
        wanted = owner.lower()
        return [repo for repo in self.table("repos").values() if repo["owner"].lower() == wanted]

    def owner_of(self, repo: Record) -> Record:
        """The account a repository belongs to."""
        owner = self.account(repo["owner"])
        if owner is None:
            raise LookupError(f"repository {repo['owner']}/{repo['name']} without owner")
        return owner

    def add_user(self, login: str, *, name: str | None = None, site_admin: bool = False, kind: str = "User") -> Record:
        """Create a user (`kind` "Bot" for an app's) or complete the one there is."""
        found = self.user(login)
        if found is None:
            found = {
                "id": self.next_id("account", 1001),
                "login": login,
                "type": kind,
                "created_at": now(),
                "email": None,
            }
            self.table("users")[login.lower()] = found
        found["name"] = name if name is not None else found.get("name")
        found["site_admin"] = site_admin or found.get("site_admin", False)
        found.setdefault("email", None)
        self.changed()
        return found

    def add_org(self, login: str, *, plan: str = "team") -> Record:
        """Create an organisation or complete the one there is."""
        found = self.org(login)
        if found is None:
            found = {
                "id": self.next_id("account", 1001),
                "login": login,
                "type": "Organization",
                "created_at": now(),
                "members": {},
                "teams": {},
                "hooks": {},
                "rulesets": {},
                "default_repository_permission": "read",
                "members_can_create_repositories": True,
                "description": None,
            }
            self.table("orgs")[login.lower()] = found
        found["plan"] = plan
        self.changed()
        return found

    def add_token(
        self, token: str, login: str, scopes: list[str] | None = None, permissions: Record | None = None
    ) -> None:
        """Let `token` act for a user: classic with `scopes`, or fine-grained with `permissions`."""
        entry: Record = {"kind": "user", "login": login, "scopes": DEFAULT_SCOPES if scopes is None else scopes}
        if permissions is not None:
            entry["permissions"] = permissions
        self.table("tokens")[token] = entry
        self.changed()

    def add_repo(self, owner: str, name: str, **fields: Any) -> Record:
        """Create an empty repository; the caller has checked that the name is free."""
        moment = now()
        repo: Record = {
            "id": self.next_id("repository", 500_001),
            "owner": owner,
            "name": name,
            "private": False,
            "description": None,
            "homepage": None,
            "default_branch": "main",
            "has_issues": True,
            "has_projects": True,
            "has_wiki": True,
            "has_discussions": False,
            "is_template": False,
            "archived": False,
            "allow_squash_merge": True,
            "allow_merge_commit": True,
            "allow_rebase_merge": True,
            "allow_auto_merge": False,
            "delete_branch_on_merge": False,
            "web_commit_signoff_required": False,
            "topics": [],
            "created_at": moment,
            "updated_at": moment,
            "pushed_at": moment,
            "security_and_analysis": {},
            **fields,
            "collaborators": {},
            "refs": {},
            "objects": {},
            "hooks": {},
            "labels": {},
            "issues": {},
            "protection": {},
            "rulesets": {},
            "environments": {},
            "statuses": {},
            "check_runs": {},
            "next_number": 1,
        }
        self.table("repos")[f"{owner}/{name}".lower()] = repo
        for label, color, description in DEFAULT_LABELS:
            self.add_label(repo, label, color, description, default=True)
        self.changed()
        return repo

    def add_label(
        self, repo: Record, name: str, color: str = "ededed", description: str | None = None, *, default: bool = False
    ) -> Record:
        """Create a label; names are unique in any case."""
        label = {
            "id": self.next_id("label", 700_001),
            "name": name,
            "color": color,
            "description": description,
            "default": default,
        }
        repo["labels"][name.lower()] = label
        self.changed()
        return label

    def plan_has(self, owner: str, feature: str) -> bool:
        """Whether the plan of `owner` pays for a feature on private repositories.

        Branch protection, rulesets and environments on private repositories come with Team (Pro for people), secret scanning
        and required reviewers of environments with Enterprise: docs.github.com "GitHub's plans".
        """
        plan = (self.account(owner) or {}).get("plan", "free")
        needed = {
            "protection": {"pro", "team", "enterprise"},
            "security": {"enterprise"},
            "environments": {"pro", "team", "enterprise"},
            "environment_reviewers": {"enterprise"},
        }
        return plan in needed[feature]
