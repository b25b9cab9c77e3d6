"""Many projects asked for at the same moment all come to be, each once, without an error anywhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.domain.project import slug_of
from tests.e2e.world import World

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(1500)]

FEW, MANY = 8, 100
AT_A_TIME = 16
"""Calls that are under way at once; the runs they start are all under way at once."""


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_bootstraps_at_once_all_make_one_of_everything(world: World, count: int) -> None:
    logged = len(world.host_errors())
    names = [f"Rush {count} {number:03}" for number in range(count)]

    def ask(name: str) -> int:
        body = {"connection": "acme", "name": name, "owner": "casey", "stack": "fastapi", "process": "scrum"}
        return world.api.post("/api/projects", json=body).status_code

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        assert list(pool.map(ask, names)) == [202] * count
        ended = list(pool.map(lambda name: world.ended(slug_of(name), seconds=1200), names))
    assert {view["state"] for view in ended} == {"completed"}, [
        (view["id"], step["id"], step["reason"])
        for view in ended
        for step in view["steps"]
        if step["state"] == "failed"
    ]
    stands = [_without_name(world.state_of(name, slug_of(name)), name) for name in names]
    assert all(stand == stands[0] for stand in stands)
    assert {stands[0][single] for single in ("projects", "github repositories", "wikis", "pipelines", "webhooks")} == {
        1
    }
    for name in names:
        assert world.api.get(f"/api/audit/{slug_of(name)}/verify").json()["ok"] is True
    assert world.host_errors()[logged:] == []


def _without_name(stand: dict[str, Any], name: str) -> dict[str, Any]:
    return {
        what: str(found).replace(name, "<name>") if isinstance(found, list) else found for what, found in stand.items()
    }
