"""Pages and forms, faults over a real socket, the contract's refusals, and a state that outlives the process."""

from __future__ import annotations

import json
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from local.sandbox.github.app import build_github
from local.sandbox.github.contract import OpenApiContract, find, load
from local.sandbox.seed import SeedError, apply_seed
from local.sandbox.state import State

HTML = {"Accept": "text/html"}


def test_pages_show_the_state(sandbox):
    repo = sandbox.repo()
    repo.create_file("src/app.py", "Add", "print(1)\n")
    repo.create_file(".github/workflows/ci.yml", "CI", "name: CI\n")
    repo.create_issue("<b>Wish</b>", body="**strong** text", labels=["bug"]).create_comment("answer")
    repo.create_git_ref("refs/heads/f", repo.get_branch("main").commit.sha)
    repo.create_file("x.txt", "Add", "x\n", branch="f")
    pull = repo.create_pull(base="main", head="f", title="Change")
    repo.get_branch("main").edit_protection(strict=True, contexts=["gate"], required_approving_review_count=1)
    hook = repo.create_hook("web", {"url": "http://127.0.0.1:9/none", "content_type": "json"}, ["push"])
    base = f"/octo/{repo.name}"
    expected = {
        "/": "octo",
        "/octo": repo.name,
        base: "app.py",
        f"{base}/tree/f": "x.txt",
        f"{base}/blob/main/src/app.py": "print",
        f"{base}/blob/main/README.md": repo.name,
        f"{base}/issues": "&lt;b&gt;Wish",
        f"{base}/issues/1": "<strong>strong</strong>",
        f"{base}/issues/new": "Submit new issue",
        f"{base}/pulls": "Change",
        f"{base}/pull/{pull.number}": "Required status check",
        f"{base}/actions": "ci.yml",
        f"{base}/branches": "protected",
        f"{base}/rules": "Ruleset",
        f"{base}/settings/hooks": "127.0.0.1:9",
        f"{base}/settings/hooks/{hook.id}": "Deliveries",
        "/organizations/octo/settings/apps/new": "Manifest",
        "/apps/done-right": "Permissions",
    }
    with sandbox.http(None, **HTML) as http:
        for path, text in expected.items():
            answer = http.get(path)
            assert (path, answer.status_code, text in answer.text) == (path, 200, True)
        for path in ("/nobody/nothing", f"{base}/issues/99", f"{base}/blob/main/none.txt"):
            assert http.get(path).status_code == 404
        assert http.get(f"{base}/raw/main/src/app.py", headers={"Accept": "*/*"}).text == "print(1)\n"


def test_forms_act_as_the_chosen_person(sandbox):
    repo = sandbox.repo()
    base = f"/octo/{repo.name}"
    with sandbox.http(None, **HTML) as http:
        made = http.post(
            f"{base}/issues", data={"user": "bob", "title": "By form", "body": "x", "labels": "bug, question"}
        )
        assert (made.status_code, made.headers["location"]) == (303, f"{base}/issues/1")
        said = http.post(f"{base}/issues/1/comments", data={"user": "eve", "body": "Me too"})
        assert said.status_code == 303
        assert http.post(f"{base}/issues", data={"user": "nobody", "title": "x"}).status_code == 422
        assert http.post(f"{base}/issues", data={"user": "bob", "title": ""}).status_code == 422
    issue = repo.get_issue(1)
    assert (issue.user.login, {label.name for label in issue.labels}) == ("bob", {"bug", "question"})
    assert [c.user.login for c in issue.get_comments()] == ["eve"]


def test_manifest_flow_makes_a_working_app(sandbox, receiver):
    manifest = {
        "name": "Made Here",
        "url": "http://127.0.0.1/app",
        "redirect_url": "http://127.0.0.1/back?x=1",
        "hook_attributes": {"url": receiver.url},
        "default_permissions": {"issues": "write"},
        "default_events": ["issues"],
    }
    with sandbox.http(None) as http:
        back = http.post("/organizations/octo/settings/apps/new?state=abc", data={"manifest": json.dumps(manifest)})
        query = parse_qs(urlsplit(back.headers["location"]).query)
        assert (back.status_code, query["state"], query["x"]) == (302, ["abc"], ["1"])
        made = http.post(f"/app-manifests/{query['code'][0]}/conversions")
        assert made.status_code == 201
        app = made.json()
        assert "BEGIN RSA PRIVATE KEY" in app["pem"]
        assert http.post(f"/app-manifests/{query['code'][0]}/conversions").status_code == 404
        assert http.post("/organizations/octo/settings/apps/new", data={"manifest": "{"}).status_code == 400
        assert http.post("/organizations/octo/settings/apps/new", data={"manifest": "{}"}).status_code == 400
        assert http.post(f"/apps/{app['slug']}/installations/new", data={"account": "octo"}).status_code == 303
    headers, body = receiver.wait(1)[0]
    assert (headers["x-github-event"], json.loads(body)["action"]) == ("installation", "created")
    sandbox.repo().create_issue("Heard by the app")
    headers, body = receiver.wait(2)[1]
    assert headers["x-github-hook-installation-target-type"] == "integration"
    assert json.loads(body)["installation"]["id"] > 0


