"""What both simulators share: the contract's refusals, faults in each forge's words, seeds at run time, the server's start."""

from __future__ import annotations

import asyncio
import json
import os

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from local.sandbox.__main__ import main, parse
from local.sandbox.compose import compose
from local.sandbox.fault_rule import FaultRule, Forge
from local.sandbox.faults import FaultRules
from local.sandbox.hooks import DROPPED, HookSender
from local.sandbox.seed import SeedError, apply_seed
from local.sandbox.server import Options, UnusableError, bind, build, read_state, serve
from local.sandbox.state import State

NOTHING = Options(0, 0, None, None, False, 0.0, 0.0)


class _OnlyThings:
    """A contract that knows POST /things with a body, and GET /things."""

    def check(self, method, path, query, headers, body):
        if path != "/things":
            return [f"{method} {path} is not known"]
        return ["a body is required"] if method == "POST" and not body else []


def _client(forge=Forge.GITHUB, contract=None, *, raises=True):
    state, rules = State(), FaultRules()

    async def things(request):
        state.data["calls"] = state.data.get("calls", 0) + 1
        return PlainTextResponse(await request.body() or b"none")

    async def broken(request):
        raise RuntimeError("boom")

    app = compose(
        [Route("/things", things, methods=["GET", "POST"]), Route("/broken", broken)],
        state=state,
        forge=forge,
        contract=contract,
        faults=rules,
        sender=HookSender(state, rules),
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=raises)
    return state, httpx.AsyncClient(transport=transport, base_url="http://sandbox")


async def test_unknown_calls_are_refused_kept_and_cleared():
    state, client = _client(contract=_OnlyThings())
    async with client as http:
        assert (await http.post("/things", content=b"body")).text == "body"
        refused = await http.post("/things?x=1")
        assert refused.status_code == 501
        assert refused.json()["violations"] == ["a body is required"]
        assert (await http.get("/wombats")).status_code == 501
        assert state.data["calls"] == 1
        kept = (await http.get("/_violations")).json()
        assert [(v["method"], v["path"], v["query"]) for v in kept] == [
            ("POST", "/things", "x=1"),
            ("GET", "/wombats", ""),
        ]
        seen = (await http.get("/_requests")).json()
        assert [(r["path"], r["status"]) for r in seen] == [("/things", 200), ("/things?x=1", 501), ("/wombats", 501)]
        assert all(r["ms"] >= 0 for r in seen)
        assert (await http.delete("/_violations")).status_code == 204
        assert (await http.delete("/_requests")).status_code == 204
        assert (await http.get("/_violations")).json() == (await http.get("/_requests")).json() == []
        assert (await http.put("/_violations")).status_code == 405
        # People look with a browser, and no REST contract knows pages.
        assert (await http.get("/wombats", headers={"Accept": "text/html"})).status_code == 404


async def test_a_defect_is_an_answer_that_says_so():
    _, client = _client(raises=False)
    async with client as http:
        answer = await http.get("/broken")
    assert (answer.status_code, answer.json()["message"]) == (500, "defect of the sandbox: RuntimeError('boom')")


@pytest.mark.parametrize("forge", list(Forge))
async def test_every_fault_on_both_forges(forge):
    expected = {
        "rate_limited": 429,
        "server_error": 500,
        "unavailable": 503,
        "expired_token": 401 if forge is Forge.GITHUB else 203,
    }
    state, client = _client(forge)
    async with client as http:
        for kind, status in expected.items():
            await http.post("/_faults", json={"kind": kind, "seconds": 2})
            answer = await http.get("/things")
            assert (kind, answer.status_code) == (kind, status)
            assert answer.headers.get("retry-after") == ("2" if status in {429, 503} else None)
        await http.post("/_faults", json={"kind": "rate_limited", "status": 403})
        assert ((await http.get("/things")).status_code, state.data) == (403, {})
        await http.post("/_faults", json=[{"kind": "latency", "seconds": 0}, {"kind": "connection_reset"}])
        with pytest.raises(httpx.ReadError):
            await http.get("/things")
        assert state.data == {}
        await http.post("/_faults", json={"kind": "answer_lost", "method": "POST"})
        with pytest.raises(httpx.ReadError):
            await http.post("/things", content=b"x")
        assert state.data == {"calls": 1}
        assert (await http.get("/things")).status_code == 200
        assert (await http.put("/_faults")).status_code == 405
        assert (await http.post("/_faults", content=b"{")).json()["title"] == "The body is not JSON"
        assert (await http.post("/_faults", json=[])).json() == []


