"""Takes pushes: commits of added, edited, deleted and renamed files onto a branch, all or nothing."""

from __future__ import annotations

import base64
import binascii

from local.sandbox.azure_devops import errors, git_store
from local.sandbox.azure_devops.areas.git_commits import commit_json
from local.sandbox.azure_devops.areas.git_repositories import (
    move_ref,
    owner,
    repository_json,
    repository_of,
    stale,
    update_status,
)
from local.sandbox.azure_devops.branch_policies import push_refusal
from local.sandbox.azure_devops.call import Call, Reply, page_of, serves
from local.sandbox.azure_devops.git_store import NO_OBJECT, Files
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Tree, parse_time


def _invalid(message: str, type_key: str = "GitArgumentException") -> errors.ServiceError:
    return errors.invalid(message, type_key, errors.GIT)


def _path(item: object) -> str:
    path = item.get("path") if isinstance(item, dict) else None
    if not isinstance(path, str) or not path.strip("/"):
        raise errors.missing_value("path")
    clean = "/" + path.strip("/")
    if any(part in {"", ".", "..", ".git"} for part in clean[1:].split("/")):
        raise _invalid(f"VS403690: The specified path is invalid: {path}.", "InvalidGitPathException")
    return clean


def _content(repository: Tree, change: Tree) -> str:
    given = change.get("newContent")
    if not isinstance(given, dict) or not isinstance(given.get("content"), str):
        raise errors.missing_value("newContent")
    if str(given.get("contentType", "rawtext")).lower() in {"base64encoded", "1"}:
        try:
            data = base64.b64decode(given["content"], validate=True)
        except binascii.Error as error:
            raise _invalid("The content of the change is not valid base 64.") from error
    else:
        data = given["content"].encode()
    return git_store.put_blob(repository, data)


def apply_change(repository: Tree, files: Files, change: Tree) -> None:
    """Apply one change of a commit to `files`; raises the service's refusals."""
    kinds = {part.strip().lower() for part in str(change.get("changeType", "")).split(",")}
    path = _path(change.get("item"))
    if "add" in kinds:
        if path in files:
            message = f"TF402457: The path '{path}' specified in the add operation already exists."
            raise _invalid(message, "GitDuplicatePathException")
        _check_room(files, path)
        files[path] = _content(repository, change)
    elif "delete" in kinds:
        doomed = [p for p in files if p == path or p.startswith(path + "/")]
        if not doomed:
            raise _missing_path(path, "delete")
        for name in doomed:
            del files[name]
    elif "rename" in kinds:
        _rename(files, _path({"path": change.get("sourceServerItem")}), path)
        if "edit" in kinds:
            files[path] = _content(repository, change)
    elif "edit" in kinds:
        if path not in files:
            raise _missing_path(path, "edit")
        files[path] = _content(repository, change)
    else:
        raise _invalid(f"VS403696: The change type '{change.get('changeType')}' is not supported.")


def _rename(files: Files, source: str, path: str) -> None:
    moved = {p: b for p, b in files.items() if p == source or p.startswith(source + "/")}
    if not moved:
        raise _missing_path(source, "rename")
    for name in moved:
        del files[name]
    if path in files:
        message = f"TF402457: The path '{path}' specified in the rename operation already exists."
        raise _invalid(message, "GitDuplicatePathException")
    _check_room(files, path)
    for name, blob_id in moved.items():
        files[path + name[len(source) :]] = blob_id


def _check_room(files: Files, path: str) -> None:
    """A path can be a file or a folder, not both."""
    parts = path.split("/")
    above = {"/".join(parts[:n]) for n in range(2, len(parts))}
    if above & set(files) or any(p.startswith(path + "/") for p in files):
        message = f"TF402457: The path '{path}' cannot be both a file and a folder."
        raise _invalid(message, "GitDuplicatePathException")


def _missing_path(path: str, verb: str) -> errors.ServiceError:
    message = f"TF401174: The item '{path}' specified in the {verb} operation could not be found in the repository."
    return errors.not_found(message, "GitItemNotFoundException", errors.GIT)


def person(call: Call, given: object) -> Tree:
    """The author of a commit, completed from the caller."""
    given = given if isinstance(given, dict) else {}
    if given.get("date"):
        try:
            parse_time(str(given["date"]))
        except ValueError as error:
            raise _invalid(f"The date '{given['date']}' of the author or committer is not a date.") from error
    return {
        "name": given.get("name") or call.user["name"],
        "email": given.get("email") or call.user["mail"],
        "date": given.get("date") or call.stamp(),
    }