def _manifest(name, **more):
    return json.dumps({"name": name, "url": "http://127.0.0.1/", "redirect_url": "http://127.0.0.1/back", **more})


@pytest.mark.parametrize("name", ["Done Right", "done right", "Done-Right!", "bob", "Octo"])
def test_a_taken_app_name_is_refused_at_the_form(sandbox, name):
    with sandbox.http(None) as http:
        owner = "poor" if name == "Octo" else "octo"
        refused = http.post(f"/organizations/{owner}/settings/apps/new", data={"manifest": _manifest(name)})
        assert (refused.status_code, "Name is already taken" in refused.text) == (422, True)
        assert "location" not in refused.headers


def test_an_app_may_have_the_name_of_its_owner(sandbox):
    with sandbox.http(None) as http:
        answer = http.post("/organizations/poor/settings/apps/new", data={"manifest": _manifest("Poor")})
        assert answer.status_code == 302


def test_a_name_taken_between_form_and_conversion_is_refused_and_no_slug_is_there_twice(sandbox):
    with sandbox.http(None) as http:
        codes = []
        for name in ("Raced For", "raced-for"):
            back = http.post("/organizations/octo/settings/apps/new", data={"manifest": _manifest(name)})
            codes += parse_qs(urlsplit(back.headers["location"]).query)["code"]
        first, second = (http.post(f"/app-manifests/{code}/conversions") for code in codes)
        assert (first.status_code, second.status_code) == (201, 422)
        assert second.json()["errors"][0]["message"] == "Name is already taken"
        assert http.get("/apps/raced-for").json()["id"] == first.json()["id"]


def test_a_person_can_give_another_name_on_the_page_that_refuses_one(sandbox):
    with sandbox.http(None, **HTML) as http:
        sent = {"manifest": _manifest("Done Right", description='<b>"quoted"</b>')}
        page = http.post("/organizations/octo/settings/apps/new?state=s%201", data=sent)
        assert page.status_code == 422
        assert "Name is already taken" in page.text
        assert '<b>"quoted"' not in page.text
        form = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        fields = {
            unescape(given["name"]): unescape(given["value"])
            for given in (
                dict(re.findall(r'(name|value)="([^"]*)"', tag)) for tag in re.findall("<input[^>]*>", page.text)
            )
        }
        assert fields == sent | {"name": "Done Right"}
        back = http.post(unescape(form[1]), data=fields | {"name": "Done Otherwise"})
        query = parse_qs(urlsplit(back.headers["location"]).query)
        assert query["state"] == ["s 1"]
        assert http.post(f"/app-manifests/{query['code'][0]}/conversions").json()["slug"] == "done-otherwise"


def test_a_seed_with_a_taken_app_name_is_refused(sandbox):
    state = State()
    apps = [{"name": name, "public_key": "PEM", "install": False} for name in ("Same Name", "same-name", "ada")]
    organization = {"login": "octo", "apps": apps}
    with pytest.raises(SeedError) as caught:
        apply_seed(state, {"github": {"users": [{"login": "ada"}], "organizations": [organization]}})
    assert [error["field"] for error in caught.value.errors] == [
        "github.organizations.0.apps.1.name",
        "github.organizations.0.apps.2.name",
    ]
    assert not any(state.data.get("github", {}).values())


