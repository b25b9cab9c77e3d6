"""Stores git objects with the ids real git gives them, and answers history, difference and merge questions."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, deque
from typing import Any

from local.sandbox.azure_devops.service import Tree, parse_time

NO_OBJECT = "0" * 40
type Files = dict[str, str]
"""Blob ids by path with a leading slash."""


def add_repository(project: Tree, name: str, repository_id: str) -> Tree:
    """An empty repository of the project."""
    repository: Tree = {
        "id": repository_id,
        "name": name,
        "project": project["id"],
        "default_branch": None,
        "disabled": False,
        "blobs": {},
        "commits": {},
        "trees": {},
        "refs": {},
        "pushes": {},
        "pulls": {},
        "statuses": {},
        "tags": {},
    }
    project["repositories"][repository_id] = repository
    return repository


def object_id(kind: str, data: bytes) -> str:
    """The SHA-1 git gives an object."""
    return hashlib.sha1(f"{kind} {len(data)}".encode() + b"\0" + data, usedforsecurity=False).hexdigest()


def put_blob(repository: Tree, data: bytes) -> str:
    """Store a file's content; its id."""
    blob_id = object_id("blob", data)
    repository["blobs"][blob_id] = base64.b64encode(data).decode("ascii")
    return blob_id


def blob(repository: Tree, blob_id: str) -> bytes:
    """A file's content; raises KeyError."""
    return base64.b64decode(repository["blobs"][blob_id])


def children(files: Files, folder: str) -> dict[str, str | None]:
    """Names directly below a folder: the blob id of files, None for folders."""
    prefix = folder.rstrip("/") + "/"
    found: dict[str, str | None] = {}
    for path, blob_id in files.items():
        if path.startswith(prefix):
            name, slash, _ = path[len(prefix) :].partition("/")
            found[name] = None if slash else blob_id
    return found


def tree_id(files: Files, folder: str = "/") -> str:
    """The id of the tree of a folder."""
    return object_id("tree", _tree_data(files, folder))


def _tree_data(files: Files, folder: str) -> bytes:
    entries = []
    for name, blob_id in children(files, folder).items():
        if blob_id is None:
            entries.append((name + "/", f"40000 {name}", tree_id(files, f"{folder.rstrip('/')}/{name}")))
        else:
            entries.append((name, f"100644 {name}", blob_id))
    # Git sorts folders as if their names ended in a slash.
    return b"".join(head.encode() + b"\0" + bytes.fromhex(entry) for _, head, entry in sorted(entries))


def folders(files: Files) -> list[str]:
    """Every folder that holds a file, the root first."""
    found = {"/"}
    for path in files:
        parts = path.split("/")[1:-1]
        found.update("/" + "/".join(parts[: n + 1]) for n in range(len(parts)))
    return sorted(found)


def commit(
    repository: Tree, files: Files, parents: list[str], message: str, author: Tree, committer: Tree | None = None
) -> str:
    """Store a commit; its id. Persons are {name, email, date}."""
    committer = committer or author
    root = tree_id(files)
    lines = [f"tree {root}", *(f"parent {p}" for p in parents)]
    lines += [f"author {_signature(author)}", f"committer {_signature(committer)}", "", message]
    commit_id = object_id("commit", "\n".join(lines).encode())
    for folder in folders(files):
        repository["trees"][tree_id(files, folder)] = [commit_id, folder]
    repository["commits"][commit_id] = {
        "files": dict(files),
        "tree": root,
        "parents": list(parents),
        "message": message,
        "author": author,
        "committer": committer,
    }
    return commit_id


def _signature(person: Tree) -> str:
    seconds = int(parse_time(person["date"]).timestamp())
    return f"{person['name']} <{person['email']}> {seconds} +0000"


def files_of(repository: Tree, commit_id: str | None) -> Files:
    """The files of a commit; none for no commit."""
    if commit_id in {None, NO_OBJECT}:
        return {}
    found: Files = repository["commits"][commit_id]["files"]
    return found


