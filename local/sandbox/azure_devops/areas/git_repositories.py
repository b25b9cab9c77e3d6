"""Serves repositories and their refs, with the refusals of a real repository."""

from __future__ import annotations

from local.sandbox.azure_devops import errors, git_store
from local.sandbox.azure_devops.call import Call, Level, Reply, page_of, serves
from local.sandbox.azure_devops.identities import identity_ref, level_of
from local.sandbox.azure_devops.project_model import project_ref
from local.sandbox.azure_devops.service import Service, Tree, new_id

_FORBIDDEN = set('\\/:*?"<>|#${},+=[];')


def repository_of(call: Call, name: str = "repositoryId") -> Tree:
    """The repository of the route; raises TF401019."""
    return find_repository(call, call.value(name))


def find_repository(call: Call, name_or_id: str) -> Tree:
    """A repository the user can see, by id or, within the project of the path, by name."""
    wanted = name_or_id.lower()
    for project in call.projects():
        for repository in project["repositories"].values():
            if repository["id"] == wanted or (call.scope and repository["name"].lower() == wanted):
                if repository["disabled"] and call.route != "git/repositories/{repositoryId}":
                    raise errors.repository_missing(name_or_id)
                call.enter(project)
                return repository  # type: ignore[no-any-return]
    raise errors.repository_missing(name_or_id)


def owner(org: Tree, repository: Tree) -> Tree:
    """The project of a repository."""
    project: Tree = org["projects"][repository["project"]]
    return project


def repository_json(service: Service, org: Tree, repository: Tree) -> Tree:
    """A repository as answered everywhere."""
    project = owner(org, repository)
    answer = {
        "id": repository["id"],
        "name": repository["name"],
        "url": service.url(org, project["id"], "_apis/git/repositories", repository["id"]),
        "project": project_ref(service, org, project),
        "size": sum(len(b) for b in repository["blobs"].values()),
        "remoteUrl": service.url(org, project["name"], "_git", repository["name"]),
        "sshUrl": f"git@ssh.dev.azure.com:v3/{org['name']}/{project['name']}/{repository['name']}",
        "webUrl": service.url(org, project["name"], "_git", repository["name"]),
        "isDisabled": repository["disabled"],
        "isInMaintenance": False,
    }
    if repository["default_branch"]:
        answer["defaultBranch"] = repository["default_branch"]
    return answer


@serves("GET", "git/repositories/{repositoryId}")
def get_repositories(call: Call) -> object:
    """One repository with links, or all of the project or organization."""
    if "repositoryId" in call.values:
        repository = repository_of(call)
        answer = repository_json(call.service, call.org, repository)
        links = {
            "self": "",
            "refs": "/refs",
            "commits": "/commits",
            "items": "/items",
            "pullRequests": "/pullRequests",
            "pushes": "/pushes",
        }
        answer["_links"] = {name: {"href": answer["url"] + tail} for name, tail in links.items()}
        answer["_links"]["web"] = {"href": answer["webUrl"]}
        return answer
    return [
        repository_json(call.service, call.org, repository)
        for project in call.projects()
        for repository in project["repositories"].values()
    ]


def _free_name(project: Tree, name: object, own: Tree | None = None) -> str:
    if not isinstance(name, str) or not name.strip():
        raise errors.missing_value("name")
    if len(name) > 64 or _FORBIDDEN & set(name) or name.startswith("_") or name.endswith("."):
        message = f"TF401025: '{name}' is not a valid name for a Git repository."
        raise errors.invalid(message, "InvalidArgumentValueException", errors.GIT)
    if any(r is not own and r["name"].lower() == name.lower() for r in project["repositories"].values()):
        message = f"TF400948: A Git repository with the name {name} already exists."
        raise errors.ServiceError(409, message, "GitRepositoryNameAlreadyExistsException", namespace=errors.GIT)
    return name


