"""Where the stack listens, where it keeps its state, and the secrets it made for itself on its first start."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.settings import PREFIX

ROOT = Path(__file__).resolve().parent.parent.parent
STATE = ROOT / ".doneright"
ACCOUNT = "doneright"
AZURE_DEVOPS_PEOPLE = ("doneright", "mona", "casey")


PORTS = {
    "host": ("DONERIGHT_HOST_PORT", 7071),
    "github": ("DONERIGHT_GITHUB_PORT", 7081),
    "azure_devops": ("DONERIGHT_AZURE_DEVOPS_PORT", 7082),
    "storage": ("DONERIGHT_STORAGE_PORT", 10000),
}
"""The variable and the default of each port of ``make serve``."""


class PortTakenError(Exception):
    """Somebody else listens where the stack should."""


@dataclass(frozen=True)
class Ports:
    """TCP ports on 127.0.0.1. Storage takes three in a row: blob, queue, table."""

    host: int
    github: int
    azure_devops: int
    storage: int

    @classmethod
    def fixed(cls, environ: Mapping[str, str]) -> Ports:
        """The ports ``make serve`` uses, each overridable. Raises ``PortTakenError`` naming the first that is taken."""
        chosen = {}
        for name, (variable, default) in PORTS.items():
            text = environ.get(variable) or str(default)
            if not text.isdigit() or not 1 <= int(text) <= 65533:
                raise PortTakenError(f"{variable} is {text!r}; it must be a port number from 1 to 65533")
            chosen[name] = int(text)
            for port in range(int(text), int(text) + (3 if name == "storage" else 1)):
                if not _is_free(port):
                    raise PortTakenError(f"port {port} is taken: stop what listens there, or set {variable} to another")
        if len({chosen["host"], chosen["github"], chosen["azure_devops"]}) < 3:
            raise PortTakenError(f"two parts of the stack were given one port: {chosen}")
        return cls(**chosen)

    @classmethod
    def free(cls) -> Ports:
        """Ports nobody uses at this moment."""
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                first = probe.getsockname()[1]
            if first < 65000 and all(_is_free(first + i) for i in range(3)):
                break
        others: set[int] = set()
        while len(others) < 3:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            if not first <= port < first + 3:
                others.add(port)
        host, github, azure_devops = sorted(others)
        return cls(host=host, github=github, azure_devops=azure_devops, storage=first)


@dataclass(frozen=True)
class Configuration:
    """One stack."""

    ports: Ports
    state: Path
    contracts: bool = False
    """Whether the sandbox refuses what the official contracts do not know."""
    project_seconds: tuple[float, float] = (2.0, 4.0)
    """How long the sandbox's Azure DevOps takes to create a project."""
    github_calls_an_hour: int = 5000
    """The allowance that the sandbox's GitHub shows, which Doneright keeps to."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings of the function app and its host; they win over those the stack makes for itself."""
    app: Path = ROOT

    @property
    def host_url(self) -> str:
        """Where the function app answers."""
        return f"http://127.0.0.1:{self.ports.host}"

    @property
    def github_url(self) -> str:
        """Where the sandbox's GitHub answers."""
        return f"http://127.0.0.1:{self.ports.github}"

    @property
    def azure_devops_url(self) -> str:
        """Where the sandbox's Azure DevOps answers."""
        return f"http://127.0.0.1:{self.ports.azure_devops}"

    @property
    def osv_url(self) -> str:
        """Where the sandbox's advisories answer: beside its GitHub."""
        return f"{self.github_url}/_osv"


def given_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings of the app and its host in ``environ``; a port is the stack's own, an empty value is none."""
    ports = {variable for variable, _ in PORTS.values()}
    return {name: value for name, value in environ.items() if name.startswith(PREFIX) and name not in ports and value}


def kept_secrets(state: Path) -> dict[str, str]:
    """The stack's own secrets, made at random on the first start and kept, for its owner's eyes alone.

    One that an earlier version did not have yet is made when it is first missed.
    """
    file = state / "secrets.json"
    kept: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    made = {
        name: secrets.token_urlsafe(32)
        for name in (
            "signing_key",
            "github_webhook_secret",
            "azure_devops_webhook_secret",
            "master_key",
            "function_key",
            "durable_key",
        )
    }
    for person in ("doneright", "mona", "casey", "stranger"):
        made[f"github_{person}"] = f"ghp_{secrets.token_hex(18)}"
    for person in AZURE_DEVOPS_PEOPLE:
        made[f"azure_devops_{person}"] = secrets.token_hex(26)
    made["storage_key"] = base64.b64encode(secrets.token_bytes(64)).decode()
    if not made.keys() - kept.keys():
        return kept
    # The simulators keep the tokens they take in here too.
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    whole = made | kept
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(whole, stream, indent=2)
    return whole


def storage_connection(port: int, key: str) -> str:
    """The connection string of the storage emulator whose first port is ``port``."""
    base = "http://127.0.0.1"
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};"
        f"BlobEndpoint={base}:{port}/{ACCOUNT};QueueEndpoint={base}:{port + 1}/{ACCOUNT};"
        f"TableEndpoint={base}:{port + 2}/{ACCOUNT};"
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
