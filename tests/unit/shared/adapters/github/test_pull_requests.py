"""What GitHub's plans and servers do differently about pull requests, which the simulator does not show."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.domain.forge import RepositoryRef
from shared.domain.pull_request import BranchChange, PullRequestText
from shared.errors import ConflictError, RefusedError
from tests.unit.shared.adapters.github.scripted import Answer, scripted
from tests.unit.shared.adapters.github.test_repositories import Noon

REF = RepositoryRef(owner="acme", name="shop")
PULLS = "/repos/acme/shop/pulls"
DRAFT = PullRequestText(title="Newer", body="b", draft=True)


@pytest.fixture
def server():
    with scripted() as script:
        yield script


@pytest.fixture
def forge(server):
    return GitHubForge(PersonalAccessToken(token=SecretStr("t")), base_url=server.url, clock=Noon())


def a_pull(**changes):
    return {
        "number": 7, "html_url": "u", "state": "open", "merged_at": None, "draft": False, "title": "Newer", "body": None,
        "head": {"ref": "f"}, "base": {"ref": "main"}, "node_id": "PR_7",
    } | changes  # fmt: skip


def refusal(message):
    return Answer(422, {"message": "Validation Failed", "errors": [{"resource": "PullRequest", "message": message}]})


def test_where_the_plan_has_no_drafts_it_is_opened_ready(server, forge):
    server.on(
        "POST", PULLS, refusal("Draft pull requests are not supported in this repository."), Answer(201, a_pull())
    )
    made = forge.create_pull_request(REF, "f", "main", DRAFT)
    assert not made.draft
    assert [asked.body["draft"] for asked in server.calls("POST", PULLS)] == [True, False]


def test_any_other_refusal_is_told(server, forge):
    server.on("POST", PULLS, refusal("No commits between main and f"))
    with pytest.raises(RefusedError, match="No commits between"):
        forge.create_pull_request(REF, "f", "main", DRAFT)
    assert len(server.calls("POST", PULLS)) == 1


def test_one_that_exists_and_cannot_be_found_asks_for_another_look(server, forge):
    server.on("POST", PULLS, refusal("A pull request already exists for acme:f."))
    server.on("GET", PULLS, Answer(200, [a_pull(base={"ref": "other"}), a_pull(state="closed")]))
    with pytest.raises(ConflictError):
        forge.create_pull_request(REF, "f", "main", DRAFT)


def test_a_draft_that_the_plan_does_not_offer_stays_ready(server, forge):
    server.on("PATCH", f"{PULLS}/7", Answer(200, a_pull()))
    server.on("POST", "/graphql", Answer(200, {"errors": [{"message": "Draft pull requests are not supported"}]}))
    forge.edit_pull_request(REF, 7, DRAFT)
    assert len(server.calls("POST", "/graphql")) == 1


def test_a_draft_that_may_not_be_changed_is_refused_with_its_permission(server, forge):
    server.on("PATCH", f"{PULLS}/7", Answer(200, a_pull()))
    server.on("POST", "/graphql", Answer(200, {"errors": [{"message": "Resource not accessible by integration"}]}))
    with pytest.raises(RefusedError) as refused:
        forge.edit_pull_request(REF, 7, DRAFT)
    assert "pull_requests=write" in refused.value.remedy


def test_a_closed_one_is_not_turned_into_a_draft(server, forge):
    server.on("PATCH", f"{PULLS}/7", Answer(200, a_pull(state="closed")))
    forge.edit_pull_request(REF, 7, DRAFT, closed=True)
    assert server.calls("PATCH", f"{PULLS}/7")[0].body["state"] == "closed"
    assert server.calls("POST", "/graphql") == []


def test_on_a_server_of_ones_own_graphql_lies_beside_rest(server):
    forge = GitHubForge(PersonalAccessToken(token=SecretStr("t")), base_url=f"{server.url}/api/v3", clock=Noon())
    server.on("PATCH", f"/api/v3{PULLS}/7", Answer(200, a_pull()))
    server.on("POST", "/api/graphql", Answer(200, {"data": {}}))
    forge.edit_pull_request(REF, 7, DRAFT)
    assert server.calls("POST", "/api/graphql")[0].body["variables"] == {"id": "PR_7"}


def test_a_branch_made_by_another_meanwhile_is_not_written_over(server, forge):
    git = "/repos/acme/shop/git"
    server.on("GET", f"{git}/commits/h", Answer(200, {"sha": "h", "tree": {"sha": "t"}, "parents": [], "message": ""}))
    server.on("POST", f"{git}/trees", Answer(201, {"sha": "t2"}))
    server.on("POST", f"{git}/commits", Answer(201, {"sha": "c"}))
    server.on("POST", f"{git}/refs", Answer(422, {"message": "Reference already exists"}))
    change = BranchChange(added={"a": b"1"}, removed=frozenset({"b"}))
    with pytest.raises(ConflictError):
        forge.write_branch(REF, "f", change, onto="h", replacing=None, message="m")
    (tree,) = server.calls("POST", f"{git}/trees")
    assert tree.body["base_tree"] == "t"
    assert [(entry["path"], entry.get("sha", "content")) for entry in tree.body["tree"]] == [
        ("b", None),
        ("a", "content"),
    ]