def history(repository: Tree, tip: str | None) -> list[str]:
    """Commits reachable from `tip`, newest first along the first parents, then the rest by distance."""
    seen: dict[str, None] = {}
    waiting = deque([tip] if tip and tip != NO_OBJECT else [])
    while waiting:
        current = waiting.popleft()
        if current in seen or current not in repository["commits"]:
            continue
        seen[current] = None
        waiting.extend(repository["commits"][current]["parents"])
    return list(seen)


def merge_base(repository: Tree, one: str, other: str) -> str | None:
    """The nearest commit both have in common."""
    ancestors = set(history(repository, one))
    return next((c for c in history(repository, other) if c in ancestors), None)


def changes(before: Files, after: Files) -> list[dict[str, Any]]:
    """What differs: path, change type, ids; a moved unchanged file is one rename."""
    added = {p: b for p, b in after.items() if p not in before}
    deleted = {p: b for p, b in before.items() if p not in after}
    found: list[dict[str, Any]] = [
        {"path": p, "type": "edit", "new": b, "old": before[p]}
        for p, b in after.items()
        if p in before and before[p] != b
    ]
    for path, blob_id in added.items():
        source = next((p for p, b in deleted.items() if b == blob_id), None)
        if source is None:
            found.append({"path": path, "type": "add", "new": blob_id, "old": None})
        else:
            del deleted[source]
            found.append({"path": path, "type": "rename", "new": blob_id, "old": blob_id, "source": source})
    found += [{"path": p, "type": "delete", "new": None, "old": b} for p, b in deleted.items()]
    return sorted(found, key=lambda change: str(change["path"]))


def with_edited_renames(repository: Tree, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The changes with each deletion and addition that are at least half alike as one renaming with an edit."""
    deleted = [c for c in found if c["type"] == "delete"]
    renamed: dict[str, dict[str, Any]] = {}
    for change in (c for c in found if c["type"] == "add"):
        twin = next((d for d in deleted if _half_alike(repository, d["old"], change["new"])), None)
        if twin is not None:
            deleted.remove(twin)
            renamed[twin["path"]] = change
            change |= {"type": "edit, rename", "old": twin["old"], "source": twin["path"]}
    return [c for c in found if c["type"] != "delete" or c["path"] not in renamed]


def _half_alike(repository: Tree, one: str, other: str) -> bool:
    lines, others = (blob(repository, blob_id).splitlines() for blob_id in (one, other))
    if len(lines) + len(others) > 20_000:
        return False
    shared = (Counter(lines) & Counter(others)).total()
    return shared > 0 and 2 * shared >= max(len(lines), len(others))


def merge_files(repository: Tree, target: str, source: str) -> tuple[Files, list[str]]:
    """The files of merging `source` into `target`, with the paths both changed differently."""
    base = files_of(repository, merge_base(repository, target, source))
    ours, theirs = files_of(repository, target), files_of(repository, source)
    merged: Files = {}
    conflicts = []
    for path in sorted({*base, *ours, *theirs}):
        was, mine, yours = base.get(path), ours.get(path), theirs.get(path)
        chosen = mine
        if mine != yours:
            if mine == was:
                chosen = yours
            elif yours != was:
                conflicts.append(path)
        if chosen is not None:
            merged[path] = chosen
    return merged, conflicts


def ref_target(repository: Tree, name: str) -> str | None:
    """The object a ref points at."""
    ref = repository["refs"].get(name)
    return None if ref is None else str(ref["objectId"])


def resolve(repository: Tree, version: str, kind: str = "branch") -> str | None:
    """The commit of a branch, tag or (abbreviated) commit id; the default branch when no version is given."""
    if not version:
        branch = repository["default_branch"]
        return ref_target(repository, branch) if branch else None
    if kind == "commit":
        return next((c for c in repository["commits"] if c.startswith(version.lower())), None)
    prefix = "refs/tags/" if kind == "tag" else "refs/heads/"
    target = ref_target(repository, version if version.startswith("refs/") else prefix + version)
    annotated = repository["tags"].get(target or "")
    return annotated["target"] if annotated else target