async def test_seeds_at_run_time_on_both_forges():
    state, client = _client()
    github = {
        "users": [{"login": "zoe", "token": "t"}],
        "organizations": [{"login": "new", "members": {"zoe": "admin"}}],
    }
    async with client as http:
        assert (await http.post("/_seed", json={"github": github, "azure_devops": {}})).status_code == 204
        assert state.data["github"]["orgs"]["new"]["members"] == {"zoe": "admin"}
        before = json.dumps(state.data)
        for wrong, field in (
            ({"gitlab": {}}, "gitlab"),
            ([], "body"),
            ({"github": {"users": [{"login": ""}]}}, "github.users.0.login"),
            ({"github": {"users": [{"login": "new-one"}]}, "azure_devops": {"wombat": 1}}, "wombat"),
        ):
            refused = await http.post("/_seed", json=wrong)
            assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")
            assert refused.json()["errors"][0]["field"].endswith(field)
        assert json.dumps(state.data) == before


def test_a_whole_seed_is_stored_once():
    hook = {"url": "http://127.0.0.1:9/h", "secret": "s", "events": ["push"]}
    organization = {
        "login": "octo",
        "members": {"Ada": "admin"},
        "hooks": [hook],
        "teams": [{"slug": "core", "members": ["bob"], "repositories": {"app": "push", "none": "pull"}}],
        "repositories": [
            {
                "name": "app",
                "collaborators": {"bob": "push"},
                "labels": ["x", "bug"],
                "hooks": [hook],
                "files": {"a": "1"},
            }
        ],
        "apps": [
            {"name": "A", "public_key": "pem", "repositories": ["app", "none"]},
            {"name": "B", "public_key": "p", "install": False},
        ],
    }
    seed = {
        "github": {
            "users": [{"login": "Ada"}, {"login": "bob", "email": "b@example.com"}],
            "organizations": [organization],
        }
    }
    state = State()
    apply_seed(state, seed)
    apply_seed(state, seed)
    data = state.data["github"]
    org, repo = data["orgs"]["octo"], data["repos"]["octo/app"]
    assert (org["members"], len(org["hooks"]), len(repo["hooks"])) == ({"ada": "admin", "bob": "member"}, 1, 1)
    assert repo["collaborators"] == {"bob": "write"}
    assert org["teams"]["core"]["repos"] == {str(repo["id"]): "write"}
    assert data["users"]["bob"]["email"] == "b@example.com"
    assert [i["repository_ids"] for i in data["installations"].values()] == [[repo["id"]]]
    assert len(data["commits"]) == 1
    organization["repositories"][0]["collaborators"] = {"ghost": "push"}
    organization["teams"][0]["members"] = ["ghost"]
    with pytest.raises(SeedError) as caught:
        apply_seed(state, seed)
    assert [e["field"] for e in caught.value.errors] == [
        "github.organizations.0.teams.0.members",
        "github.organizations.0.repositories.0.collaborators",
    ]


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "s.json"
    State({"a": 1}).save(path)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    state = State({"a": 2})
    state.changed()
    with pytest.raises(OSError, match="No space"):
        state.save(path)
    assert (State.load(path).data, state.dirty, [p.name for p in tmp_path.iterdir()]) == ({"a": 1}, True, ["s.json"])


