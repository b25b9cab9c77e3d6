"""A pull request at the GitHub simulator, its contract checked, with the people and the App around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import SecretStr

from local.sandbox.github.app import build_github
from local.sandbox.github.contract import load
from local.sandbox.github.hub import Hub
from local.sandbox.github.pushes import commit_files, move
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.adapters.github import AppInstallation, GitHubForge, PersonalAccessToken
from shared.domain.change import ChangeRef, Unknown
from shared.domain.forge import ForgeName, RepositoryRef
from tests.integration.adapters.serving import UtcClock, served

DESK = RepositoryRef(owner="acme", name="desk")
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
PERMISSIONS = {
    "actions": "read",
    "administration": "write",
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "members": "read",
    "pull_requests": "write",
    "security_events": "write",
    "secret_scanning_alerts": "read",
    "statuses": "write",
    "vulnerability_alerts": "read",
    "workflows": "write",
}
MAIN = {
    "README.md": b"# Desk\n",
    "app.py": "def hail(name):\n    return f'Grüß dich {name}'\n\n\ndef part():\n    return 1\n".encode(),
    "old.py": b"".join(b"line %d\n" % n for n in range(30)),
    "gone.py": b"print('gone')\nno end",
    "crlf.txt": b"one\r\ntwo\r\nthree\r\n",
    ".github/PULL_REQUEST_TEMPLATE.md": b"## What\n\n## Why\n",
}


def seed(plan: str = "enterprise", *, private: bool = True, **permissions: str) -> dict[str, Any]:
    """Ada owns, Bob works, Eve comes from outside, Mia maintains; the App is installed."""
    return {
        "github": {
            "users": [
                {"login": "ada", "token": "ada-token", "name": "Ada"},
                {"login": "bob", "token": "bob-token", "name": "Bob"},
                {"login": "eve", "token": "eve-token"},
                {"login": "mia", "token": "mia-token"},
            ],
            "organizations": [
                {
                    "login": "acme",
                    "plan": plan,
                    "members": {"ada": "admin", "bob": "member"},
                    "repositories": [
                        {
                            "name": "desk",
                            "private": private,
                            "collaborators": {"bob": "write", "mia": "maintain"},
                        }
                    ],
                    "apps": [
                        {
                            "name": "Done Right",
                            "id": 77,
                            "public_key": PUBLIC,
                            "permissions": {**PERMISSIONS, **permissions},
                        }
                    ],
                }
            ],
        }
    }


class World:
    """The simulator and what tests do to it behind the adapter's back."""

    def __init__(self, url: str, app: Any, state: State, contract: Any) -> None:
        self.url = url
        self.faults = app.state.faults
        self.hub = Hub(state, url)
        self.middleware = contract
        self.app = self.forge_of_app()

    def forge_of_app(self) -> GitHubForge:
        credentials = AppInstallation(app_id=77, private_key=SecretStr(PEM), organization="acme")
        return GitHubForge(credentials, clock=UtcClock(), base_url=self.url, web_url=self.url)

    def person(self, login: str) -> GitHubForge:
        credentials = PersonalAccessToken(token=SecretStr(f"{login}-token"))
        return GitHubForge(credentials, clock=UtcClock(), base_url=self.url, web_url=self.url)

    @property
    def repo(self) -> dict[str, Any]:
        found = self.hub.repo("acme", "desk")
        assert found is not None
        return found

    def commit(self, files: dict[str, bytes | None], branch: str, message: str = "Change", by: str = "bob") -> str:
        """Commit to a branch, made from main where it is not there; ``None`` removes a file."""
        if f"refs/heads/{branch}" not in self.repo["refs"] and "refs/heads/main" in self.repo["refs"]:
            move(
                self.hub,
                self.repo,
                f"refs/heads/{branch}",
                self.repo["refs"]["refs/heads/main"],
                self.user(by),
                bypass=True,
            )
        return commit_files(self.hub, self.repo, files, message, self.user(by), branch)

    def user(self, login: str) -> dict[str, Any]:
        found = self.hub.user(login)
        assert found is not None
        return found

    def ask(self, login: str, verb: str, url: str, body: Any = None, **query: Any) -> Any:
        """A call that is none of the adapter's under test."""
        return self.person(login)._client.request(verb, url, body, parameters=query)[1]

    def pull(
        self, branch: str = "feature/7-greet", title: str = "Greet", body: str = "", by: str = "bob", base: str = "main"
    ) -> ChangeRef:
        data = self.ask(
            by, "POST", "/repos/acme/desk/pulls", {"title": title, "body": body, "head": branch, "base": base}
        )
        return ChangeRef(forge=ForgeName.GITHUB, repository=DESK, number=data["number"])

    def lose_answer(self, method: str, path: str) -> None:
        self.faults.clear()
        self.faults.add({"kind": "answer_lost", "method": method, "path": path})

    def fired(self) -> int:
        return sum(rule["fired"] for rule in self.faults.listing())

    def thread(self, number: int) -> dict[str, Any]:
        return self.repo["issues"][str(number)]["pull"]["threads"]


@contextmanager
def world(plan: str = "enterprise", *, private: bool = True, **permissions: str) -> Iterator[World]:
    """A simulator that refuses what GitHub's published contract does not know."""
    state = State()
    apply_seed(state, seed(plan, private=private, **permissions))
    try:
        contract = load()
    except FileNotFoundError:
        contract = None
    with served(lambda url: build_github(state, base_url=url, contract=contract)) as (url, app):
        made = World(url, app, state, contract)
        made.commit(dict(MAIN), "main", "Begin", by="ada")
        yield made


def known[T](part: T | Unknown) -> T:
    """The part, which must be known."""
    assert not isinstance(part, Unknown), part.reason
    return part
