"""One running stack for all end-to-end tests of a worker; its sandbox refuses what the official contracts do not know."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Configuration, Ports, Stack
from tests.e2e.world import World

ROOT = Path(__file__).resolve().parents[2]


def contracts_folder() -> Path | None:
    """The folder of official contracts, where there is one."""
    folder = Path(os.environ.get("DONERIGHT_CONTRACTS") or ROOT.parent / "shared" / "contracts")
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Engine, host, sandbox and storage as processes of their own."""
    folder = contracts_folder()
    if folder:
        os.environ.setdefault("DONERIGHT_CONTRACTS", str(folder))
    running = Stack(
        Configuration(
            ports=Ports.free(),
            state=tmp_path_factory.mktemp("stack"),
            contracts=folder is not None,
            project_seconds=(0.2, 0.6),
            # All tests of a session share one credential; an hour of GitHub's would not last for them.
            github_calls_an_hour=1_000_000,
            settings={
                "DONERIGHT_STEP_PAUSE_SECONDS": "0.2",
                "DONERIGHT_LOST_AFTER_SECONDS": "1",
                "DONERIGHT_BREAKER_PAUSE_SECONDS": "0.5",
            },
        )
    )
    with running:
        yield running


@pytest.fixture
def world(stack: Stack) -> Iterator[World]:
    """The stack as its users see it; every call the product made is held to the contracts at the end."""
    seen = World(stack)
    seen.forget()
    try:
        yield seen
        seen.assert_contracts_kept()
    finally:
        seen.close()
