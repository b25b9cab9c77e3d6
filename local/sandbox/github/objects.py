"""Stores Git objects under their real SHA-1 names; content is kept once, each repository knows which are its own."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from local.sandbox.github.errors import ApiError
from local.sandbox.github.hub import Hub, Record

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
NULL_SHA = "0" * 40
MODES = {"100644": "blob", "100755": "blob", "120000": "blob", "040000": "tree", "160000": "commit"}


def git_sha(kind: str, content: bytes) -> str:
    """The name Git gives an object."""
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


def _put(hub: Hub, repo: Record, kind: str, sha: str, value: Any) -> str:
    hub.table(kind).setdefault(sha, value)
    repo["objects"][sha] = 1
    hub.changed()
    return sha


def has(hub: Hub, repo: Record, kind: str, sha: str) -> bool:
    """Whether the repository holds an object of `kind` ("blobs", "trees", "commits", "tags")."""
    return sha in repo["objects"] and sha in hub.table(kind)


def put_blob(hub: Hub, repo: Record, content: bytes) -> str:
    """Store content; returns its name."""
    try:
        stored = {"text": content.decode("utf-8")}
    except UnicodeDecodeError:
        stored = {"base64": base64.b64encode(content).decode()}
    return _put(hub, repo, "blobs", git_sha("blob", content), stored)


def blob(hub: Hub, sha: str) -> bytes:
    """The content of a blob."""
    stored = hub.table("blobs")[sha]
    return base64.b64decode(stored["base64"]) if "base64" in stored else stored["text"].encode()


def put_tree(hub: Hub, repo: Record, entries: list[list[str]]) -> str:
    """Store a tree of [name, mode, sha] entries; returns its name."""
    # Git sorts a folder as if its name ended in a slash.
    ordered = sorted(entries, key=lambda e: (e[0] + ("/" if e[1] == "040000" else "")).encode())
    raw = b"".join(f"{mode.lstrip('0')} {name}\0".encode() + bytes.fromhex(sha) for name, mode, sha in ordered)
    return _put(hub, repo, "trees", git_sha("tree", raw), ordered)


def put_commit(
    hub: Hub, repo: Record, tree: str, parents: list[str], message: str, author: Record, committer: Record
) -> str:
    """Store a commit; `author` and `committer` are {"name", "email", "date"}; returns its name."""
    lines = [
        f"tree {tree}",
        *(f"parent {p}" for p in parents),
        _signature("author", author),
        _signature("committer", committer),
    ]
    raw = ("\n".join(lines) + f"\n\n{message}").encode()
    commit = {"tree": tree, "parents": parents, "message": message, "author": author, "committer": committer}
    return _put(hub, repo, "commits", git_sha("commit", raw), commit)


def _signature(role: str, person: Record) -> str:
    moment = datetime.fromisoformat(person["date"])
    return f"{role} {person['name']} <{person['email']}> {int(moment.timestamp())} {moment.strftime('%z') or '+0000'}"


def flat(hub: Hub, tree: str, prefix: str = "") -> dict[str, tuple[str, str]]:
    """Every file of a tree: path to (mode, blob name)."""
    files: dict[str, tuple[str, str]] = {}
    for name, mode, sha in hub.table("trees").get(tree, []):
        if mode == "040000":
            files |= flat(hub, sha, f"{prefix}{name}/")
        else:
            files[prefix + name] = (mode, sha)
    return files


def build(hub: Hub, repo: Record, files: dict[str, tuple[str, str]]) -> str:
    """Store the nested trees of flat `files`; returns the root's name."""
    here: list[list[str]] = []
    folders: dict[str, dict[str, tuple[str, str]]] = {}
    for path, (mode, sha) in files.items():
        head, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(head, {})[rest] = (mode, sha)
        else:
            here.append([head, mode, sha])
    here += [[name, "040000", build(hub, repo, inner)] for name, inner in folders.items()]
    return put_tree(hub, repo, here)


def entry_at(hub: Hub, tree: str, path: str) -> tuple[str, str] | None:
    """The (mode, name) at `path` below a tree; the tree itself for an empty path."""
    mode, sha = "040000", tree
    for part in (p for p in path.split("/") if p):
        if mode != "040000":
            return None
        found = next((e for e in hub.table("trees").get(sha, []) if e[0] == part), None)
        if found is None:
            return None
        mode, sha = found[1], found[2]
    return mode, sha


def history(hub: Hub, head: str) -> Iterator[str]:
    """Names of the commits reachable from `head`, parents after children, first parents first."""
    seen: set[str] = set()
    waiting = [head]
    while waiting:
        sha = waiting.pop(0)
        commit = hub.table("commits").get(sha)
        if sha in seen or commit is None:
            continue
        seen.add(sha)
        yield sha
        waiting += commit["parents"]


def is_ancestor(hub: Hub, older: str, newer: str) -> bool:
    """Whether `newer` contains `older`."""
    return any(sha == older for sha in history(hub, newer))


def merge_base(hub: Hub, one: str, other: str) -> str | None:
    """The nearest common commit."""
    ours = set(history(hub, one))
    return next((sha for sha in history(hub, other) if sha in ours), None)


def resolve(hub: Hub, repo: Record, ref: str) -> str | None:
    """The commit that a branch, tag, ref or (abbreviated) SHA means."""
    for name in (f"refs/heads/{ref}", f"refs/tags/{ref}", ref, f"refs/{ref}"):
        if name in repo["refs"]:
            return peel(hub, repo["refs"][name])
    if ref == "HEAD":
        return head_of(repo)
    if len(ref) >= 7:
        commits = hub.table("commits")
        if ref in commits:
            return ref if ref in repo["objects"] else None
        return next((sha for sha in repo["objects"] if sha.startswith(ref) and sha in commits), None)
    return None


def peel(hub: Hub, sha: str) -> str:
    """The commit an annotated tag points at, or `sha` itself."""
    tag = hub.table("tags").get(sha)
    return tag["object"] if tag else sha


def head_of(repo: Record) -> str | None:
    """The tip of the default branch."""
    found: str | None = repo["refs"].get(f"refs/heads/{repo['default_branch']}")
    return found


def is_empty(repo: Record) -> bool:
    """Whether nothing was ever committed."""
    return not repo["refs"]


def refuse_empty(repo: Record) -> None:
    """Raise the 409 that Git data calls answer on an empty repository."""
    if is_empty(repo):
        raise ApiError(409, "Git Repository is empty.")


def decode_base64(text: str) -> bytes:
    """Base64 with the line breaks clients put in; raises ApiError 422."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ApiError(422, "content is not valid Base64") from error


def encode_base64(content: bytes) -> str:
    """Base64 in lines of 60, as GitHub sends it."""
    text = base64.b64encode(content).decode()
    return "".join(text[i : i + 60] + "\n" for i in range(0, len(text), 60))
