"""Commits, items, blobs, trees, refs, statuses and the recycle bin of repositories answer as real git would."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.sandbox.azure_devops.support import ZERO, change, push, refused

pytestmark = pytest.mark.stack
NONE = "f" * 40


@pytest.fixture(scope="module")
def git(clients: Any) -> Any:
    return clients.get_git_client()


@pytest.fixture(scope="module")
def history(git: Any) -> tuple[Any, list[str]]:
    """A repository with three commits on main and one on side."""
    repository = git.create_repository({"name": "history"}, "Shop")
    first = push(
        git,
        repository,
        "main",
        ZERO,
        change("add", "/a.txt", "one"),
        change("add", "/d/b.bin", "AP8=", "base64encoded"),
    )
    second = push(git, repository, "main", first, change("edit", "/a.txt", "two"))
    third = push(git, repository, "main", second, change("delete", "/d"), change("add", "/e/f/g.md", "# g"))
    git.update_refs([{"name": "refs/heads/side", "oldObjectId": ZERO, "newObjectId": first}], repository.id)
    side = push(git, repository, "side", first, change("add", "/side.txt", "s"))
    return repository, [first, second, third, side]


def search(**criteria: Any) -> Any:
    from azure.devops.v7_1.git.models import GitQueryCommitsCriteria

    return GitQueryCommitsCriteria(**criteria)


def version(text: str, kind: str = "branch") -> Any:
    from azure.devops.v7_1.git.models import GitVersionDescriptor

    return GitVersionDescriptor(version=text, version_type=kind)


def test_commits_are_searched_and_shown(git: Any, history: tuple[Any, list[str]]) -> None:
    repository, (first, second, third, side) = history

    def ids(**criteria: Any) -> list[str]:
        return [c.commit_id for c in git.get_commits(repository.id, search(**criteria))]

    assert ids() == [third, second, first]
    assert ids(item_path="/a.txt") == [second, first]
    assert ids(item_path="/e") == [third]
    assert ids(item_version=version("side")) == [side, first]
    assert ids(item_version=version(second, "commit")) == [second, first]
    assert ids(item_version=version("main"), compare_version=version("side")) == [side]
    assert ids(author="ada") == [third, second, first]
    assert ids(author="nobody") == []
    assert ids(from_date="2999-01-01") == []
    assert ids(to_date="2001-01-01") == []
    assert [c.commit_id for c in git.get_commits(repository.id, search(), top=1, skip=1)] == [second]
    refused(lambda: ids(item_version=version("none")), "TF401175")
    batch = git.get_commits_batch(
        {"itemVersion": {"version": "side"}, "compareVersion": {"version": "main"}}, repository.id
    )
    assert [c.commit_id for c in batch] == [third, second]
    shown = git.get_commit(third, repository.id, change_count=5)
    assert (shown.parents, len(shown.changes), shown.push.pushed_by.display_name) == ([second], 2, "Ada Admin")
    changes = git.get_changes(third, repository.id)
    assert changes.change_counts == {"Delete": 1, "Add": 1}
    assert len(git.get_changes(third, repository.id, top=1, skip=1).changes) == 1
    refused(lambda: git.get_commit(NONE, repository.id), "TF401177")


def test_object_ids_are_those_git_gives(git: Any, history: tuple[Any, list[str]], tmp_path: Path) -> None:
    repository, (first, *_) = history
    shown = git.get_commit(first, repository.id)

    def run(*arguments: str, **more: str) -> str:
        environment = {
            "HOME": str(tmp_path),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            **more,
        }
        done = subprocess.run(
            ["git", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    run("init", "-q", ".")
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "b.bin").write_bytes(b"\x00\xff")
    run("add", "a.txt", "d/b.bin")
    tree = run("write-tree")
    assert shown.tree_id == tree
    assert {e.relative_path: e.object_id for e in git.get_tree(repository.id, tree, recursive=True).tree_entries} == {
        line.split("\t")[1]: line.split()[2] for line in run("ls-tree", "-r", "-t", tree).splitlines()
    }


def test_items_in_every_form(git: Any, history: tuple[Any, list[str]], raw: Any) -> None:
    repository, (first, _, third, _) = history
    base = f"/Shop/_apis/git/repositories/{repository.id}"
    assert [i.path for i in git.get_items(repository.id, recursion_level="oneLevel")] == ["/", "/a.txt", "/e"]
    assert [i.path for i in git.get_items(repository.id, scope_path="/e", recursion_level="full")] == [
        "/e",
        "/e/f",
        "/e/f/g.md",
    ]
    assert git.get_item(repository.id, "/e").is_folder
    old = git.get_item(
        repository.id,
        "/a.txt",
        include_content=True,
        include_content_metadata=True,
        version_descriptor=version(first, "commit"),
    )
    assert (old.content, old.content_metadata.extension) == ("one", "txt")
    binary = git.get_item(
        repository.id,
        "/d/b.bin",
        include_content=True,
        include_content_metadata=True,
        version_descriptor=version(first, "commit"),
    )
    assert (binary.content, binary.content_metadata.is_binary) == ("AP8=", True)
    assert (
        b"".join(git.get_item_content(repository.id, "/d/b.bin", version_descriptor=version(first, "commit")))
        == b"\x00\xff"
    )
    download = raw("GET", base + "/items", path="/a.txt", download="true", **{"$format": "octetStream"})
    assert (download.text, download.headers["content-disposition"]) == ("two", "attachment; filename=a.txt")
    refused(lambda: git.get_item(repository.id, "/d", version_descriptor=version("main")), "TF401174")
    descriptors = [
        {"path": "/e", "recursionLevel": "full"},
        {"path": "/", "version": "side", "recursionLevel": "oneLevel"},
    ]
    batch = raw.ok("POST", base + "/itemsBatch", {"itemDescriptors": descriptors})["value"]
    assert [[i["path"] for i in listed] for listed in batch] == [
        ["/e", "/e/f", "/e/f/g.md"],
        ["/", "/a.txt", "/d", "/side.txt"],
    ]
    raw.no(404, "TF401174", "POST", base + "/itemsBatch", {"itemDescriptors": [{"path": "/none"}]})
    blob = git.get_item(repository.id, "/a.txt").object_id
    assert git.get_blob(repository.id, blob).size == 3
    assert b"".join(git.get_blob_content(repository.id, blob)) == b"two"
    with zipfile.ZipFile(io.BytesIO(b"".join(git.get_blob_zip(repository.id, blob)))) as archive:
        assert archive.read(blob) == b"two"
    with zipfile.ZipFile(io.BytesIO(b"".join(git.get_blobs_zip([blob], repository.id)))) as archive:
        assert archive.namelist() == [blob]
    raw.no(404, "TF401180", "POST", base + "/blobs", [NONE])
    refused(lambda: git.get_blob(repository.id, NONE), "TF401180")
    refused(lambda: git.get_tree(repository.id, NONE), "TF401180")
    assert git.get_tree(repository.id, third).tree_entries[0].relative_path == "a.txt"


def test_differences_and_branches(git: Any, history: tuple[Any, list[str]], raw: Any) -> None:
    repository, (first, _, third, side) = history
    base = f"/Shop/_apis/git/repositories/{repository.id}"
    query = {"baseVersion": "main", "targetVersion": "side"}
    found = raw.ok("GET", base + "/diffs/commits", **query)
    assert [c["item"]["path"] for c in found["changes"]] == ["/side.txt"]
    assert (found["commonCommit"], found["aheadCount"], found["behindCount"]) == (first, 1, 2)
    straight = raw.ok("GET", base + "/diffs/commits", diffCommonCommit="false", **query)
    assert straight["changeCounts"] == {"Add": 2, "Delete": 1, "Edit": 1}
    stat = git.get_branch(repository.id, "side")
    assert (stat.ahead_count, stat.behind_count, stat.is_base_version) == (1, 2, False)
    by_side = git.get_branches(repository.id, base_version_descriptor=version("side"))
    assert {b.name: (b.ahead_count, b.behind_count) for b in by_side} == {"main": (2, 1), "side": (0, 0)}
    empty = git.create_repository({"name": "hollow"}, "Shop")
    assert git.get_branches(empty.id) == []
    assert git.get_commits(empty.id, search()) == []
    refused(lambda: git.get_items(empty.id), "TF401175")
    assert [p.push_id for p in git.get_pushes(repository.id, top=1)] == [git.get_pushes(repository.id)[0].push_id]
    number = git.get_pushes(repository.id)[-1].push_id
    assert [c.commit_id for c in git.get_push(repository.id, number).commits] == [first]
    refused(lambda: git.get_push(repository.id, 9999), "TF401020")
    on_side = raw.ok(
        "GET", base + "/pushes", searchCriteria__refName="refs/heads/side", searchCriteria__includeRefUpdates="true"
    )
    assert on_side["value"][0]["refUpdates"][0]["newObjectId"] == side
    assert third


def test_statuses_of_a_commit(git: Any, history: tuple[Any, list[str]], raw: Any) -> None:
    repository, (first, _, third, _) = history
    for state in ("pending", "succeeded"):
        git.create_commit_status({"state": state, "context": {"name": "gate", "genre": "g"}}, third, repository.id)
    assert [s.state for s in git.get_statuses(third, repository.id)] == ["succeeded", "pending"]
    assert [s.state for s in git.get_statuses(third, repository.id, latest_only=True)] == ["succeeded"]
    assert git.get_statuses(first, repository.id) == []
    refused(lambda: git.create_commit_status({"state": "odd", "context": {"name": "g"}}, third, repository.id), "state")
    refused(lambda: git.create_commit_status({"state": "failed"}, third, repository.id), "context.name")
    refs = git.get_refs(repository.id, filter="heads/main", include_statuses=True)
    assert [(r.name, len(r.statuses)) for r in refs] == [("refs/heads/main", 2)]
    paged = raw("GET", f"/Shop/_apis/git/repositories/{repository.id}/refs", **{"$top": "1"})
    token = paged.headers["x-ms-continuationtoken"]
    rest = raw.ok("GET", f"/Shop/_apis/git/repositories/{repository.id}/refs", continuationToken=token)
    assert [r["name"] for r in rest["value"]] == ["refs/heads/side"]


def test_refs_are_locked_and_refused(git: Any, connect: Any) -> None:
    repository = git.create_repository({"name": "locks"}, "Shop")
    base = push(git, repository, "main", ZERO, change("add", "/a", "1"))
    assert git.update_ref({"isLocked": True}, repository.id, "heads/main").is_locked
    dev = connect("dev").clients_v7_1.get_git_client()
    refused(lambda: push(dev, repository, "main", base, change("add", "/b", "2")), "locked")
    git.update_ref({"isLocked": False}, repository.id, "heads/main")
    assert push(dev, repository, "main", base, change("add", "/b", "2"))
    refused(lambda: git.update_ref({"isLocked": True}, repository.id, "heads/none"), "does not exist")
    answers = git.update_refs(
        [
            {"name": "refs/heads/a b", "oldObjectId": ZERO, "newObjectId": base},
            {"name": "refs/heads/x", "oldObjectId": ZERO, "newObjectId": NONE},
            {"name": "refs/tags/v1", "oldObjectId": ZERO, "newObjectId": base},
        ],
        repository.id,
    )
    assert [a.update_status for a in answers] == ["invalidRefName", "unresolvableToCommit", "succeeded"]
    assert b"".join(git.get_item_content(repository.id, "/a", version_descriptor=version("v1", "tag"))) == b"1"
    gone = git.update_refs([{"name": "refs/tags/v1", "oldObjectId": base, "newObjectId": ZERO}], repository.id)
    assert gone[0].success
    assert [r.name for r in git.get_refs(repository.id)] == ["refs/heads/main"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([change("add", "/a", "again")], "TF402457"),
        ([change("add", "/a/below", "x")], "both a file and a folder"),
        ([change("add", "/d", "x")], "both a file and a folder"),
        ([change("add", "/../up", "x")], "VS403690"),
        ([change("add", "/x//y", "x")], "VS403690"),
        ([change("add", "/", "x")], "path"),
        ([change("add", "/n")], "newContent"),
        ([change("add", "/n", "not base 64!", "base64encoded")], "base 64"),
        ([change("delete", "/none")], "TF401174"),
        ([change("rename", "/n") | {"sourceServerItem": "/none"}], "TF401174"),
        ([change("rename", "/a") | {"sourceServerItem": "/d/b"}], "TF402457"),
        ([change("copy", "/n", "x")], "VS403696"),
        ([], "VS403672"),
    ],
)
def test_changes_that_cannot_be_applied_leave_no_trace(
    git: Any, simulator: Any, changes: list[Any], words: str
) -> None:
    repository = next((r for r in git.get_repositories("Shop") if r.name == "strict"), None)
    if repository is None:
        repository = git.create_repository({"name": "strict"}, "Shop")
        push(git, repository, "main", ZERO, change("add", "/a", "1"), change("add", "/d/b", "2"))
    held = simulator.org["projects"][repository.project.id]["repositories"][repository.id]
    before = (sorted(held["blobs"]), sorted(held["commits"]), dict(held["refs"]))
    tip = held["refs"]["refs/heads/main"]["objectId"]
    refused(lambda: push(git, repository, "main", tip, *changes), words)
    assert (sorted(held["blobs"]), sorted(held["commits"]), dict(held["refs"])) == before


def test_pushes_are_checked_as_a_whole(git: Any, raw: Any) -> None:
    repository = git.create_repository({"name": "whole"}, "Shop")
    route = f"/Shop/_apis/git/repositories/{repository.id}/pushes"
    update = {"name": "refs/heads/main", "oldObjectId": ZERO}
    commit = {"comment": "c", "changes": [change("add", "/a", "1")]}
    raw.no(400, "VS403670", "POST", route, {"refUpdates": [], "commits": [commit]})
    raw.no(400, "VS403671", "POST", route, {"refUpdates": [update], "commits": []})
    raw.no(400, "TF401035", "POST", route, {"refUpdates": [{**update, "name": "main"}], "commits": [commit]})
    raw.no(400, "TF401035", "POST", route, {"refUpdates": [update], "commits": [{**commit, "parents": [NONE]}]})
    bad_date = {**commit, "author": {"name": "A", "email": "a@x", "date": "someday"}}
    raw.no(400, "someday", "POST", route, {"refUpdates": [update], "commits": [bad_date]})
    dated = {**commit, "author": {"name": "A", "email": "a@x", "date": "2020-02-03T04:05:06"}}
    made = raw.ok("POST", route, {"refUpdates": [update], "commits": [dated]})
    tip = made["refUpdates"][0]["newObjectId"]
    assert git.get_commit(tip, repository.id).author.name == "A"
    moved = [change("rename, edit", "/z", "3") | {"sourceServerItem": "/a"}]
    push(git, repository, "main", tip, *moved)
    assert [i.path for i in git.get_items(repository.id, recursion_level="full")] == ["/", "/z"]
    branched = {
        "refUpdates": [{"name": "refs/heads/b", "oldObjectId": ZERO}],
        "commits": [{**commit, "parents": [tip], "changes": [change("add", "/b", "1")]}],
    }
    raw.ok("POST", route, branched)
    assert [c.commit_id for c in git.get_commits(repository.id, search(item_version=version("b")))][1] == tip


def test_repositories_go_to_the_bin_and_back(git: Any, raw: Any, connect: Any) -> None:
    refused(lambda: git.delete_repository(git.get_repositories("Sprint")[0].id, "Sprint"), "TF400712")
    repository = git.create_repository({"name": "bin"}, "Sprint")
    refused(
        lambda: git.update_repository({"defaultBranch": "refs/heads/none"}, repository.id, "Sprint"), "does not exist"
    )
    refused(lambda: git.update_repository({"name": "a/b"}, repository.id, "Sprint"), "TF401025")
    refused(lambda: git.create_repository({"name": " "}, "Sprint"), "name")
    raw.no(400, "project", "POST", "/_apis/git/repositories", {"name": "lost"})
    assert git.update_repository({"name": "binned"}, repository.id, "Sprint").name == "binned"
    git.update_repository({"isDisabled": True}, repository.id, "Sprint")
    refused(lambda: git.get_refs(repository.id, "Sprint"), "TF401019")
    assert git.get_repository(repository.id).is_disabled
    git.update_repository({"isDisabled": False}, repository.id, "Sprint")
    dev = connect("dev").clients_v7_1.get_git_client()
    refused(lambda: dev.delete_repository(repository.id, "Sprint"), "TF401027")
    git.delete_repository(repository.id, "Sprint")
    assert [r.name for r in git.get_recycle_bin_repositories("Sprint")] == ["binned"]
    taken = git.create_repository({"name": "binned"}, "Sprint")
    git.delete_repository(taken.id, "Sprint")
    git.delete_repository_from_recycle_bin("Sprint", taken.id)
    refused(lambda: git.delete_repository_from_recycle_bin("Sprint", taken.id), "TF401019")
    assert git.restore_repository_from_recycle_bin({"deleted": False}, "Sprint", repository.id).name == "binned"
    refused(lambda: git.restore_repository_from_recycle_bin({"deleted": False}, "Sprint", repository.id), "TF401019")


def test_who_contributes_to_one_project_only_cannot_reach_another_without_naming_it(
    simulator: Any, git: Any, raw: Any
) -> None:
    repository = git.create_repository({"name": "guarded"}, "Formal")
    user = next(u for u in simulator.org["users"].values() if u["token"] == "reader-token")
    user["permissions"] = ["reader", "contributor:Shop"]
    body = {
        "refUpdates": [{"name": "refs/heads/main", "oldObjectId": ZERO}],
        "commits": [{"comment": "c", "changes": [change("add", "/a", "1")]}],
    }
    raw.no(403, "TF401027", "POST", f"/_apis/git/repositories/{repository.id}/pushes", body, who="reader")
    user["permissions"] = ["reader", "contributor:Formal"]
    raw.ok("POST", f"/_apis/git/repositories/{repository.id}/pushes", body, who="reader")
    user["permissions"] = ["reader"]
