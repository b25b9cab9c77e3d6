"""Fetches texts of files at a commit: few by batched GraphQL, many out of the commit's archive.

Measured with 100 ms a call and small files: batches under way together and the archive of a small repository take the same
0.4 s at 400 files, and the archive wins from there on; it sends the whole repository, though, so batches go a bit further.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from shared.adapters.github.client import GitHubClient
from shared.adapters.github.errors import NotFoundError
from shared.adapters.github.graph import ask
from shared.adapters.github.reviews.archive import files_of
from shared.adapters.later import later
from shared.domain.forge import RepositoryRef

LARGEST = 512 * 1024
"""Bytes of a text that is read; GraphQL cuts longer ones."""
MOST = 10 * 1024 * 1024
"""Bytes of all texts of one side of a change together."""
BATCH = 100
MOST_BATCHED = 500
"""Files beyond which the archive is read."""
_SNIFFED = 8_000
"""Bytes in which git looks for a NUL to call a file binary."""


class Text(NamedTuple):
    """A file's text, or why there is none."""

    text: str | None
    """None: binary, or too large."""
    binary: bool = False


def texts_at(client: GitHubClient, repository: RepositoryRef, commit: str, paths: Sequence[str]) -> dict[str, Text]:
    """Path → text at ``commit``. A path is left out that is no file there, or that comes after ``MOST`` bytes."""
    wanted = list(dict.fromkeys(paths))
    if len(wanted) <= MOST_BATCHED:
        return _batched(client, repository, commit, wanted, MOST)
    try:
        held = files_of(client, repository, commit, frozenset(wanted), largest=LARGEST, total=MOST)
    except NotFoundError:
        held = {}
    found = {name: Text(None) if content is None else _read(content) for name, content in held.items()}
    spent = sum(len(content or b"") for content in held.values())
    missing = [name for name in wanted if name not in found]
    if missing and spent < MOST and len(missing) <= MOST_BATCHED:
        found |= _batched(client, repository, commit, missing, MOST - spent)
    return found


def document(commit: str, paths: Sequence[str]) -> str:
    """The query for the texts of ``paths`` at ``commit``, each under the alias of its place."""
    asked = " ".join(
        f"b{n}: object(expression: {json.dumps(f'{commit}:{name}', ensure_ascii=False)})"
        " { ... on Blob { text isBinary isTruncated byteSize } }"
        for n, name in enumerate(paths)
    )
    return f"query Texts($owner: String!, $name: String!) {{ repository(owner: $owner, name: $name) {{ {asked} }} }}"


def _batched(
    client: GitHubClient, repository: RepositoryRef, commit: str, wanted: Sequence[str], room: int
) -> dict[str, Text]:
    found: dict[str, Text] = {}
    batches = [wanted[begin : begin + BATCH] for begin in range(0, len(wanted), BATCH)]
    variables = {"owner": repository.owner, "name": repository.name}
    asked = [later(partial(ask, client, document(commit, batch), variables)) for batch in batches]
    for batch, under_way in zip(batches, asked, strict=True):
        answered = under_way.result()
        blobs = answered.data.get("repository") or {}
        for n, name in enumerate(batch):
            blob = blobs.get(f"b{n}")
            if not blob or "byteSize" not in blob:
                continue
            if blob["isBinary"] or blob["isTruncated"] or blob["text"] is None or blob["byteSize"] > LARGEST:
                found[name] = Text(None, bool(blob["isBinary"]))
                continue
            room -= blob["byteSize"]
            if room < 0:
                return found
            found[name] = Text(blob["text"])
    return found


def _read(content: bytes) -> Text:
    if b"\0" in content[:_SNIFFED]:
        return Text(None, binary=True)
    return Text(content.decode("utf-8", errors="replace"))
