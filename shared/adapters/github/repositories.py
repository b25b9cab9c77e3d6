"""Repositories of GitHub: read, created once however often it is asked, deleted, and listed file by file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.errors import AlreadyThereError, EmptyRepositoryError, NotFoundError
from shared.domain.forge import Repository, RepositoryRef
from shared.errors import RefusedError


class RepositoryCalls:
    """The repository part of ``GitHubForge``."""

    _client: GitHubClient

    def is_org(self, owner: str) -> bool:
        """Whether ``owner`` is an organisation, not a person. Raises ``RefusedError`` when there is no such account."""
        account = self._client.get(path("/users/{}", owner))
        if account is None:
            raise RefusedError(f"GitHub has no account {owner}", "Correct the organisation's name")
        return bool(account["type"] == "Organization")

    def repository(self, ref: RepositoryRef) -> Repository | None:
        """The repository as GitHub shows it; under its new name when it was renamed. ``None`` when it is not there."""
        data = self._client.get(repository_path(ref))
        return None if data is None else self._shown(data)

    def repository_page(self, ref: RepositoryRef) -> str:
        """The address of the page people open; empty when the repository is not there."""
        data = self._client.get(repository_path(ref))
        return "" if data is None else str(data["html_url"])

    def create_repository(self, ref: RepositoryRef, *, description: str, private: bool) -> Repository:
        """Create an empty repository, or return the one that an earlier try created.

        Raises ``RefusedError`` when another repository has the name: other visibility, or other description.
        """
        url = path("/orgs/{}/repos", ref.owner) if self.is_org(ref.owner) else "/user/repos"
        wanted = {"name": ref.name, "description": description, "private": private, "auto_init": False}
        try:
            return self._shown(self._client.request("POST", url, wanted)[1], empty=True)
        except AlreadyThereError as error:
            found = self.repository(ref)
            if found is None:
                raise RefusedError(
                    f"GitHub says {ref} exists, yet does not show it: {error.reason}",
                    "Give this credential access to the repository, or choose another name",
                ) from None
            if found.private != private or found.description.strip() != description.strip():
                raise RefusedError(
                    f"{ref} exists already, with another visibility or description",
                    "Choose another name, or remove or adopt the existing repository",
                ) from None
            return found

    def delete_repository(self, ref: RepositoryRef) -> None:
        """Delete the repository with all it holds; without effect when it is not there.

        Raises ``RefusedError`` when the credential may not: GitHub answers 404 to that too, so it is read again.
        """
        try:
            self._client.request("DELETE", repository_path(ref))
        except NotFoundError:
            if self._client.get(repository_path(ref)) is not None:
                raise RefusedError(
                    f"GitHub refused to delete {ref}",
                    "Grant the App administration=write, or the classic token the scope delete_repo",
                ) from None

    def branch_head(self, ref: RepositoryRef, branch: str) -> str | None:
        """The commit SHA at the head of ``branch``; ``None`` for an empty repository or a missing branch."""
        try:
            return self._head(ref, branch)
        except EmptyRepositoryError:
            return None

    def file_digests(self, ref: RepositoryRef, commit: str) -> Mapping[str, str]:
        """Path → git blob SHA-1 (hex) of every file at ``commit``; raises ``RefusedError`` for an unknown commit."""
        return {name: sha for name, (sha, _) in self._files(ref, commit).items()}

    def is_ancestor(self, ref: RepositoryRef, ancestor: str, commit: str) -> bool:
        """Whether the history of ``commit`` holds the commit ``ancestor``, or is it; false for an unknown ancestor."""
        # Only the first page lists the changed files, and of the commits none is needed.
        # https://docs.github.com/rest/commits/commits#compare-two-commits
        query = {"per_page": 1, "page": 2}
        url = repository_path(ref) + path("/compare/{}...{}", ancestor, commit)
        found = self._client.get(url, **query)
        return found is not None and found["status"] in {"ahead", "identical"}

    def _files(self, ref: RepositoryRef, treeish: str) -> dict[str, tuple[str, str]]:
        """Path → (blob SHA-1, mode) of every file; one call unless GitHub cuts the answer short."""
        url = repository_path(ref) + path("/git/trees/{}", treeish)
        tree = self._client.request("GET", url, parameters={"recursive": "1"})[1]
        if not tree.get("truncated"):
            return {entry["path"]: (entry["sha"], entry["mode"]) for entry in tree["tree"] if entry["type"] == "blob"}
        files: dict[str, tuple[str, str]] = {}
        for entry in self._client.request("GET", url)[1]["tree"]:
            if entry["type"] == "blob":
                files[entry["path"]] = (entry["sha"], entry["mode"])
            elif entry["type"] == "tree":
                inner = self._files(ref, entry["sha"])
                files.update({f"{entry['path']}/{name}": found for name, found in inner.items()})
        return files

    def _head(self, ref: RepositoryRef, branch: str) -> str | None:
        """As ``branch_head``, but an empty repository raises ``EmptyRepositoryError``."""
        data = self._client.get(repository_path(ref) + "/git/ref/heads/" + branch_segments(branch))
        return None if data is None else str(data["object"]["sha"])

    def _shown(self, data: Mapping[str, Any], *, empty: bool | None = None) -> Repository:
        ref = RepositoryRef(owner=data["owner"]["login"], name=data["name"])
        branch = data.get("default_branch") or "main"
        if empty is None:
            # GitHub names a default branch even before there is one, and reports sizes hours late.
            try:
                self._head(ref, branch)
                empty = False
            except EmptyRepositoryError:
                empty = True
        return Repository(
            id=str(data["id"]),
            ref=ref,
            url=data["html_url"],
            clone_url=data["clone_url"],
            default_branch=None if empty else branch,
            private=data["private"],
            description=data.get("description") or "",
            empty=empty,
        )


def repository_path(ref: RepositoryRef) -> str:
    """``/repos/owner/name``."""
    return path("/repos/{}/{}", ref.owner, ref.name)


def branch_segments(branch: str) -> str:
    """A branch's name within a ref: its slashes stay."""
    return "/".join(path("{}", part) for part in branch.split("/"))
