"""Answers for Git data: blobs, trees, commits, tags and refs."""

from __future__ import annotations

import json
import re

from local.sandbox.github import objects, present
from local.sandbox.github.errors import ApiError, bad_request, not_found
from local.sandbox.github.hub import Hub, Record, node_id
from local.sandbox.github.pushes import person
from local.sandbox.github.routing import Answer, Call, route

GIT = "/repos/{owner}/{repo}/git"
_SHA = re.compile(r"[0-9a-f]{40}")


def needed_object(call: Call, value: object, kind: str) -> str:
    """A name of an object of `kind` in the repository; raises ApiError 422."""
    repo = call.hub.repo(call.params["owner"], call.params["repo"]) or {}
    if not isinstance(value, str) or not _SHA.fullmatch(value):
        raise ApiError(422, "The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
    if not objects.has(call.hub, repo, kind, value) and value != objects.EMPTY_TREE:
        noun = {"commits": "Parent SHA does not exist or is not a commit object", "trees": "Tree SHA does not exist"}
        raise ApiError(422, noun.get(kind, "Object does not exist"))
    return value


@route("POST", GIT + "/blobs")
def create_blob(call: Call) -> Answer:
    """Store a blob."""
    repo = call.repo("write", "contents")
    objects.refuse_empty(repo)
    content = call.body.get("content")
    if not isinstance(content, str):
        raise bad_request('"content" wasn\'t supplied.')
    encoding = call.get("encoding", str, "utf-8")
    if encoding not in {"utf-8", "base64"}:
        raise ApiError(422, "encoding must be utf-8 or base64")
    sha = objects.put_blob(call.hub, repo, objects.decode_base64(content) if encoding == "base64" else content.encode())
    url = f"{present.repository_url(call.hub, repo)}/git/blobs/{sha}"
    return Answer(201, {"sha": sha, "url": url}, {"Location": url})


@route("GET", GIT + "/blobs/{sha}")
def blob(call: Call) -> Record:
    """A blob's content."""
    repo = call.repo("read", "contents")
    objects.refuse_empty(repo)
    sha = call.params["sha"]
    if not objects.has(call.hub, repo, "blobs", sha):
        raise not_found()
    content = objects.blob(call.hub, sha)
    return {
        "sha": sha,
        "node_id": f"B_{sha}",
        "size": len(content),
        "url": f"{present.repository_url(call.hub, repo)}/git/blobs/{sha}",
        "content": objects.encode_base64(content),
        "encoding": "base64",
    }


def _tree(hub: Hub, repo: Record, sha: str, *, recursive: bool) -> Record:
    url = f"{present.repository_url(hub, repo)}/git"
    shown: list[Record] = []

    def walk(tree: str, prefix: str) -> None:
        for name, mode, child in hub.table("trees").get(tree, []):
            kind = objects.MODES[mode]
            entry = {"path": prefix + name, "mode": mode, "type": kind, "sha": child}
            if kind == "blob":
                entry["size"] = len(objects.blob(hub, child))
            shown.append({**entry, "url": f"{url}/{kind}s/{child}"})
            if kind == "tree" and recursive:
                walk(child, f"{prefix}{name}/")

    walk(sha, "")
    return {"sha": sha, "url": f"{url}/trees/{sha}", "tree": shown, "truncated": False}


@route("POST", GIT + "/trees")
def create_tree(call: Call) -> Answer:
    """Store a tree: entries laid over `base_tree`, a null sha removes a path."""
    repo = call.repo("write", "contents")
    objects.refuse_empty(repo)
    base = call.get("base_tree", str)
    files: dict[str, tuple[str, str]] = {}
    if base is not None:
        commit = call.hub.table("commits").get(base)
        root = commit["tree"] if commit and base in repo["objects"] else base
        if root != objects.EMPTY_TREE and not objects.has(call.hub, repo, "trees", root):
            raise ApiError(422, "base_tree is not a valid tree oid")
        files = objects.flat(call.hub, root)
    for entry in call.need("tree", list):
        if not isinstance(entry, dict):
            raise bad_request(f"For 'properties/tree', {json.dumps(entry)} is not an object.")
        _lay(call, repo, files, entry)
    sha = objects.build(call.hub, repo, files)
    body = _tree(call.hub, repo, sha, recursive=False)
    return Answer(201, body, {"Location": body["url"]})


def _lay(call: Call, repo: Record, files: dict[str, tuple[str, str]], entry: Record) -> None:
    path, mode = str(entry.get("path") or ""), entry.get("mode", "100644")
    if not path or path.startswith("/") or ".." in path.split("/") or "" in path.split("/"):
        raise ApiError(422, "tree.path contains a malformed path component")
    if mode not in objects.MODES:
        raise ApiError(422, f"tree.mode {mode} is not a valid mode")
    if "content" in entry:
        sha = objects.put_blob(call.hub, repo, str(entry["content"]).encode())
    elif entry.get("sha") is None:
        if "sha" not in entry:
            raise ApiError(422, "Must supply either tree.sha or tree.content")
        for gone in [p for p in files if p == path or p.startswith(path + "/")]:
            del files[gone]
        return
    else:
        sha = entry["sha"]
        if not objects.has(call.hub, repo, "trees" if mode == "040000" else "blobs", sha):
            raise ApiError(422, f"tree.sha {sha} is not a valid {objects.MODES[mode]}")
    for gone in [p for p in files if p.startswith(path + "/")]:
        del files[gone]
    if mode == "040000":
        files |= objects.flat(call.hub, sha, path + "/")
    else:
        files[path] = (mode, sha)


@route("GET", GIT + "/trees/{sha:path}")
def tree(call: Call) -> Record:
    """A tree, by its name or by any ref."""
    repo = call.repo("read", "contents")
    objects.refuse_empty(repo)
    sha = call.params["sha"]
    if not objects.has(call.hub, repo, "trees", sha):
        commit = objects.resolve(call.hub, repo, sha)
        if commit is None:
            raise not_found()
        sha = call.hub.table("commits")[commit]["tree"]
    return _tree(call.hub, repo, sha, recursive="recursive" in call.query)


def git_commit(hub: Hub, repo: Record, sha: str) -> Record:
    """A commit as Git data shows it."""
    commit = hub.table("commits")[sha]
    url, page = f"{present.repository_url(hub, repo)}/git", present.html_url(hub, repo)
    return {
        "sha": sha,
        "node_id": node_id("Commit", int(sha[:8], 16)),
        "url": f"{url}/commits/{sha}",
        "html_url": f"{page}/commit/{sha}",
        "author": commit["author"],
        "committer": commit["committer"],
        "tree": {"sha": commit["tree"], "url": f"{url}/trees/{commit['tree']}"},
        "message": commit["message"],
        "parents": [
            {"sha": p, "url": f"{url}/commits/{p}", "html_url": f"{page}/commit/{p}"} for p in commit["parents"]
        ],
        "verification": {
            "verified": False,
            "reason": "unsigned",
            "signature": None,
            "payload": None,
            "verified_at": None,
        },
    }


@route("POST", GIT + "/commits")
def create_commit(call: Call) -> Answer:
    """Store a commit."""
    repo = call.repo("write", "contents")
    objects.refuse_empty(repo)
    message = call.need("message", str)
    tree_sha = needed_object(call, call.need("tree", str), "trees")
    parents = [needed_object(call, parent, "commits") for parent in call.get("parents", list, [])]
    author = person(call.hub, call.signed_in(), call.get("author", dict))
    committer = (
        person(call.hub, call.signed_in(), call.get("committer", dict)) if call.body.get("committer") else author
    )
    sha = objects.put_commit(call.hub, repo, tree_sha, parents, message, author, committer)
    body = git_commit(call.hub, repo, sha)
    return Answer(201, body, {"Location": body["url"]})


@route("GET", GIT + "/commits/{sha}")
def commit(call: Call) -> Record:
    """A commit."""
    repo = call.repo("read", "contents")
    objects.refuse_empty(repo)
    if not objects.has(call.hub, repo, "commits", call.params["sha"]):
        raise not_found()
    return git_commit(call.hub, repo, call.params["sha"])


@route("POST", GIT + "/tags")
def create_tag(call: Call) -> Answer:
    """Store an annotated tag; its ref is created separately."""
    repo = call.repo("write", "contents")
    target = needed_object(call, call.need("object", str), "commits")
    tagger = person(call.hub, call.signed_in(), call.get("tagger", dict))
    record = {"tag": call.need("tag", str), "message": call.need("message", str), "object": target, "tagger": tagger}
    raw = f"object {target}\ntype commit\ntag {record['tag']}\ntagger {tagger['name']} {tagger['date']}\n\n{record['message']}"
    sha = objects.git_sha("tag", raw.encode())
    call.hub.table("tags")[sha] = record
    repo["objects"][sha] = 1
    call.hub.changed()
    return Answer(201, _tag(call.hub, repo, sha))


def _tag(hub: Hub, repo: Record, sha: str) -> Record:
    record = hub.table("tags")[sha]
    url = f"{present.repository_url(hub, repo)}/git"
    return {
        "node_id": f"TA_{sha}",
        "tag": record["tag"],
        "sha": sha,
        "url": f"{url}/tags/{sha}",
        "message": record["message"],
        "tagger": record["tagger"],
        "object": {"sha": record["object"], "type": "commit", "url": f"{url}/commits/{record['object']}"},
        "verification": {
            "verified": False,
            "reason": "unsigned",
            "signature": None,
            "payload": None,
            "verified_at": None,
        },
    }


@route("GET", GIT + "/tags/{sha}")
def tag(call: Call) -> Record:
    """An annotated tag."""
    repo = call.repo("read", "contents")
    if not objects.has(call.hub, repo, "tags", call.params["sha"]):
        raise not_found()
    return _tag(call.hub, repo, call.params["sha"])
