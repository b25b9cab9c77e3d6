"""An organization with one project and some people, served by the simulator and held to the vendor's contract."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import httpx
from pydantic import SecretStr

from local.sandbox.azure_devops.app import build_azure_devops
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.adapters.azure_devops import AzureDevOpsForge, PersonalAccessToken
from tests.integration.adapters.serving import UtcClock, served

SEED = {
    "azure_devops": {
        "organizations": [
            {
                "name": "acme",
                "users": [
                    {
                        "name": "Doneright",
                        "mail": "doneright@acme.example",
                        "token": "admin-pat",
                        "permissions": ["collection_administrator"],
                    },
                    {"name": "Ada", "mail": "ada@acme.example", "token": "ada-pat", "permissions": ["reader"]},
                    {"name": "Bo", "mail": "bo@acme.example", "token": "bo-pat", "permissions": ["reader"]},
                ],
                "projects": [{"name": "Shop", "process": "Agile", "description": "Sells things"}],
            }
        ]
    }
}


class AzureSandbox:
    """One served organization."""

    def __init__(self, url, app, held):
        self.url = url
        self.faults = app.state.faults
        self.service = app.state.service
        self.organization = app.state.service.organization("acme")
        self._held = held

    def forge(self, token: str = "admin-pat") -> AzureDevOpsForge:  # noqa: S107 - the seed's
        return AzureDevOpsForge(f"{self.url}/acme", PersonalAccessToken(token=SecretStr(token)), clock=UtcClock())

    def project(self, name="Shop"):
        return next(p for p in self.organization["projects"].values() if p["name"] == name)

    def lose_answer(self, method, path):
        self.faults.clear()
        self.faults.add({"kind": "answer_lost", "method": method, "path": path})

    def fired(self):
        return sum(rule["fired"] for rule in self.faults.listing())

    def violations(self):
        """Requests the contract does not allow; none to tell where the contract is absent."""
        return httpx.get(f"{self.url}/_violations").json() if self._held else []


@cache
def _contract():
    try:
        return importlib.import_module("local.sandbox.azure_devops.contract").load()
    except FileNotFoundError:
        return None


@contextmanager
def sandbox_with_contract(seed: dict[str, object] = SEED) -> Iterator[AzureSandbox]:
    """Serve it; without the contract when its folder is absent."""
    contract = _contract()
    state = State()
    apply_seed(state, seed)
    with served(lambda url: build_azure_devops(state, base_url=url, contract=contract)) as (url, app):
        yield AzureSandbox(url, app, contract is not None)