@serves("POST", "git/repositories/{repositoryId}", Level.READER)
def create_repository(call: Call) -> Reply:
    """An empty repository."""
    body = call.json()
    given = (body.get("project") or {}).get("id")
    project = call.project_or_none or (call.find_project(given) if given else None)
    if project is None:
        raise errors.missing_value("project")
    if level_of(call.user, project) < Level.PROJECT_ADMINISTRATOR:
        raise errors.git_permission(call.user["name"], "CreateRepository")
    repository = git_store.add_repository(project, _free_name(project, body.get("name")), new_id())
    parent = (body.get("parentRepository") or {}).get("id")
    if parent:
        from local.sandbox.azure_devops.areas.forks import copy_parent, find_anywhere

        copy_parent(repository, find_anywhere(call, str(parent)))
    call.service.emit(call.org, "git.repo.created", {"project": project, "repository": repository, "user": call.user})
    return Reply(repository_json(call.service, call.org, repository), 201)


@serves("PATCH", "git/repositories/{repositoryId}", Level.PROJECT_ADMINISTRATOR)
def update_repository(call: Call) -> Tree:
    """Rename, disable, or choose the default branch."""
    repository = repository_of(call)
    body = call.json()
    if body.get("name") and body["name"] != repository["name"]:
        repository["name"] = _free_name(owner(call.org, repository), body["name"], own=repository)
    if body.get("defaultBranch"):
        if body["defaultBranch"] not in repository["refs"]:
            message = f"TF401019: The branch {body['defaultBranch']} does not exist in {repository['name']}."
            raise errors.invalid(message, "GitUnresolvableToCommitException", errors.GIT)
        repository["default_branch"] = body["defaultBranch"]
    if body.get("isDisabled") is not None:
        repository["disabled"] = bool(body["isDisabled"])
    return repository_json(call.service, call.org, repository)


@serves("DELETE", "git/repositories/{repositoryId}", Level.PROJECT_ADMINISTRATOR)
def delete_repository(call: Call) -> Reply:
    """Move a repository to the recycle bin; the one of a project's own wiki takes the wiki along."""
    if _removed_wiki(call, call.value("repositoryId").lower()):
        return Reply(None, 204)
    repository = repository_of(call)
    project = owner(call.org, repository)
    if len(project["repositories"]) == 1:
        message = "TF400712: The last Git repository of a project cannot be deleted."
        raise errors.invalid(message, "GitRepositoryCannotBeDeletedException", errors.GIT)
    del project["repositories"][repository["id"]]
    project["deleted_repositories"][repository["id"]] = repository
    return Reply(None, 204)


def _removed_wiki(call: Call, wanted: str) -> bool:
    # The repository of a project's own wiki is shown in no list, and has the wiki's id.
    for project in call.projects():
        if project["wikis"].get(wanted, {}).get("type") == "projectWiki":
            call.enter(project)
            del project["wikis"][wanted]
            return True
    return False


@serves("GET", "git/recycleBin/repositories/{repositoryId}")
def deleted_repositories(call: Call) -> list[Tree]:
    """Repositories that can be restored."""
    project = call.project
    return [
        {
            "id": r["id"],
            "name": r["name"],
            "project": project_ref(call.service, call.org, project),
            "createdDate": project["created"],
        }
        for r in project["deleted_repositories"].values()
    ]


@serves("PATCH", "git/recycleBin/repositories/{repositoryId}", Level.PROJECT_ADMINISTRATOR)
def restore_repository(call: Call) -> Tree:
    """Take a repository out of the recycle bin."""
    project = call.project
    repository = project["deleted_repositories"].pop(call.value("repositoryId").lower(), None)
    if repository is None:
        raise errors.repository_missing(call.value("repositoryId"))
    _free_name(project, repository["name"])
    project["repositories"][repository["id"]] = repository
    return repository_json(call.service, call.org, repository)


@serves("DELETE", "git/recycleBin/repositories/{repositoryId}", Level.PROJECT_ADMINISTRATOR)
def destroy_repository(call: Call) -> Reply:
    """Destroy a deleted repository for good."""
    if call.project["deleted_repositories"].pop(call.value("repositoryId").lower(), None) is None:
        raise errors.repository_missing(call.value("repositoryId"))
    return Reply(None, 204)


