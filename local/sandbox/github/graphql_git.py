"""Finds what GraphQL tells of commits, trees and files in Git."""

from __future__ import annotations

from typing import Any

from local.sandbox.github import objects, present
from local.sandbox.github.commits import author_account
from local.sandbox.github.diffs import SUBMODULE, is_binary
from local.sandbox.github.graphql_resolvers import Context, Resolver, Typed
from local.sandbox.github.hub import Hub, Record

MOST_TEXT = 512 * 1024
"""Bytes after which GitHub cuts the text of a blob."""


def git_actor(role: str) -> Resolver:
    def resolve(context: Context, value: tuple[Record, str], _: Record) -> Record:
        signature = context.hub.table("commits")[value[1]][role]
        account = author_account(context.hub, signature)
        user = context.hub.user(account["login"]) if account else None
        shown = present.full_user(context.hub, user) if user and user["type"] == "User" else None
        return {**signature, "user": shown}

    return resolve


def commit_field(name: str) -> Resolver:
    return lambda context, value, _: context.hub.table("commits")[value[1]][name]


def git_object(context: Context, repo: Record, given: Record) -> Typed | None:
    hub = context.hub
    if given.get("oid") is not None:
        return _typed(hub, repo, str(given["oid"]))
    ref, colon, path = str(given.get("expression") or "").partition(":")
    commit = objects.resolve(hub, repo, ref)
    if commit is None:
        return None
    if not colon:
        return Typed("Commit", (repo, commit))
    entry = objects.entry_at(hub, hub.table("commits")[commit]["tree"], path)
    return _typed(hub, repo, entry[1]) if entry else None


def _typed(hub: Hub, repo: Record, sha: str) -> Typed | None:
    for table, kind in (("blobs", "Blob"), ("trees", "Tree"), ("commits", "Commit")):
        if objects.has(hub, repo, table, sha):
            return Typed(kind, (repo, sha))
    return None


def tree_of(context: Context, value: tuple[Record, str], _: Record) -> tuple[Record, str]:
    return value[0], context.hub.table("commits")[value[1]]["tree"]


def file_of(context: Context, value: tuple[Record, str], given: Record) -> Any:
    entry = objects.entry_at(context.hub, tree_of(context, value, {})[1], str(given.get("path")))
    return (value[0], [str(given["path"]).rpartition("/")[2], *entry]) if entry else None


def entries(context: Context, value: tuple[Record, str], _: Record) -> list[Any]:
    return [(value[0], entry) for entry in context.hub.table("trees").get(value[1], [])]


def entry_object(context: Context, value: tuple[Record, list[str]], _: Record) -> Typed | None:
    repo, (_name, mode, sha) = value
    return None if mode == SUBMODULE else _typed(context.hub, repo, sha)


def blob_field(name: str) -> Resolver:
    def resolve(context: Context, value: tuple[Record, str], _: Record) -> Any:
        content = objects.blob(context.hub, value[1])
        cut = content[:MOST_TEXT].decode(errors="replace")
        return {
            "byteSize": len(content),
            "isBinary": is_binary(content),
            "isTruncated": len(content) > MOST_TEXT,
            "text": None if is_binary(content) else cut,
        }[name]

    return resolve
