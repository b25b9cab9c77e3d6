"""Answers for git references: branches and tags by their full names."""

from __future__ import annotations

import re

from local.sandbox.github import objects, present
from local.sandbox.github.errors import ApiError, not_found
from local.sandbox.github.git_data import GIT
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.pushes import move
from local.sandbox.github.routing import Answer, Call, route


def _ref(hub: Hub, repo: Record, ref: str) -> Record:
    sha = repo["refs"][ref]
    kind = "tag" if sha in hub.table("tags") else "commit"
    url = f"{present.repository_url(hub, repo)}/git"
    return {
        "ref": ref,
        "node_id": f"REF_{repo['id']}_{ref}",
        "url": f"{url}/{ref}",
        "object": {"sha": sha, "type": kind, "url": f"{url}/{kind}s/{sha}"},
    }


@route("GET", GIT + "/ref/{ref:path}")
def ref(call: Call) -> Record:
    """One ref, by its name without "refs/"."""
    repo = call.repo("read", "contents")
    objects.refuse_empty(repo)
    name = f"refs/{call.params['ref']}"
    if name not in repo["refs"]:
        raise not_found()
    return _ref(call.hub, repo, name)


@route("GET", GIT + "/refs")
@route("GET", GIT + "/refs/{ref:path}")
@route("GET", GIT + "/matching-refs/{ref:path}")
def refs(call: Call) -> Answer:
    """Refs that begin with the given name."""
    repo = call.repo("read", "contents")
    objects.refuse_empty(repo)
    prefix = f"refs/{call.params.get('ref', '')}"
    found = sorted(name for name in repo["refs"] if name.startswith(prefix))
    return call.page_of(found, lambda name: _ref(call.hub, repo, name))


@route("POST", GIT + "/refs")
def create_ref(call: Call) -> Answer:
    """Create a branch or tag."""
    repo = call.repo("write", "contents")
    objects.refuse_empty(repo)
    name, sha = call.need("ref", str), call.need("sha", str)
    if not re.fullmatch(r"refs/[^/\s~^:?*\[\\]+/[^\s~^:?*\[\\]+", name) or ".." in name or name.endswith("/"):
        raise ApiError(422, f"{name} is not a valid ref name.")
    if name in repo["refs"]:
        raise ApiError(422, "Reference already exists")
    if not (objects.has(call.hub, repo, "commits", sha) or objects.has(call.hub, repo, "tags", sha)):
        raise ApiError(422, "Object does not exist")
    move(call.hub, repo, name, sha, call.signed_in())
    body = _ref(call.hub, repo, name)
    return Answer(201, body, {"Location": body["url"]})


@route("PATCH", GIT + "/refs/{ref:path}")
def update_ref(call: Call) -> Record:
    """Move a ref; without force only forward."""
    repo = call.repo("write", "contents")
    objects.refuse_empty(repo)
    name, sha = f"refs/{call.params['ref']}", call.need("sha", str)
    if name not in repo["refs"]:
        raise ApiError(422, "Reference does not exist")
    if not objects.has(call.hub, repo, "commits", sha):
        raise ApiError(422, "Object does not exist")
    force = call.get("force", bool, False)
    if not force and not objects.is_ancestor(call.hub, repo["refs"][name], sha):
        raise ApiError(422, "Update is not a fast forward")
    move(call.hub, repo, name, sha, call.signed_in(), force=force)
    return _ref(call.hub, repo, name)


@route("DELETE", GIT + "/refs/{ref:path}")
def delete_ref(call: Call) -> Answer:
    """Delete a ref."""
    repo = call.repo("write", "contents")
    name = f"refs/{call.params['ref']}"
    if name not in repo["refs"]:
        raise ApiError(422, "Reference does not exist")
    if name == f"refs/heads/{repo['default_branch']}":
        raise ApiError(422, "Cannot delete the default branch")
    move(call.hub, repo, name, None, call.signed_in())
    return Answer(204)