def test_faults_over_a_socket(sandbox):
    repo = sandbox.repo()
    path = f"/repos/{repo.full_name}/issues"
    with sandbox.http() as http:
        rules = [
            {"kind": "rate_limited", "path": "/issues", "method": "POST", "seconds": 7},
            {"kind": "server_error", "path": "/issues"},
            {"kind": "unavailable", "path": "/issues"},
            {"kind": "expired_token", "path": "/issues"},
            {"kind": "connection_reset", "path": "/issues"},
            {"kind": "answer_lost", "method": "POST", "path": "/issues"},
        ]
        assert http.post("/_faults", json=rules).status_code == 201
        limited = http.post(path, json={"title": "1"})
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
        assert "secondary rate limit" in limited.json()["message"]
        assert [http.post(path, json={"title": "2"}).status_code for _ in range(3)] == [500, 503, 401]
        for _ in range(2):
            with pytest.raises(httpx.ReadError):
                http.post(path, json={"title": "3"})
        assert [i.title for i in repo.get_issues()] == ["3"]
        assert [r["fired"] for r in http.get("/_faults").json()] == [1] * 6
        assert http.delete("/_faults").status_code == 204
        bad = http.post(
            "/_faults", json=[{"kind": "wombat"}, {"kind": "latency"}, {"kind": "server_error", "path": "("}]
        )
        assert bad.status_code == 400
        assert bad.headers["content-type"] == "application/problem+json"
        assert [e["field"] for e in bad.json()["errors"]] == ["0.kind", "1", "2.path"]
        assert http.get("/_faults").json() == []
        kept = http.get("/_requests").json()
        assert [r["status"] for r in kept if r["path"] == path and r["method"] == "POST"] == [
            429,
            500,
            503,
            401,
            None,
            None,
        ]


@pytest.mark.contract
def test_unknown_calls_are_refused_and_kept(sandbox):
    try:
        find()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    with sandbox.http() as http:
        http.delete("/_violations")
        refused = http.get("/repos/octo/intake/wombats")
        assert refused.status_code == 501
        assert http.post("/orgs/octo/repos", json={"nam": "x"}).json()["violations"] == [
            "body: 'name' is a required property"
        ]
        assert http.get("/repos/octo/intake/issues?state=odd").status_code == 501
        assert [v["path"] for v in http.get("/_violations").json()] == [
            "/repos/octo/intake/wombats",
            "/orgs/octo/repos",
            "/repos/octo/intake/issues",
        ]
        assert http.delete("/_violations").status_code == 204
        assert load() is load()


def test_a_missing_contract_is_named(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.json")
    small = OpenApiContract({"paths": {"/a/{b}": {"get": {"responses": {}}}}})
    assert small.check("GET", "/a/1", {}, {}, b"") == []
    assert small.check("POST", "/a/1", {}, {}, b"") == ["POST /a/1 is not in GitHub's API description"]


def test_state_outlives_the_process(tmp_path, serve, seed):
    state = State()
    apply_seed(state, seed)
    with serve(state) as first:
        first.github().get_repo("octo/intake").create_issue("Kept")
    state.save(tmp_path / "s.json")
    with serve(State.load(tmp_path / "s.json")) as second:
        issue = second.github().get_repo("octo/intake").get_issue(1)
        assert (issue.title, issue.html_url) == ("Kept", f"{second.url}/octo/intake/issues/1")
        assert second.github().get_repo("octo/intake").create_issue("Next").number == 2


async def test_in_process_and_seeding_at_run_time():
    app = build_github(State(), base_url="http://sandbox")
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        part = {
            "users": [{"login": "zoe", "token": "zoe-token"}],
            "organizations": [{"login": "new", "members": {"zoe": "admin"}}],
        }
        assert (await http.post("/_seed", json={"github": part})).status_code == 204
        assert (await http.post("/_seed", json={"github": part})).status_code == 204
        assert (await http.get("/orgs/new")).json()["login"] == "new"
        wrong = {"github": {"organizations": [{"login": "x", "members": {"ghost": "admin"}}]}}
        refused = await http.post("/_seed", json=wrong)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "github.organizations.0.members")
        assert (await http.post("/_seed", content=b"{")).status_code == 400
        await http.post("/_faults", json={"kind": "connection_reset", "path": "^/orgs"})
        with pytest.raises(httpx.ReadError):
            await http.get("/orgs/new")


def test_seed_names_what_is_wrong():
    with pytest.raises(SeedError) as caught:
        apply_seed(State(), {"github": {"users": [{"login": "a b"}], "wombat": 1}})
    assert {e["field"] for e in caught.value.errors} == {"github.users.0.login", "github.wombat"}
    with pytest.raises(SeedError):
        apply_seed(State(), {"gitlab": {}})
    with pytest.raises(SeedError):
        apply_seed(State(), [])
