"""Answers for files: reading, writing, deleting, the README and archives."""

from __future__ import annotations

import io
import posixpath
import tarfile
import zipfile
from urllib.parse import quote

from local.sandbox.github import objects, present
from local.sandbox.github.errors import ApiError, bad_request, not_found
from local.sandbox.github.git_data import git_commit
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.pushes import move, person
from local.sandbox.github.routing import Answer, Call, route

LINK = "120000"
"""Mode of a symbolic link in Git."""
PATH = "/repos/{owner}/{repo}/contents"
BIG = 1_000_000


def _root(call: Call, repo: Record) -> tuple[str, str]:
    """The asked ref and its root tree; raises ApiError 404."""
    ref = call.query.get("ref") or repo["default_branch"]
    if objects.is_empty(repo):
        raise ApiError(404, "This repository is empty.")
    commit = objects.resolve(call.hub, repo, ref)
    if commit is None:
        raise ApiError(404, f"No commit found for the ref {ref}")
    return ref, call.hub.table("commits")[commit]["tree"]


def _entry(hub: Hub, repo: Record, path: str, mode: str, sha: str, ref: str) -> Record:
    kind = "dir" if mode == "040000" else "symlink" if mode == LINK else "file"
    url, page = present.repository_url(hub, repo), present.html_url(hub, repo)
    shown = quote(path)
    git_url = f"{url}/git/{'trees' if kind == 'dir' else 'blobs'}/{sha}"
    html = f"{page}/{'tree' if kind == 'dir' else 'blob'}/{ref}/{shown}"
    own = f"{url}/contents/{shown}?ref={quote(ref, safe='')}"
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "size": 0 if kind == "dir" else len(objects.blob(hub, sha)),
        "url": own,
        "html_url": html,
        "git_url": git_url,
        "download_url": None if kind == "dir" else f"{page}/raw/{ref}/{shown}",
        "type": kind,
        "_links": {"self": own, "git": git_url, "html": html},
    }


def file_body(hub: Hub, repo: Record, path: str, entry: tuple[str, str], ref: str) -> Record:
    """A file with its content; beyond 1 MB GitHub leaves the content out."""
    content = objects.blob(hub, entry[1])
    big = len(content) > BIG
    return {
        **_entry(hub, repo, path, *entry, ref),
        "content": "" if big else objects.encode_base64(content),
        "encoding": "none" if big else "base64",
    }


@route("GET", PATH)
@route("GET", PATH + "/{path:path}")
def contents(call: Call) -> object:
    """A file, or the list of a folder."""
    repo = call.repo("read", "contents")
    path = call.params.get("path", "").strip("/")
    ref, tree = _root(call, repo)
    found = objects.entry_at(call.hub, tree, path)
    if found is None:
        raise not_found()
    if found[0] == LINK:
        # https://docs.github.com/rest/repos/contents#get-repository-content: a link to a file is answered with the file.
        leads = posixpath.normpath(posixpath.join(posixpath.dirname(path), objects.blob(call.hub, found[1]).decode()))
        target = None if leads.startswith("..") else objects.entry_at(call.hub, tree, leads)
        if target is None or target[0] in {LINK, "040000"}:
            return {**_entry(call.hub, repo, path, *found, ref), "target": objects.blob(call.hub, found[1]).decode()}
        return file_body(call.hub, repo, path, target, ref)
    if found[0] != "040000":
        return file_body(call.hub, repo, path, found, ref)
    prefix = f"{path}/" if path else ""
    entries = call.hub.table("trees").get(found[1], [])
    return [_entry(call.hub, repo, prefix + name, mode, sha, ref) for name, mode, sha in entries]


@route("GET", "/repos/{owner}/{repo}/readme")
def readme(call: Call) -> Record:
    """The README of the root, docs or .github folder."""
    repo = call.repo("read", "contents")
    ref, tree = _root(call, repo)
    for path, entry in objects.flat(call.hub, tree).items():
        folder, _, name = path.rpartition("/")
        if folder in {"", "docs", ".github"} and name.lower().partition(".")[0] == "readme":
            return file_body(call.hub, repo, path, entry, ref)
    raise not_found()


def _branch(call: Call, repo: Record) -> str:
    branch: str = call.body.get("branch") or call.query.get("branch") or repo["default_branch"]
    branch = branch.removeprefix("refs/heads/")
    if not objects.is_empty(repo) and f"refs/heads/{branch}" not in repo["refs"]:
        raise ApiError(404, f"Branch {branch} not found")
    return branch


def _files(call: Call, repo: Record, branch: str) -> dict[str, tuple[str, str]]:
    head = repo["refs"].get(f"refs/heads/{branch}")
    return objects.flat(call.hub, call.hub.table("commits")[head]["tree"]) if head else {}