def ref_json(call: Call, repository: Tree, name: str) -> Tree:
    """One ref."""
    ref = repository["refs"][name]
    creator = call.org["users"].get(ref["creator"])
    answer: Tree = {
        "name": name,
        "objectId": ref["objectId"],
        "creator": identity_ref(call.service, call.org, creator) if creator else None,
        "url": call.url(
            repository["project"], "_apis/git/repositories", repository["id"], "refs", filter=name.removeprefix("refs/")
        ),
    }
    locker = call.org["users"].get(ref.get("locked_by") or "")
    if locker:
        answer |= {"isLocked": True, "isLockedBy": identity_ref(call.service, call.org, locker)}
    statuses = repository["statuses"].get(ref["objectId"])
    if call.flag("includeStatuses") and statuses:
        answer["statuses"] = statuses
    return answer


@serves("GET", "git/repositories/{repositoryId}/refs/{*filter}")
def get_refs(call: Call) -> Reply:
    """Refs below `filter` (`heads/` …) or containing a text, in pages."""
    repository = repository_of(call)
    prefix = call.values.get("filter") or call.text("filter")
    contains = call.text("filterContains").lower()
    names = sorted(n for n in repository["refs"] if n.startswith("refs/" + prefix) and contains in n.lower())
    start = call.integer("continuationToken")
    listed = names[start : start + call.integer("$top", 1000)]
    rest = start + len(listed)
    headers = {"x-ms-continuationtoken": str(rest)} if rest < len(names) else {}
    return Reply([ref_json(call, repository, n) for n in page_of(listed, call)], headers=headers)


@serves("PATCH", "git/repositories/{repositoryId}/refs/{*filter}")
def lock_ref(call: Call) -> Tree:
    """Lock or unlock a branch."""
    repository = repository_of(call)
    name = "refs/" + (call.values.get("filter") or call.text("filter"))
    if name not in repository["refs"]:
        raise errors.not_found(f"TF401019: The ref {name} does not exist.", "GitRefNotFoundException", errors.GIT)
    repository["refs"][name]["locked_by"] = call.user["id"] if call.json().get("isLocked") else None
    return ref_json(call, repository, name)


def stale(name: str) -> errors.ServiceError:
    """409 for a ref that moved meanwhile."""
    message = f"TF401028: The reference '{name}' has already been updated by another client, so you cannot update it. Please try again."
    return errors.ServiceError(409, message, "GitReferenceStaleException", namespace=errors.GIT)


def update_status(call: Call, repository: Tree, name: str, old: str, new: str) -> str:
    """Why a ref may not move, or `succeeded`."""
    current = git_store.ref_target(repository, name) or git_store.NO_OBJECT
    ref = repository["refs"].get(name, {})
    if not name.startswith("refs/") or name.endswith("/") or ".." in name or " " in name:
        return "invalidRefName"
    if current != old:
        return "staleOldObjectId"
    if ref.get("locked_by") not in {None, call.user["id"]}:
        return "locked"
    known = new in repository["commits"] or new in repository["tags"] or new == git_store.NO_OBJECT
    return "succeeded" if known else "unresolvableToCommit"


def move_ref(call: Call, repository: Tree, name: str, new: str) -> None:
    """Point a ref elsewhere, create or delete it; the first branch becomes the default one."""
    if new == git_store.NO_OBJECT:
        repository["refs"].pop(name, None)
        return
    ref = repository["refs"].setdefault(name, {"creator": call.user["id"], "locked_by": None})
    ref["objectId"] = new
    if repository["default_branch"] is None and name.startswith("refs/heads/"):
        repository["default_branch"] = name


@serves("POST", "git/repositories/{repositoryId}/refs/{*filter}")
def update_refs(call: Call) -> list[Tree]:
    """Create, move or delete refs; each answer says whether it succeeded."""
    from local.sandbox.azure_devops.areas.git_pushes import record_push

    repository = repository_of(call)
    answers, done = [], []
    for change in call.json(list):
        name, old, new = (str(change.get(k, "")) for k in ("name", "oldObjectId", "newObjectId"))
        status = update_status(call, repository, name, old, new)
        if status == "succeeded":
            move_ref(call, repository, name, new)
            done.append({"name": name, "oldObjectId": old, "newObjectId": new})
        answers.append(
            {
                "repositoryId": repository["id"],
                "name": name,
                "oldObjectId": old,
                "newObjectId": new,
                "isLocked": False,
                "updateStatus": status,
                "success": status == "succeeded",
            }
        )
    if done:
        record_push(call, repository, done)
    return answers
