"""Forges in memory with commits, branches and pull requests, so that what is offered can be merged, closed or worked on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.blobs import blob_sha
from shared.domain.forge import RepositoryRef
from shared.domain.pull_request import BranchChange, Commit, PullRequest, PullRequestState, PullRequestText, TreeFile
from shared.errors import ConflictError, RefusedError
from tests.fakes.code_host import MemoryGitHub
from tests.fakes.forges import MemoryAzureDevOps, _call

type Files = dict[str, tuple[bytes, str]]


@dataclass
class _Repository:
    heads: dict[str, str] = field(default_factory=dict)
    commits: dict[str, tuple[Commit, Files]] = field(default_factory=dict)
    pulls: list[PullRequest] = field(default_factory=list)


class Offering:
    """The commits and pull requests of a forge in memory."""

    takes_modes = True
    body_limit = 65_536
    offers_drafts = True

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, _Repository] = {}

    def changes(self) -> list[str]:
        return [*super().changes(), *(call for call in self.calls if call.startswith("write_"))]  # type: ignore[misc]

    def repo(self, ref: RepositoryRef) -> _Repository:
        return self.held.setdefault(str(ref).lower(), _Repository())

    # what people do

    def team_commits(self, ref: RepositoryRef, files: Mapping[str, Any], branch: str = "main") -> str:
        """Somebody pushes: path → bytes, ``None`` to delete, or (bytes, mode)."""
        repo = self.repo(ref)
        before = repo.heads[branch]
        tree = dict(repo.commits[before][1])
        for path, content in files.items():
            if content is None:
                del tree[path]
            else:
                mode = tree[path][1] if path in tree else "100644"
                tree[path] = content if isinstance(content, tuple) else (content, mode)
        repo.heads[branch] = self._store(repo, tree, (before,), "Work of the team")
        return repo.heads[branch]

    def team_merges(self, ref: RepositoryRef, number: int) -> None:
        """Somebody squashes a pull request into its target."""
        repo = self.repo(ref)
        pull = next(pull for pull in repo.pulls if pull.number == number)
        base, tree = repo.heads[pull.target], repo.commits[repo.heads[pull.source]][1]
        repo.heads[pull.target] = self._store(repo, tree, (base,), f"{pull.title} (#{number})")
        self.set_state(ref, number, PullRequestState.MERGED)

    def set_state(self, ref: RepositoryRef, number: int, state: PullRequestState) -> None:
        pulls = self.repo(ref).pulls
        at = next(n for n, pull in enumerate(pulls) if pull.number == number)
        pulls[at] = pulls[at].model_copy(update={"state": state})

    def content(self, ref: RepositoryRef, path: str, branch: str = "main") -> bytes | None:
        repo = self.repo(ref)
        found = repo.commits[repo.heads[branch]][1].get(path)
        return found[0] if found else None

    # what the product does

    @_call
    def branch_head(self, ref: RepositoryRef, branch: str) -> str | None:
        return self.repo(ref).heads.get(branch)

    @_call
    def commit_files(
        self,
        ref: RepositoryRef,
        branch: str,
        files: Mapping[str, bytes],
        *,
        message: str,
        executable: Iterable[str] = (),
    ) -> str:
        stored, repo, runnable = self.stored(ref), self.repo(ref), set(executable)  # type: ignore[attr-defined]
        modes = {path: "100755" if self.takes_modes and path in runnable else "100644" for path in files}
        repo.heads[branch] = self._store(repo, {p: (c, modes[p]) for p, c in files.items()}, (), message)
        stored.shown = stored.shown.model_copy(update={"empty": False, "default_branch": branch})
        return repo.heads[branch]

    @_call
    def file_digests(self, ref: RepositoryRef, commit: str) -> Mapping[str, str]:
        return {path: blob_sha(content) for path, (content, _) in self._commit(ref, commit)[1].items()}

    @_call
    def tree(self, ref: RepositoryRef, commit: str) -> Mapping[str, TreeFile]:
        return {p: TreeFile(digest=blob_sha(c), mode=m) for p, (c, m) in self._commit(ref, commit)[1].items()}

    @_call
    def file_content(self, ref: RepositoryRef, digest: str) -> bytes:
        for _, files in self.repo(ref).commits.values():
            for content, _ in files.values():
                if blob_sha(content) == digest:
                    return content
        raise RefusedError(f"{ref} has nothing named {digest}", "Check the name.")

    @_call
    def commit(self, ref: RepositoryRef, commit: str) -> Commit:
        return self._commit(ref, commit)[0]

    @_call
    def write_branch(
        self,
        ref: RepositoryRef,
        branch: str,
        change: BranchChange,
        *,
        onto: str,
        replacing: str | None,
        message: str,
    ) -> str:
        assert change, "a commit must hold a change"
        repo = self.repo(ref)
        if repo.heads.get(branch) != replacing:
            raise ConflictError(f"{branch} moved")
        tree = {path: file for path, file in repo.commits[onto][1].items() if path not in change.removed}
        assert not change.added.keys() & tree.keys()
        assert change.edited.keys() <= tree.keys()
        for path, content in {**change.added, **change.edited}.items():
            mode = tree[path][1] if path in tree else "100644"
            if self.takes_modes:
                mode = "100755" if path in change.executable else "100644"
            tree[path] = (content, mode)
        repo.heads[branch] = self._store(repo, tree, (onto,), message)
        return repo.heads[branch]

    @_call
    def pull_requests(self, ref: RepositoryRef, source: str) -> Sequence[PullRequest]:
        return sorted((p for p in self.repo(ref).pulls if p.source == source), key=lambda pull: -pull.number)

    @_call
    def create_pull_request(self, ref: RepositoryRef, source: str, target: str, text: PullRequestText) -> PullRequest:
        pulls = self.repo(ref).pulls
        assert len(text.body) <= self.body_limit
        for pull in pulls:
            if (pull.state, pull.source, pull.target) == (PullRequestState.OPEN, source, target):
                return pull
        number = len(pulls) + 1
        made = PullRequest(
            number=number,
            url=f"{self.web}/{ref}/pulls/{number}",  # type: ignore[attr-defined]
            state=PullRequestState.OPEN,
            source=source,
            target=target,
            title=text.title,
            body=text.body,
            draft=text.draft and self.offers_drafts,
        )
        pulls.append(made)
        return made

    @_call
    def edit_pull_request(
        self, ref: RepositoryRef, number: int, text: PullRequestText, *, closed: bool = False
    ) -> None:
        pulls = self.repo(ref).pulls
        at = next(n for n, pull in enumerate(pulls) if pull.number == number)
        changed: dict[str, Any] = {"title": text.title, "body": text.body, "draft": text.draft and self.offers_drafts}
        if closed:
            changed["state"] = PullRequestState.CLOSED
        pulls[at] = pulls[at].model_copy(update=changed)

    def _commit(self, ref: RepositoryRef, commit: str) -> tuple[Commit, Files]:
        try:
            return self.repo(ref).commits[commit]
        except KeyError:
            raise RefusedError(f"{ref} has no commit {commit}", "Check the commit.") from None

    def _store(self, repo: _Repository, tree: Files, parents: tuple[str, ...], message: str) -> str:
        text = repr((sorted(tree.items()), parents, message, len(repo.commits)))
        ident = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        repo.commits[ident] = (Commit(id=ident, parents=parents, message=message), tree)
        return ident


class OfferingGitHub(Offering, MemoryGitHub):
    """GitHub with pull requests."""


class OfferingAzureDevOps(Offering, MemoryAzureDevOps):
    """Azure DevOps with pull requests: no file modes, and little room for a description."""

    takes_modes = False
    body_limit = 4_000
