"""Branches and pull requests of both forges against the simulators, held to the same promises, with answers lost."""

from contextlib import contextmanager

import pytest

from local.sandbox.github.app import build_github
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.domain.blobs import blob_sha
from shared.domain.forge import RepositoryRef
from shared.domain.pull_request import BranchChange, PullRequestState, PullRequestText
from shared.errors import ConflictError, RefusedError, TransientError
from tests.integration.adapters.azure_sandbox import sandbox_with_contract
from tests.integration.adapters.serving import served
from tests.integration.adapters.test_github import Sandbox as GitHubSandbox
from tests.integration.adapters.test_github import _seed

FIRST = {"README.md": b"# Shop\r\n", "bin/run": b"#!/bin/sh\n", "logo.png": bytes(range(256)), "old.txt": b"old\n"}
TEXT = PullRequestText(title="Newer", body="What changed\n\n| a | b |\n| --- | --- |\n| 1 | 2 |")
BRANCH = "doneright/scaffold-2"


@contextmanager
def github():
    state = State()
    apply_seed(state, _seed())
    with served(lambda url: build_github(state, base_url=url)) as (url, app):
        yield GitHubSandbox(url, app, state), RepositoryRef(owner="acme", name="shop-two")


@contextmanager
def azure_devops():
    with sandbox_with_contract() as sandbox:
        yield sandbox, RepositoryRef(owner="Shop", name="Shop")
        assert sandbox.violations() == []


@pytest.fixture(params=[github, azure_devops], ids=["github", "azure_devops"])
def place(request):
    with request.param() as (sandbox, ref):
        forge = sandbox.forge()
        forge.create_repository(ref, description="d", private=True)
        head = forge.commit_files(ref, "main", FIRST, message="First", executable={"bin/run"})
        yield sandbox, forge, ref, head


def write(forge, ref, onto, replacing=None, branch=BRANCH, **change):
    given = change or {
        "added": {"new/file.txt": b"new\n"},
        "edited": {"README.md": b"# Shop 2\r\n"},
        "removed": {"old.txt"},
    }
    given["removed"] = frozenset(given.get("removed", ()))
    return forge.write_branch(
        ref, branch, BranchChange(**given), onto=onto, replacing=replacing, message="Newer\n\nDoneright-Scaffold: x"
    )


def test_a_tree_tells_digests_and_modes_and_gives_back_every_byte(place):
    _, forge, ref, head = place
    tree = forge.tree(ref, head)
    assert {path: file.digest for path, file in tree.items()} == {path: blob_sha(c) for path, c in FIRST.items()}
    assert tree["bin/run"].executable is forge.takes_modes
    assert not tree["README.md"].executable
    for path, file in tree.items():
        assert forge.file_content(ref, file.digest) == FIRST[path]
    with pytest.raises(RefusedError):
        forge.file_content(ref, "f" * 40)
    with pytest.raises(RefusedError):
        forge.commit(ref, "f" * 40)


def test_a_branch_is_one_commit_on_top_of_the_other(place):
    _, forge, ref, head = place
    commit = write(forge, ref, head)
    assert forge.branch_head(ref, BRANCH) == commit
    assert forge.branch_head(ref, "main") == head
    shown = forge.commit(ref, commit)
    assert shown.parents == (head,)
    assert shown.message.splitlines()[-1] == "Doneright-Scaffold: x"
    wanted = {**FIRST, "new/file.txt": b"new\n", "README.md": b"# Shop 2\r\n"}
    del wanted["old.txt"]
    assert forge.file_digests(ref, commit) == {path: blob_sha(content) for path, content in wanted.items()}
    assert forge.branch_head(ref, f"{BRANCH}-next") is None


def test_a_branch_is_replaced_by_one_commit_on_the_newer_head(place):
    _, forge, ref, head = place
    before = write(forge, ref, head)
    newer = write(forge, ref, head, replacing=head, branch="main", added={"theirs.txt": b"1\n"})
    after = write(forge, ref, newer, replacing=before)
    assert forge.branch_head(ref, BRANCH) == after
    assert forge.commit(ref, after).parents == (newer,)
    assert {"theirs.txt", "new/file.txt"} <= set(forge.tree(ref, after))


def test_a_branch_that_moved_is_not_written_over(place):
    _, forge, ref, head = place
    ours = write(forge, ref, head)
    theirs = write(forge, ref, ours, replacing=ours, added={"theirs.txt": b"1\n"})
    with pytest.raises(ConflictError):
        write(forge, ref, head, replacing=ours)
    with pytest.raises(ConflictError):
        write(forge, ref, head)
    assert forge.branch_head(ref, BRANCH) == theirs


def test_modes_are_kept_where_the_forge_takes_them(place):
    _, forge, ref, head = place
    commit = write(
        forge,
        ref,
        head,
        added={"bin/new": b"#!/bin/sh\n"},
        edited={"bin/run": b"#!/bin/sh\nset -e\n"},
        executable=frozenset({"bin/new", "bin/run"}),
    )
    tree = forge.tree(ref, commit)
    assert {tree["bin/new"].executable, tree["bin/run"].executable} == {forge.takes_modes}


def test_a_file_can_become_the_folder_of_others(place):
    _, forge, ref, head = place
    commit = write(forge, ref, head, added={"old.txt/inner": b"1\n"}, removed={"old.txt"})
    assert "old.txt/inner" in forge.tree(ref, commit)
    assert "old.txt" not in forge.tree(ref, commit)


def test_a_pull_request_is_opened_once_and_shown_as_written(place):
    sandbox, forge, ref, head = place
    write(forge, ref, head)
    assert list(forge.pull_requests(ref, BRANCH)) == []
    sandbox.lose_answer("POST", "/pull[sR]")
    with pytest.raises(TransientError):
        forge.create_pull_request(ref, BRANCH, "main", TEXT)
    assert sandbox.fired() == 1
    made = forge.create_pull_request(ref, BRANCH, "main", TEXT)
    assert [made] == list(forge.pull_requests(ref, BRANCH))
    assert (made.state, made.source, made.target, made.draft) == (PullRequestState.OPEN, BRANCH, "main", False)
    assert (made.title, made.body) == (TEXT.title, TEXT.body)
    assert made.url.endswith(f"/{made.number}")
    assert list(forge.pull_requests(ref, "main")) == []


def test_a_draft_becomes_ready_and_a_draft_again(place):
    _, forge, ref, head = place
    write(forge, ref, head)
    made = forge.create_pull_request(ref, BRANCH, "main", TEXT.model_copy(update={"draft": True}))
    assert made.draft
    for draft in (False, True, True):
        text = PullRequestText(title="Else", body="else", draft=draft)
        forge.edit_pull_request(ref, made.number, text)
        (shown,) = forge.pull_requests(ref, BRANCH)
        assert (shown.title, shown.body, shown.draft) == ("Else", "else", draft)


def test_a_closed_pull_request_gives_way_to_another_and_the_newest_comes_first(place):
    _, forge, ref, head = place
    write(forge, ref, head)
    first = forge.create_pull_request(ref, BRANCH, "main", TEXT)
    forge.edit_pull_request(ref, first.number, TEXT, closed=True)
    second = forge.create_pull_request(ref, BRANCH, "main", TEXT)
    states = [(pull.number, pull.state) for pull in forge.pull_requests(ref, BRANCH)]
    assert states == [(second.number, PullRequestState.OPEN), (first.number, PullRequestState.CLOSED)]
