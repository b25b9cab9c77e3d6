"""Guarantees that a first commit on GitHub ends as exactly one root commit with exactly the files asked for.

An empty repository refuses git data calls (409), so a marker file goes in first through the contents call; then a
commit without parents is built beside it and the branch is moved onto that. A try that was cut anywhere leaves nothing,
the marker commit (recognised by its one file, then replaced) or the finished commit (recognised by its files).

Author and dates are left to GitHub: it signs an App's commits only when they are not given. A repeated try may thus
build another commit object, which no branch ever shows.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.errors import AlreadyThereError, EmptyRepositoryError
from shared.adapters.github.repositories import RepositoryCalls, branch_segments, repository_path
from shared.domain.blobs import blob_sha
from shared.domain.forge import RepositoryRef
from shared.errors import ConflictError, DefectError, RefusedError

MARKER_PATH = ".doneright-first-commit"
MARKER_CONTENT = b"Doneright is writing the first commit of this repository.\n"
MARKER_MESSAGE = "Prepare the first commit"
# Larger texts go up as blobs of their own, so that the one tree call stays small.
INLINE_LIMIT = 200_000

type Tree = dict[str, tuple[str, str]]


class CommitCalls(RepositoryCalls):
    """The commit part of ``GitHubForge``."""

    _client: GitHubClient

    def commit_files(
        self,
        ref: RepositoryRef,
        branch: str,
        files: Mapping[str, bytes],
        *,
        message: str,
        executable: Iterable[str] = (),
    ) -> str:
        """Make the first commit of ``branch`` with exactly ``files``; returns its SHA, the same when called again.

        Raises ``RefusedError`` when the branch already has a commit with anything else.
        """
        runnable = frozenset(executable)
        if not files or not runnable <= files.keys():
            raise DefectError("a first commit needs files, and only these can be executable")
        wanted: Tree = {
            name: (blob_sha(content), "100755" if name in runnable else "100644") for name, content in files.items()
        }
        default = self._default_branch(ref)
        marked = False
        try:
            head = self._head(ref, branch)
        except EmptyRepositoryError:
            head, marked = self._write_marker(ref, branch)
        if head is not None and not marked and not self._is_marker(ref, head):
            return self._accept(ref, branch, head, wanted, default)
        # What is sent leaves no trace before the branch shows it: a try that stopped half-way would begin anew each time.
        with self._client.together(sum(_inline(content) is None for content in files.values()) + 3):
            commit = self._root_commit(ref, files, wanted, message)
            if head is None:
                self._create_ref(ref, branch, commit)
                head = self._head(ref, branch)
            else:
                # GitHub's call has no "only if unchanged", so the branch is read once more just before it is moved.
                if self._head(ref, branch) != head:
                    raise ConflictError(f"{ref}: {branch} moved while its first commit was being made")
                url = repository_path(ref) + "/git/refs/heads/" + branch_segments(branch)
                self._client.request("PATCH", url, {"sha": commit, "force": True})
                head = commit
        if head is None:
            raise ConflictError(f"{ref}: {branch} vanished while its first commit was being made")
        if head != commit:
            return self._accept(ref, branch, head, wanted, default)
        self._make_default(ref, branch, default)
        return head

    def _write_marker(self, ref: RepositoryRef, branch: str) -> tuple[str | None, bool]:
        """The head of the branch, and whether it is the marker that was written here."""
        url = repository_path(ref) + "/contents/" + MARKER_PATH
        body = {
            "message": MARKER_MESSAGE,
            "content": base64.b64encode(MARKER_CONTENT).decode(),
            "branch": branch,
        }
        try:
            return str(self._client.request("PUT", url, body)[1]["commit"]["sha"]), True
        except AlreadyThereError:
            # Another try wrote it between our read and this call.
            return self._head(ref, branch), False

    def _is_marker(self, ref: RepositoryRef, head: str) -> bool:
        return self._is_root(ref, head) and self._files(ref, head) == {
            MARKER_PATH: (blob_sha(MARKER_CONTENT), "100644")
        }

    def _accept(self, ref: RepositoryRef, branch: str, head: str, wanted: Tree, default: str) -> str:
        if not self._is_root(ref, head) or self._files(ref, head) != wanted:
            raise RefusedError(
                f"{ref}: {branch} already holds commits that Doneright did not make",
                "Use an empty repository, or adopt this one as it is",
            )
        self._make_default(ref, branch, default)
        return head

    def _is_root(self, ref: RepositoryRef, commit: str) -> bool:
        data = self._client.request("GET", repository_path(ref) + path("/git/commits/{}", commit))[1]
        return not data["parents"]

    def _root_commit(self, ref: RepositoryRef, files: Mapping[str, bytes], wanted: Tree, message: str) -> str:
        entries = [self._entry(ref, name, files[name], wanted[name]) for name in sorted(files)]
        tree = self._client.request("POST", repository_path(ref) + "/git/trees", {"tree": entries})[1]
        body = {"message": message, "tree": tree["sha"], "parents": []}
        return str(self._client.request("POST", repository_path(ref) + "/git/commits", body)[1]["sha"])

    def _entry(self, ref: RepositoryRef, name: str, content: bytes, wanted: tuple[str, str]) -> dict[str, Any]:
        entry = {"path": name, "mode": wanted[1], "type": "blob"}
        text = _inline(content)
        if text is not None:
            return {**entry, "content": text}
        body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
        self._client.request("POST", repository_path(ref) + "/git/blobs", body)
        return {**entry, "sha": wanted[0]}

    def _create_ref(self, ref: RepositoryRef, branch: str, commit: str) -> None:
        body = {"ref": f"refs/heads/{branch}", "sha": commit}
        try:
            self._client.request("POST", repository_path(ref) + "/git/refs", body)
        except AlreadyThereError:
            return  # The caller reads the branch again and judges what is there.

    def _default_branch(self, ref: RepositoryRef) -> str:
        """As GitHub names it even before there is one."""
        return str(self._client.request("GET", repository_path(ref))[1].get("default_branch") or "")

    def _make_default(self, ref: RepositoryRef, branch: str, default: str) -> None:
        """Set ``branch`` where it was not the default one before anything was written."""
        if default != branch:
            self._client.request("PATCH", repository_path(ref), {"default_branch": branch})


def _inline(content: bytes) -> str | None:
    """The text to send within the tree; ``None`` for what must go up as a blob of its own."""
    if len(content) > INLINE_LIMIT or b"\0" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
