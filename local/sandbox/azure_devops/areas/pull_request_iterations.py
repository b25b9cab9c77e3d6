"""Serves the commits of a pull request and what each of its iterations changed."""

from __future__ import annotations

from local.sandbox.azure_devops import errors, git_store
from local.sandbox.azure_devops.areas.git_commits import change_json, commit_json
from local.sandbox.azure_devops.areas.pull_request_json import pull_of
from local.sandbox.azure_devops.areas.pull_request_reviews import PULL_ROUTE
from local.sandbox.azure_devops.areas.pull_requests import in_list, pull_commits
from local.sandbox.azure_devops.call import Call, Reply, page_of, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Tree


@serves("GET", PULL_ROUTE + "/commits")
def get_commits(call: Call) -> Reply:
    """The commits the pull request brings."""
    repository, pull = pull_of(call)
    found = pull_commits(repository, pull)
    start = call.integer("continuationToken")
    top = call.integer("$top", 100)
    headers = {"x-ms-continuationtoken": str(start + top)} if start + top < len(found) else {}
    return Reply([in_list(commit_json(call, repository, c)) for c in found[start : start + top]], headers=headers)


def iteration_json(call: Call, repository: Tree, pull: Tree, iteration: Tree) -> Tree:
    """An iteration as answered."""
    by = identity_ref(call.service, call.org, call.org["users"].get(iteration["by"], call.user))
    return {
        "id": iteration["id"],
        "description": pull["title"] if iteration["id"] == 1 else "",
        "author": by,
        "createdDate": iteration["date"],
        "updatedDate": iteration["date"],
        "sourceRefCommit": {"commitId": iteration["source"]},
        "targetRefCommit": {"commitId": iteration["target"]},
        "commonRefCommit": {"commitId": iteration["common"]},
        "hasMoreCommits": False,
        "reason": "create" if iteration["id"] == 1 else "push",
    }


def _iteration_of(call: Call, pull: Tree) -> Tree:
    wanted = call.value("iterationId")
    found = next((i for i in pull["iterations"] if str(i["id"]) == wanted), None)
    if found is None:
        message = f"TF401190: The iteration {wanted} of pull request {pull['id']} does not exist."
        raise errors.not_found(message, "GitPullRequestIterationNotFoundException", errors.GIT)
    return found  # type: ignore[no-any-return]


@serves("GET", PULL_ROUTE + "/iterations/{iterationId}")
def get_iterations(call: Call) -> object:
    """One iteration or all."""
    repository, pull = pull_of(call)
    if "iterationId" in call.values:
        return iteration_json(call, repository, pull, _iteration_of(call, pull))
    return [iteration_json(call, repository, pull, i) for i in pull["iterations"]]


@serves("GET", PULL_ROUTE + "/iterations/{iterationId}/commits")
def get_iteration_commits(call: Call) -> list[Tree]:
    """The commits of an iteration."""
    repository, pull = pull_of(call)
    iteration = _iteration_of(call, pull)
    known = set(git_store.history(repository, iteration["common"]))
    found = [c for c in git_store.history(repository, iteration["source"]) if c not in known]
    return [commit_json(call, repository, c) for c in page_of(found, call, "top", "skip")]


_MOST_CHANGES = 2_000


def iteration_changes(repository: Tree, iteration: Tree, base: str) -> list[Tree]:
    """What the iteration changes against a commit, renamed files that were edited as well told as such."""
    before, after = git_store.files_of(repository, base), git_store.files_of(repository, iteration["source"])
    return git_store.with_edited_renames(repository, git_store.changes(before, after))


@serves("GET", PULL_ROUTE + "/iterations/{iterationId}/changes")
def get_iteration_changes(call: Call) -> Tree:
    """What an iteration changed against the common commit, or an earlier iteration."""
    repository, pull = pull_of(call)
    iteration = _iteration_of(call, pull)
    base = iteration["common"]
    compared = call.integer("$compareTo")
    if compared:
        earlier = next((i for i in pull["iterations"] if i["id"] == compared), None)
        base = earlier["source"] if earlier else base
    found = iteration_changes(repository, iteration, base)
    listed = page_of(found, call, limit=100)[:_MOST_CHANGES]
    entries = []
    for number, change in enumerate(listed, call.integer("$skip") + 1):
        entry = change_json(call, repository, change, iteration["source"])
        item = entry["item"]
        for name in ("gitObjectType", "commitId", "url"):
            del item[name]
        entries.append({"changeTrackingId": number, "changeId": number, **entry, "item": item})
    rest = len(found) - call.integer("$skip") - len(listed)
    following = (
        {"nextSkip": call.integer("$skip") + len(listed), "nextTop": rest}
        if rest > 0
        else {"nextSkip": 0, "nextTop": 0}
    )
    return {"changeEntries": entries, **following}
