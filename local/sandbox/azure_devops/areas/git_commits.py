"""Serves commits with their changes, differences between versions, and branch statistics."""

from __future__ import annotations

from local.sandbox.azure_devops import errors, git_store
from local.sandbox.azure_devops.areas.git_repositories import repository_of
from local.sandbox.azure_devops.call import Call, page_of, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Tree, parse_time

_COUNT_NAMES = {"add": "Add", "edit": "Edit", "delete": "Delete", "rename": "Rename"}


def version_of(call: Call, repository: Tree, prefix: str = "versionDescriptor.") -> str:
    """The commit a version descriptor of the query names; raises TF401175 or TF401174."""
    version = call.text(f"{prefix}version") or (call.text("version") if prefix == "versionDescriptor." else "")
    kind = call.text(f"{prefix}versionType", "branch").lower()
    return resolved(repository, version, kind)


def resolved(repository: Tree, version: str, kind: str) -> str:
    """The commit of a version; raises TF401175 when there is none."""
    found = git_store.resolve(repository, version, kind)
    if found is None:
        name = version or (repository["default_branch"] or "").removeprefix("refs/heads/") or "master"
        message = (
            f"TF401175:The version descriptor <{kind.capitalize()}: {name}> could not be resolved to a version in the "
            f"repository {repository['name']}"
        )
        raise errors.not_found(message, "GitUnresolvableToCommitException", errors.GIT)
    return found


def change_json(call: Call, repository: Tree, change: Tree, commit_id: str) -> Tree:
    """One changed path."""
    url = call.url(
        repository["project"], "_apis/git/repositories", repository["id"], "items", change["path"].lstrip("/")
    )
    item = {
        "objectId": change["new"] or change["old"],
        "gitObjectType": "blob",
        "commitId": commit_id,
        "path": change["path"],
        "url": f"{url}?versionType=Commit&version={commit_id}",
    }
    if change["old"] and change["type"] != "delete":
        item["originalObjectId"] = change["old"]
    answer = {"item": item, "changeType": change["type"]}
    if "source" in change:
        answer["sourceServerItem"] = change["source"]
    return answer


def commit_changes(repository: Tree, commit_id: str) -> list[Tree]:
    """What a commit changed against its first parent."""
    parents = repository["commits"][commit_id]["parents"]
    before = git_store.files_of(repository, parents[0] if parents else None)
    return git_store.changes(before, git_store.files_of(repository, commit_id))


def commit_json(call: Call, repository: Tree, commit_id: str, *, full: bool = False, changes: bool = True) -> Tree:
    """A commit as listed, or in full."""
    held = repository["commits"][commit_id]
    url = call.url(repository["project"], "_apis/git/repositories", repository["id"], "commits", commit_id)
    answer: Tree = {
        "commitId": commit_id,
        "author": held["author"],
        "committer": held["committer"],
        "comment": held["message"],
        "url": url,
        "remoteUrl": call.url(owner_name(call, repository), "_git", repository["name"], "commit", commit_id),
    }
    if changes or full:
        counts = dict.fromkeys(("Add", "Edit", "Delete"), 0)
        for change in commit_changes(repository, commit_id):
            name = _COUNT_NAMES[change["type"]]
            counts[name] = counts.get(name, 0) + 1
        answer["changeCounts"] = counts
    if full:
        answer |= {
            "treeId": held["tree"],
            "parents": held["parents"],
            "statuses": repository["statuses"].get(commit_id, []),
        }
        answer["push"] = _push_of(call, repository, commit_id)
        answer["_links"] = {
            "self": {"href": url},
            "web": {"href": answer["remoteUrl"]},
            "changes": {"href": f"{url}/changes"},
        }
    return answer


def owner_name(call: Call, repository: Tree) -> str:
    """The name of the repository's project."""
    return str(call.org["projects"][repository["project"]]["name"])


def _push_of(call: Call, repository: Tree, commit_id: str) -> Tree | None:
    for push in repository["pushes"].values():
        if commit_id in push["commits"]:
            by = identity_ref(call.service, call.org, call.org["users"].get(push["by"], call.user))
            return {"pushId": push["id"], "date": push["date"], "pushedBy": by}
    return None


def known_commit(repository: Tree, commit_id: str) -> str:
    """A commit of the repository; raises TF401177."""
    if commit_id.lower() not in repository["commits"]:
        message = f"TF401177: The Git commit with ID {commit_id} does not exist."
        raise errors.not_found(message, "GitCommitDoesNotExistException", errors.GIT)
    return commit_id.lower()


@serves("GET", "git/repositories/{repositoryId}/commits/{commitId}")
def get_commits(call: Call) -> object:
    """One commit in full, or those a search names, newest first."""
    repository = repository_of(call)
    if "commitId" in call.values:
        commit_id = known_commit(repository, call.values["commitId"])
        answer = commit_json(call, repository, commit_id, full=True)
        wanted = call.integer("changeCount")
        if wanted:
            changed = commit_changes(repository, commit_id)[:wanted]
            answer["changes"] = [change_json(call, repository, c, commit_id) for c in changed]
        return answer
    criteria = {k.removeprefix("searchcriteria."): v for k, v in call.query.items()}
    return _search(call, repository, criteria)


@serves("POST", "git/repositories/{repositoryId}/commitsBatch")
def commits_batch(call: Call) -> list[Tree]:
    """Commits by criteria in the body."""
    body = call.json()
    criteria = {k.lower(): v for k, v in body.items() if isinstance(v, str)}
    for name, key in (("itemVersion", "itemversion"), ("compareVersion", "compareversion")):
        if isinstance(body.get(name), dict):
            criteria[f"{key}.version"] = str(body[name].get("version") or "")
            criteria[f"{key}.versiontype"] = str(body[name].get("versionType") or "branch")
    return _search(call, repository_of(call), criteria)


