"""Answers for forks: a copy below another account, whose branches may be offered to the repository it came from."""

from __future__ import annotations

from local.sandbox.github import present
from local.sandbox.github.errors import ApiError
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.objects import history
from local.sandbox.github.routing import Answer, Call, route


@route("POST", "/repos/{owner}/{repo}/forks")
def fork(call: Call) -> Answer:
    """Copy the repository below the caller or an organisation; the copy there is already is shown again."""
    repo = call.repo("read", "contents")
    owner = call.get("organization", str, call.signed_in()["login"])
    name = call.get("name", str, repo["name"])
    found = call.hub.repo(owner, name)
    if found is None:
        fields = {key: repo[key] for key in ("private", "description", "default_branch")}
        found = call.hub.add_repo(owner, name, **fields)
        found |= {
            "fork_of": f"{repo['owner']}/{repo['name']}".lower(),
            "refs": dict(repo["refs"]),
            "objects": dict(repo["objects"]),
        }
        call.hub.changed()
    elif found.get("fork_of") != f"{repo['owner']}/{repo['name']}".lower():
        raise ApiError(422, "Name already exists on this account")
    return Answer(202, present.repository(call.hub, found, call.caller, full=True))


@route("GET", "/repos/{owner}/{repo}/forks")
def forks(call: Call) -> Answer:
    """The copies."""
    repo = call.repo("read", "metadata")
    return call.page_of(forks_of(call.hub, repo), lambda one: present.repository(call.hub, one, call.caller))


def forks_of(hub: Hub, repo: Record) -> list[Record]:
    """Every copy of a repository."""
    key = f"{repo['owner']}/{repo['name']}".lower()
    return [one for one in hub.table("repos").values() if one.get("fork_of") == key]


def head_repository(hub: Hub, repo: Record, owner: str) -> Record | None:
    """Where a branch that is offered as `owner:branch` lives: the repository itself, or the owner's copy of it."""
    if not owner or owner.lower() == repo["owner"].lower():
        return repo
    return next((one for one in forks_of(hub, repo) if one["owner"].lower() == owner.lower()), None)


def bring(hub: Hub, repo: Record, sha: str) -> None:
    """Let the repository hold a commit of a copy with its history, as a pull request's hidden ref does."""
    for commit in history(hub, sha):
        if commit in repo["objects"]:
            continue
        repo["objects"][commit] = 1
        _bring_tree(hub, repo, hub.table("commits")[commit]["tree"])
    hub.changed()


def _bring_tree(hub: Hub, repo: Record, tree: str) -> None:
    if tree in repo["objects"]:
        return
    repo["objects"][tree] = 1
    for _, mode, sha in hub.table("trees").get(tree, []):
        if mode == "040000":
            _bring_tree(hub, repo, sha)
        else:
            repo["objects"][sha] = 1
