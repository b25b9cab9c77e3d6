from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.domain.forge import Hook, RepositoryRef
from shared.errors import RefusedError
from tests.unit.shared.adapters.github.scripted import Answer, Asked, scripted

REF = RepositoryRef(owner="acme", name="shop")
TAKEN = Answer(
    422,
    {
        "message": "Repository creation failed.",
        "errors": [{"resource": "Repository", "field": "name", "message": "name already exists on this account"}],
    },
)


class Noon:
    def now(self):
        return datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def server():
    with scripted() as script:
        yield script


@pytest.fixture
def forge(server):
    return GitHubForge(PersonalAccessToken(token=SecretStr("t")), base_url=server.url, clock=Noon())


def _entry(path, kind, sha):
    return {
        "path": path,
        "type": kind,
        "sha": sha,
        "mode": {"blob": "100644", "tree": "040000", "commit": "160000"}[kind],
    }


def test_a_tree_that_github_cuts_short_is_walked_folder_by_folder(server, forge):
    def root(asked: Asked) -> Answer:
        whole = [_entry("a.txt", "blob", "1"), _entry("src", "tree", "t"), _entry("vendored", "commit", "c")]
        return Answer(200, {"truncated": "recursive" in asked.query, "tree": whole[: 1 if asked.query else 3]})

    server.on("GET", "/repos/acme/shop/git/trees/head", root)
    server.on(
        "GET", "/repos/acme/shop/git/trees/t", Answer(200, {"truncated": False, "tree": [_entry("b.py", "blob", "2")]})
    )
    assert forge.file_digests(REF, "head") == {"a.txt": "1", "src/b.py": "2"}


def test_a_name_that_is_taken_by_something_unseen_is_refused(server, forge):
    server.on("GET", "/users/acme", Answer(200, {"type": "Organization"}))
    server.on("POST", "/orgs/acme/repos", TAKEN)
    with pytest.raises(RefusedError, match="does not show it"):
        forge.create_repository(REF, description="", private=True)


def test_a_deletion_that_github_hides_is_refused_when_the_repository_is_still_there(server, forge):
    shown = {
        "id": 1,
        "name": "shop",
        "owner": {"login": "acme"},
        "html_url": "https://github.com/acme/shop",
        "clone_url": "https://github.com/acme/shop.git",
        "private": False,
        "description": None,
        "default_branch": "main",
    }
    server.on("GET", "/repos/acme/shop", Answer(200, shown))
    with pytest.raises(RefusedError, match="refused to delete") as caught:
        forge.delete_repository(REF)
    assert "delete_repo" in caught.value.remedy


def test_a_webhook_in_the_way_that_is_not_shown_is_refused(server, forge):
    server.on("GET", "/repos/acme/shop/hooks", Answer(200, []))
    exists = [{"resource": "Hook", "code": "custom", "message": "Hook already exists on this repository"}]
    server.on("POST", "/repos/acme/shop/hooks", Answer(422, {"message": "Validation Failed", "errors": exists}))
    with pytest.raises(RefusedError, match="already exists") as caught:
        forge.create_hook(REF, Hook(url="https://x.example", events=("push",)), "secret-1")
    assert "secret-1" not in str(caught.value)


def test_deleting_a_webhook_where_webhooks_are_hidden_is_refused(server, forge):
    with pytest.raises(RefusedError):
        forge.delete_hook(REF, "5")


def _delivery(number, guid, status, when):
    return {"id": number, "guid": guid, "status_code": status, "delivered_at": when, "event": "issues"}


def test_only_deliveries_of_which_no_attempt_arrived_count_as_failed(server, forge):
    hook = {"id": 5, "config": {"url": "https://ours.example"}, "events": ["issues"], "active": True}
    server.on("GET", "/repos/acme/shop/hooks", Answer(200, [hook]))
    listed = [
        _delivery(9, "late", 500, "2026-03-01T11:59:00Z"),
        _delivery(8, "mended", 200, "2026-03-01T11:58:00Z"),
        _delivery(7, "mended", 502, "2026-03-01T11:57:00Z"),
        _delivery(6, "late", 0, "2026-03-01T11:56:00Z"),
        _delivery(5, "fine", 202, "2026-03-01T11:55:00Z"),
        _delivery(4, "old", 500, "2026-03-01T11:00:00Z"),
    ]
    more = {"Link": '<http://x/?cursor=v1_1>; rel="next"'}
    server.on("GET", "/repos/acme/shop/hooks/5/deliveries", Answer(200, listed, more))
    failed = forge.failed_deliveries(REF, datetime(2026, 3, 1, 11, 30, tzinfo=UTC))
    assert [(delivery.id, delivery.guid, delivery.hook_id) for delivery in failed] == [("9", "late", "5")]
    assert len(server.calls("GET", "/repos/acme/shop/hooks/5/deliveries")) == 1
