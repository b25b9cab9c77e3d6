"""Forks of repositories: made with all that the parent holds, and read by pull requests that come from them."""

from __future__ import annotations

from local.sandbox.azure_devops import errors, git_store
from local.sandbox.azure_devops.areas.git_repositories import repository_json
from local.sandbox.azure_devops.call import Call
from local.sandbox.azure_devops.service import Tree

_TABLES = ("blobs", "commits", "trees")


def copy_parent(fork: Tree, parent: Tree) -> None:
    """Give a new repository everything its parent holds."""
    for table in _TABLES:
        fork[table].update(parent[table])
    fork["refs"].update({name: dict(ref) for name, ref in parent["refs"].items() if name.startswith("refs/heads/")})
    fork["default_branch"], fork["parent"] = parent["default_branch"], parent["id"]


def find_anywhere(call: Call, repository_id: str) -> Tree:
    """A repository of any project by id; raises TF401019."""
    for project in call.org["projects"].values():
        if repository_id.lower() in project["repositories"]:
            found: Tree = project["repositories"][repository_id.lower()]
            return found
    raise errors.repository_missing(repository_id)


def source_tip(call: Call, repository: Tree, pull: Tree) -> str | None:
    """The commit the source branch shows; of a fork, its objects are in the target repository from then on."""
    if not pull.get("fork"):
        return git_store.ref_target(repository, pull["source"])
    fork = find_anywhere(call, pull["fork"])
    tip = git_store.ref_target(fork, pull["source"])
    if tip:
        for table in _TABLES:
            for name, held in fork[table].items():
                repository[table].setdefault(name, held)
    return tip


def from_forks(call: Call, fork: Tree) -> list[tuple[Tree, Tree]]:
    """Every pull request that comes from the repository as a fork, with the repository it goes to."""
    return [
        (repository, pull)
        for project in call.org["projects"].values()
        for repository in project["repositories"].values()
        for pull in repository["pulls"].values()
        if pull.get("fork") == fork["id"]
    ]


def fork_json(call: Call, pull: Tree) -> Tree:
    """The source of a pull request as answered."""
    fork = find_anywhere(call, pull["fork"])
    return {
        "name": pull["source"],
        "objectId": git_store.ref_target(fork, pull["source"]) or git_store.NO_OBJECT,
        "repository": {**repository_json(call.service, call.org, fork), "isFork": True},
    }