@serves("POST", "git/repositories/{repositoryId}/pushes/{pushId}")
def create_push(call: Call) -> Reply:
    """Add commits to one branch."""
    repository = repository_of(call)
    body = call.json()
    updates, commits = body.get("refUpdates") or [], body.get("commits") or []
    if len(updates) != 1:
        raise _invalid("VS403670: Exactly one ref update must be supplied for a push.")
    if not commits:
        raise _invalid("VS403671: At least one commit must be supplied for a push.")
    name, old = str(updates[0].get("name", "")), str(updates[0].get("oldObjectId") or NO_OBJECT)
    parent = old
    if parent == NO_OBJECT and name not in repository["refs"]:
        given = commits[0].get("parents") or []
        parent = str(given[0]) if given else NO_OBJECT
    status = update_status(call, repository, name, old, NO_OBJECT)
    if status == "staleOldObjectId":
        raise stale(name)
    if status != "succeeded" or not name.startswith("refs/heads/"):
        raise _invalid(f"TF401035: The ref '{name}' cannot be updated: {status}.")
    if parent != NO_OBJECT and parent not in repository["commits"]:
        raise _invalid(f"TF401035: The object '{parent}' does not exist.", "GitObjectDoesNotExistException")
    refusal = push_refusal(call, owner(call.org, repository), repository, name)
    if refusal is not None:
        raise refusal
    new = _commits(call, repository, commits, parent)
    move_ref(call, repository, name, new)
    push = record_push(call, repository, [{"name": name, "oldObjectId": old, "newObjectId": new}])
    return Reply(push_json(call, repository, push, commits=True), 201)


def _commits(call: Call, repository: Tree, commits: list[Tree], parent: str) -> str:
    # Objects go into a scratch copy of the tables first, so that a refused push leaves nothing behind.
    scratch = {
        **repository,
        "blobs": dict(repository["blobs"]),
        "commits": dict(repository["commits"]),
        "trees": dict(repository["trees"]),
    }
    tip = parent
    for given in commits:
        files = dict(git_store.files_of(scratch, tip))
        if not given.get("changes"):
            raise _invalid("VS403672: A commit must hold at least one change.")
        for change in given["changes"]:
            apply_change(scratch, files, change)
        author = person(call, given.get("author"))
        committer = person(call, given.get("committer") or given.get("author"))
        parents = [tip] if tip != NO_OBJECT else []
        tip = git_store.commit(scratch, files, parents, str(given.get("comment") or ""), author, committer)
    for table in ("blobs", "commits", "trees"):
        repository[table].update(scratch[table])
    return tip


def record_push(call: Call, repository: Tree, updates: list[Tree]) -> Tree:
    """Keep a push and tell hooks, pull requests and pipelines of it."""
    number = call.service.number(call.org, "push")
    commits: list[str] = []
    for update in updates:
        before = set(git_store.history(repository, update["oldObjectId"]))
        if update["oldObjectId"] == NO_OBJECT:
            others = (r["objectId"] for n, r in repository["refs"].items() if n != update["name"])
            before = {c for tip in others for c in git_store.history(repository, tip)}
        commits += [c for c in git_store.history(repository, update["newObjectId"]) if c not in before]
    push = {"id": number, "date": call.stamp(), "by": call.user["id"], "updates": updates, "commits": commits}
    repository["pushes"][str(number)] = push
    project = owner(call.org, repository)
    facts = {"project": project, "repository": repository, "push": push, "user": call.user}
    call.service.emit(call.org, "git.push", facts)
    from local.sandbox.azure_devops.areas.builds import start_for_push
    from local.sandbox.azure_devops.areas.pull_requests import source_moved

    for update in updates:
        source_moved(call, project, repository, update["name"])
        start_for_push(call, project, repository, update)
    return push


def push_json(call: Call, repository: Tree, push: Tree, commits: bool = False, refs: bool = True) -> Tree:
    """A push as answered."""
    url = call.url(repository["project"], "_apis/git/repositories", repository["id"], "pushes", str(push["id"]))
    answer: Tree = {
        "pushId": push["id"],
        "date": push["date"],
        "pushedBy": identity_ref(call.service, call.org, call.org["users"].get(push["by"], call.user)),
        "repository": repository_json(call.service, call.org, repository),
        "url": url,
    }
    if refs:
        answer["refUpdates"] = [{"repositoryId": repository["id"], **u} for u in push["updates"]]
    if commits:
        answer["commits"] = [commit_json(call, repository, c, changes=False) for c in push["commits"]]
    return answer


@serves("GET", "git/repositories/{repositoryId}/pushes/{pushId}")
def get_pushes(call: Call) -> object:
    """One push, or those of the repository, newest first."""
    repository = repository_of(call)
    if "pushId" in call.values:
        push = repository["pushes"].get(call.values["pushId"])
        if push is None:
            message = f"TF401020: The Git push with identifier {call.values['pushId']} does not exist."
            raise errors.not_found(message, "GitPushNotFoundException", errors.GIT)
        return push_json(call, repository, push, commits=True)
    ref = call.text("searchCriteria.refName")
    found = [p for p in repository["pushes"].values() if not ref or any(u["name"] == ref for u in p["updates"])]
    refs = call.flag("searchCriteria.includeRefUpdates")
    return [push_json(call, repository, p, refs=refs) for p in page_of(reversed(found), call)]