def _commit(call: Call, repo: Record, branch: str, files: dict[str, tuple[str, str]], message: str, verb: str) -> str:
    """Commit `files` to the branch; a protected branch answers 409 as the contents API does."""
    head = repo["refs"].get(f"refs/heads/{branch}")
    actor = call.signed_in()
    author = person(call.hub, actor, call.get("author", dict) or call.get("committer", dict))
    committer = person(call.hub, actor, call.get("committer", dict))
    tree = objects.build(call.hub, repo, files)
    sha = objects.put_commit(call.hub, repo, tree, [head] if head else [], message, author, committer)
    try:
        move(call.hub, repo, f"refs/heads/{branch}", sha, actor, bypass=head is None)
    except ApiError as error:
        raise ApiError(409, f"Could not {verb} file: {error.message} ") from error
    return sha


@route("PUT", PATH + "/{path:path}")
def put(call: Call) -> Answer:
    """Create a file, or replace it when its current sha is given; the way to make a first commit."""
    path = call.params["path"].strip("/")
    in_workflows = path.startswith(".github/workflows/")
    repo = call.repo("write", "contents")
    if in_workflows and not _may_write_workflows(call):
        raise (
            ApiError(404, "Not Found")
            if call.caller.kind == "user"
            else ApiError(403, "Resource not accessible by integration")
        )
    message = call.need("message", str)
    content = call.body.get("content")
    if not isinstance(content, str):
        raise bad_request('"content" wasn\'t supplied.')
    raw = objects.decode_base64(content)
    if not path or ".." in path.split("/"):
        raise ApiError(422, "path contains a malformed path component")
    branch = _branch(call, repo)
    files = _files(call, repo, branch)
    before = files.get(path)
    given = call.get("sha", str)
    if before and given is None:
        raise bad_request('"sha" wasn\'t supplied.')
    if given and before is None:
        raise ApiError(404, "Not Found")
    if before and given != before[1]:
        raise ApiError(409, f"{path} does not match {given}")
    if any(other.startswith(path + "/") for other in files):
        raise ApiError(422, f"{path} is a directory")
    files[path] = (before[0] if before else "100644", objects.put_blob(call.hub, repo, raw))
    sha = _commit(call, repo, branch, files, message, "update" if before else "create")
    body = {
        "content": _entry(call.hub, repo, path, *files[path], branch),
        "commit": git_commit(call.hub, repo, sha),
    }
    return Answer(200 if before else 201, body)


def _may_write_workflows(call: Call) -> bool:
    caller = call.caller
    if caller.permissions is not None:
        return caller.permissions.get("workflows") == "write"
    return caller.scopes is None or "workflow" in caller.scopes


@route("DELETE", PATH + "/{path:path}")
def delete(call: Call) -> Record:
    """Delete a file; PyGithub sends the fields as query, others as body."""
    repo = call.repo("write", "contents")
    call.body = {**dict(call.query), **call.body}
    path = call.params["path"].strip("/")
    message, given = call.need("message", str), call.need("sha", str)
    branch = _branch(call, repo)
    files = _files(call, repo, branch)
    before = files.pop(path, None)
    if before is None:
        raise not_found()
    if before[1] != given:
        raise ApiError(409, f"{path} does not match {given}")
    sha = _commit(call, repo, branch, files, message, "delete")
    return {"content": None, "commit": git_commit(call.hub, repo, sha)}


@route("GET", "/repos/{owner}/{repo}/zipball/{ref:path}")
@route("GET", "/repos/{owner}/{repo}/tarball/{ref:path}")
def archive(call: Call) -> Answer:
    """Redirect to the archive of a ref, as GitHub does."""
    repo = call.repo("read", "contents")
    kind = "zip" if "/zipball/" in call.request.scope["path"] else "tar.gz"
    if objects.resolve(call.hub, repo, call.params["ref"]) is None:
        raise not_found()
    return Answer(
        302, None, {"Location": f"{present.repository_url(call.hub, repo)}/_archive/{kind}/{call.params['ref']}"}
    )


def packed(hub: Hub, repo: Record, commit: str, kind: str) -> bytes:
    """The files of a commit as a zip or tar.gz, below one folder."""
    folder = f"{repo['owner']}-{repo['name']}-{commit[:7]}/"
    stream = io.BytesIO()
    files = objects.flat(hub, hub.table("commits")[commit]["tree"])
    if kind == "zip":
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
            for path, (_, sha) in files.items():
                target.writestr(folder + path, objects.blob(hub, sha))
        return stream.getvalue()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for path, (_, sha) in files.items():
            content = objects.blob(hub, sha)
            info = tarfile.TarInfo(folder + path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()
