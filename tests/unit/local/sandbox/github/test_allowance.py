"""The hourly allowance that answers show is GitHub's own, or the one that the sandbox was seeded with."""

from __future__ import annotations

import httpx
import pytest

from local.sandbox.github.app import build_github
from local.sandbox.seed import SeedError, apply_seed
from local.sandbox.state import State


async def shown(**given: int) -> tuple[str, str]:
    state = State()
    apply_seed(state, {"github": {"users": [{"login": "ada", "token": "ada-token"}], **given}})
    transport = httpx.ASGITransport(app=build_github(state, base_url="http://sandbox"))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        answer = await client.get("/user", headers={"Authorization": "token ada-token"})
        nobody = await client.get("/users/ada")
    assert answer.status_code == 200
    left = int(answer.headers["x-ratelimit-remaining"])
    assert left == int(answer.headers["x-ratelimit-limit"]) - 1
    return answer.headers["x-ratelimit-limit"], nobody.headers["x-ratelimit-limit"]


@pytest.mark.parametrize(("given", "limit"), [({}, "5000"), ({"calls_an_hour": 15000}, "15000")])
async def test_the_allowance_of_a_credential_is_as_seeded_and_nobody_s_own_is_not(given, limit):
    assert await shown(**given) == (limit, "60")


async def test_no_allowance_is_refused():
    with pytest.raises(SeedError, match=r"github\.calls_an_hour"):
        await shown(calls_an_hour=0)