def _search(call: Call, repository: Tree, criteria: dict[str, str]) -> list[Tree]:
    if not repository["commits"]:
        return []
    tip = resolved(
        repository, criteria.get("itemversion.version", ""), criteria.get("itemversion.versiontype", "branch").lower()
    )
    found = git_store.history(repository, tip)
    compare = criteria.get("compareversion.version")
    if compare:
        other = resolved(repository, compare, criteria.get("compareversion.versiontype", "branch").lower())
        # The service lists what the compared version has and the item version has not.
        behind = set(found)
        found = [c for c in git_store.history(repository, other) if c not in behind]
    author, path = criteria.get("author", "").lower(), criteria.get("itempath", "")
    since, until = criteria.get("fromdate"), criteria.get("todate")
    kept = []
    for commit_id in found:
        held = repository["commits"][commit_id]
        moment = parse_time(held["committer"]["date"])
        if author and author not in (held["author"]["name"] + " " + held["author"]["email"]).lower():
            continue
        if (since and moment < parse_time(since)) or (until and moment > parse_time(until)):
            continue
        clean = "/" + path.strip("/")
        if (
            path
            and clean != "/"
            and not any((c["path"] + "/").startswith(clean + "/") for c in commit_changes(repository, commit_id))
        ):
            continue
        kept.append(commit_id)
    top, skip = (
        ("searchCriteria.$top", "searchCriteria.$skip") if "searchcriteria.$top" in call.query else ("$top", "$skip")
    )
    return [commit_json(call, repository, c) for c in page_of(kept, call, top, skip, limit=100)]


@serves("GET", "git/repositories/{repositoryId}/commits/{commitId}/changes")
def get_changes(call: Call) -> Tree:
    """What a commit changed."""
    repository = repository_of(call)
    commit_id = known_commit(repository, call.value("commitId"))
    changed = commit_changes(repository, commit_id)
    counts: dict[str, int] = {}
    for change in changed:
        name = _COUNT_NAMES[change["type"]]
        counts[name] = counts.get(name, 0) + 1
    listed = page_of(changed, call, "top", "skip")
    return {"changeCounts": counts, "changes": [change_json(call, repository, c, commit_id) for c in listed]}


@serves("GET", "git/repositories/{repositoryNameOrId}/commits/{commitId}/mergeBases")
def get_merge_bases(call: Call) -> list[Tree]:
    """The nearest commit two commits have in common; nothing for histories that never met."""
    repository = repository_of(call, "repositoryNameOrId")
    one = known_commit(repository, call.value("commitId"))
    other = known_commit(repository, call.text("otherCommitId"))
    common = git_store.merge_base(repository, one, other)
    return [commit_json(call, repository, common, changes=False)] if common else []


@serves("GET", "git/repositories/{repositoryId}/diffs/commits")
def get_diffs(call: Call) -> Tree:
    """What a target version has that a base version has not, from their common ancestor."""
    repository = repository_of(call)
    base = resolved(
        repository,
        call.text("baseVersion") or call.text("baseVersionDescriptor.baseVersion"),
        call.text("baseVersionType", "branch").lower(),
    )
    target = resolved(
        repository,
        call.text("targetVersion") or call.text("targetVersionDescriptor.targetVersion"),
        call.text("targetVersionType", "branch").lower(),
    )
    common = git_store.merge_base(repository, base, target)
    start = common if call.text("diffCommonCommit", "true").lower() == "true" else base
    changed = git_store.changes(git_store.files_of(repository, start), git_store.files_of(repository, target))
    counts: dict[str, int] = {}
    for change in changed:
        name = _COUNT_NAMES[change["type"]]
        counts[name] = counts.get(name, 0) + 1
    ahead, behind = ahead_behind(repository, target, base)
    return {
        "allChangesIncluded": True,
        "changeCounts": counts,
        "changes": [change_json(call, repository, c, target) for c in page_of(changed, call)],
        "commonCommit": common,
        "baseCommit": base,
        "targetCommit": target,
        "aheadCount": ahead,
        "behindCount": behind,
    }


def ahead_behind(repository: Tree, tip: str, base: str) -> tuple[int, int]:
    """How many commits `tip` has that `base` lacks, and the reverse."""
    ours, theirs = set(git_store.history(repository, tip)), set(git_store.history(repository, base))
    return len(ours - theirs), len(theirs - ours)


@serves("GET", "git/repositories/{repositoryId}/stats/branches")
@serves("GET", "git/repositories/{repositoryId}/stats/branches/{*name}")
def branch_stats(call: Call) -> object:
    """Each branch (or one) with its last commit, ahead and behind the base version or default branch."""
    repository = repository_of(call)
    if not repository["refs"]:
        return []
    base = resolved(
        repository,
        call.text("baseVersionDescriptor.version"),
        call.text("baseVersionDescriptor.versionType", "branch").lower(),
    )
    name = call.values.get("name") or call.text("name")
    if name:
        tip = resolved(repository, name, "branch")
        return _stat(call, repository, name.removeprefix("refs/heads/"), tip, base)
    return [
        _stat(call, repository, ref.removeprefix("refs/heads/"), held["objectId"], base)
        for ref, held in sorted(repository["refs"].items())
        if ref.startswith("refs/heads/")
    ]


def _stat(call: Call, repository: Tree, name: str, tip: str, base: str) -> Tree:
    ahead, behind = ahead_behind(repository, tip, base)
    return {
        "commit": commit_json(call, repository, tip, full=True),
        "name": name,
        "aheadCount": ahead,
        "behindCount": behind,
        "isBaseVersion": tip == base and name == (repository["default_branch"] or "").removeprefix("refs/heads/"),
    }
