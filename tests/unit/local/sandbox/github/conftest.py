"""One seeded GitHub simulator a test module, and clients of the people in it."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from github import Auth, Github

from local.sandbox.faults import FaultRules
from local.sandbox.github.app import build_github
from local.sandbox.github.contract import OpenApiContract, load
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from tests.fakes.serving import served

ADA = "ada-token"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE_KEY = _KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC_KEY = (
    _KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)

SEED: dict[str, Any] = {
    "github": {
        "users": [
            {"login": "ada", "token": "ada-token", "name": "Ada"},
            {"login": "bob", "token": "bob-token"},
            {"login": "eve", "token": "eve-token"},
            {"login": "root", "token": "root-token", "site_admin": True},
            {"login": "fin", "token": "github_pat_fin", "permissions": {"issues": "read", "contents": "read"}},
            {"login": "low", "token": "low-token", "scopes": []},
        ],
        "organizations": [
            {
                "login": "octo",
                "plan": "team",
                "members": {"ada": "admin", "bob": "member", "fin": "member"},
                "teams": [{"slug": "builders", "members": ["bob"]}],
                "repositories": [{"name": "intake", "files": {"README.md": "# Intake\n"}, "labels": ["new-project"]}],
                "apps": [
                    {
                        "name": "Done Right",
                        "id": 77,
                        "public_key": PUBLIC_KEY,
                        "permissions": {
                            "contents": "write",
                            "issues": "write",
                            "checks": "write",
                            "administration": "write",
                            "pull_requests": "write",
                        },
                        "events": ["issues", "push"],
                    }
                ],
            },
            {"login": "poor", "plan": "free", "members": {"ada": "admin"}},
        ],
    }
}


@dataclass
class Sandbox:
    """A running simulator."""

    url: str
    state: State
    faults: FaultRules
    names: Iterator[int]

    def github(self, token: str = ADA, **options: Any) -> Github:
        """PyGithub as the person with `token`, without throttling or retries."""
        settings = {"retry": None, "seconds_between_requests": 0, "seconds_between_writes": 0, **options}
        return Github(auth=Auth.Token(token), base_url=self.url, **settings)

    def http(self, token: str | None = ADA, **headers: str) -> httpx.Client:
        """A bare HTTP client."""
        given = {**({"Authorization": f"token {token}"} if token else {}), **headers}
        return httpx.Client(base_url=self.url, headers=given, trust_env=False)

    def name(self, prefix: str = "repo") -> str:
        """A name not used before."""
        return f"{prefix}-{next(self.names)}"

    def repo(self, org: str = "octo", **options: Any) -> Any:
        """A new repository with one commit."""
        return self.github().get_organization(org).create_repo(self.name(), auto_init=True, **options)


def official() -> OpenApiContract | None:
    """GitHub's own description, where npm or the contracts folder has it."""
    try:
        return load()
    except FileNotFoundError:
        return None


class Answers:
    """Holds each JSON answer to the description too, so that the simulator cannot drift from what it imitates."""

    def __init__(self, app: Any, contract: OpenApiContract | None) -> None:
        self.app = app
        self.contract = contract
        self.wrong: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or self.contract is None:
            await self.app(scope, receive, send)
            return
        status, chunks = 0, []

        async def watch(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            chunks.append(message.get("body", b""))
            await send(message)

        await self.app(scope, receive, watch)
        path = scope["path"]
        if 200 <= status < 300 and not path.startswith("/_") and self.contract.operation(scope["method"].lower(), path):
            content = b"".join(chunks)
            body = json.loads(content) if content[:1] in {b"{", b"["} else None
            errors = self.contract.answer_errors(scope["method"], path, status, body)
            # The description of this list demands an account that is a person and an enterprise at once.
            told = [e for e in errors if path != "/app/installations" or ".account:" not in e]
            self.wrong += [f"{scope['method']} {path}: {error}" for error in told]


@contextlib.contextmanager
def running(state: State, **options: Any) -> Iterator[Sandbox]:
    """Serve a simulator over `state`."""
    faults = FaultRules()
    contract = official()

    def build(url: str) -> Answers:
        return Answers(build_github(state, base_url=url, faults=faults, **{"contract": contract, **options}), contract)

    with served(build) as (url, answers):
        yield Sandbox(url, state, faults, itertools.count(1))
        assert not answers.wrong, "\n".join(sorted(set(answers.wrong)))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A seeded simulator shared by the tests of a module."""
    state = State()
    apply_seed(state, SEED)
    with running(state) as found:
        yield found


@pytest.fixture(scope="module")
def lax() -> Iterator[Sandbox]:
    """The same without the contract, for requests that are wrong on purpose."""
    state = State()
    apply_seed(state, SEED)
    with running(state, contract=None) as found:
        yield found


@pytest.fixture
def private_key() -> str:
    """The seeded App's key (PEM)."""
    return PRIVATE_KEY


@pytest.fixture
def serve() -> Callable[..., contextlib.AbstractContextManager[Sandbox]]:
    """Serve a simulator of one's own."""
    return running


@pytest.fixture
def seed() -> dict[str, Any]:
    """The seed document."""
    return SEED