async def test_what_is_queued_at_the_end_is_recorded_as_unsent():
    told = []
    stuck = asyncio.Event()

    async def never(request):
        await stuck.wait()
        return httpx.Response(200)

    sender = HookSender(State(), FaultRules(), httpx.AsyncClient(transport=httpx.MockTransport(never)))
    for body in (b"a", b"b"):
        sender.enqueue(event="push", url="http://t/", headers={}, body=body, record=lambda *a: told.append(a))
    await asyncio.sleep(0)
    await sender.aclose(grace_seconds=0.02)
    assert told == [(None, "not sent: the sandbox stopped", 0)]


async def test_deliveries_after_a_drop_go_on():
    rules, told, got = FaultRules(), [], []
    rules.add({"kind": "webhook_dropped", "event": "push", "skip": 1}, {"kind": "server_error"})
    transport = httpx.MockTransport(lambda request: got.append(request.content) or httpx.Response(204))
    sender = HookSender(State(), rules, httpx.AsyncClient(transport=transport))
    for event, body in (("push", b"1"), ("issues", b"2"), ("push", b"3"), ("push", b"4")):
        sender.enqueue(event=event, url="http://t/", headers={}, body=body, record=lambda *a: told.append(a[1]))
    await sender.drain()
    await sender.aclose()
    assert (got, told.count(DROPPED), told.count(None)) == ([b"1", b"2", b"4"], 1, 3)


def test_fault_rules_read_back_as_given():
    rules = FaultRules()
    rules.add(FaultRule(kind="latency", seconds=1, method="get"))
    assert rules.listing()[0] | {"seen": 0} == rules.listing()[0]
    assert (rules.listing()[0]["method"], rules.listing()[0]["fired"]) == ("GET", 0)


def test_starts_that_cannot_be(tmp_path, monkeypatch, capsys):
    with bind(0, "GitHub") as taken:
        port = taken.getsockname()[1]
        assert main(["--github-port", str(port), "--azure-devops-port", "0"]) == 2
    assert f"port {port} for GitHub is not free" in capsys.readouterr().err
    with pytest.raises(UnusableError, match="not free"):
        bind(70_000, "GitHub")
    (tmp_path / "sandbox.json").write_text("[")
    with pytest.raises(UnusableError, match="remove the file"):
        read_state(parse(["--state", str(tmp_path)]))
    with pytest.raises(UnusableError, match=r"none\.json"):
        read_state(parse(["--seed", str(tmp_path / "none.json")]))
    monkeypatch.setenv("DONERIGHT_CONTRACTS", str(tmp_path))
    monkeypatch.setattr("local.sandbox.github.contract.PACKAGE", tmp_path / "absent.json")
    monkeypatch.setattr("local.sandbox.github.contract.load", _absent)
    with pytest.raises(UnusableError, match="--contracts: no description"):
        build(State(), parse(["--contracts"]), "http://g", "http://a")


def _absent():
    raise FileNotFoundError("no description")


async def test_serves_until_told_to_stop_and_saves(tmp_path, capsys):
    options = Options(0, 0, tmp_path, None, False, 0.0, 0.0)
    serving = asyncio.create_task(serve(options))
    line = ""
    while not line:
        await asyncio.sleep(0.01)
        assert not serving.done(), serving.exception()
        line = capsys.readouterr().out
    ready = json.loads(line)
    async with httpx.AsyncClient(trust_env=False) as http:
        seed = {"github": {"users": [{"login": "zoe", "token": "t"}]}}
        assert (await http.post(f"{ready['github']}/_seed", json=seed)).status_code == 204
        assert (await http.get(f"{ready['azure_devops']}/_apis")).status_code < 500
        # Changes are on disk within moments, not only at the end.
        while not (tmp_path / "sandbox.json").exists():
            await asyncio.sleep(0.02)
    os.kill(os.getpid(), 15)
    await asyncio.wait_for(serving, 15)
    assert "zoe" in State.load(tmp_path / "sandbox.json").data["github"]["users"]
