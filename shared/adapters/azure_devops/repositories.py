"""Repositories of Azure Repos: read, created once, deleted, and filled with exactly one first commit.

A repository here has neither description nor visibility of its own: the first is not kept, the second is its project's.
The service's push takes no file modes, so ``executable`` cannot be honoured: scripts are to be run through their
interpreter.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from shared.adapters.azure_devops.client import AzureDevOpsClient
from shared.adapters.azure_devops.errors import AlreadyThereError, NotFoundError
from shared.adapters.azure_devops.projects import ProjectCalls
from shared.domain.blobs import blob_sha
from shared.domain.forge import Repository, RepositoryRef
from shared.errors import ConflictError, DefectError, RefusedError

NO_COMMIT = "0" * 40


class RepositoryCalls(ProjectCalls):
    """The repository part of ``AzureDevOpsForge``; ``owner`` of a reference is the project."""

    _client: AzureDevOpsClient

    def repository(self, ref: RepositoryRef) -> Repository | None:
        """The repository as the service shows it; ``None`` when it or its project is not there."""
        found = self._found(ref)
        return None if found is None else _shown(found)

    def repository_page(self, ref: RepositoryRef) -> str:
        """The address of the page people open; empty when the repository or its project is not there."""
        found = self._standing(ref)
        return "" if found is None else _page(found)

    def create_repository(self, ref: RepositoryRef, *, description: str, private: bool) -> Repository:
        """Create an empty repository, or return the one of that name, as is: the service makes one with each project.

        ``description`` is not kept. Raises ``RefusedError`` when the project's visibility is not the one asked for.
        """
        del description
        found = self._found(ref)
        if found is None:
            wanted = self._client.models("git").GitRepository(name=ref.name)
            try:
                found = self._client.area("git").create_repository(wanted, project=ref.owner)
            except AlreadyThereError as error:
                found = self._found(ref)
                if found is None:
                    raise RefusedError(error.reason, "Let the identity read this repository") from None
        shown = _shown(found)
        if shown.private != private:
            raise RefusedError(
                f"{ref} is {'private' if shown.private else 'public'}, as its whole project is",
                "Change the project's visibility, or use another project",
            )
        return shown

    def delete_repository(self, ref: RepositoryRef) -> None:
        """Delete the repository (it stays in the service's recycle bin); without effect when it is not there."""
        found = self._found(ref)
        if found is None:
            return
        try:
            self._client.area("git").delete_repository(found.id, project=ref.owner)
        except NotFoundError:
            return  # somebody else deleted it between the two calls

    def branch_head(self, ref: RepositoryRef, branch: str) -> str | None:
        """The commit SHA at the head of ``branch``; ``None`` for an empty repository or a missing branch."""
        try:
            refs = self._client.area("git").get_refs(ref.name, project=ref.owner, filter=f"heads/{branch}")
        except NotFoundError:
            return None
        # The filter is a prefix: heads/main finds heads/main-2 too.
        return next((found.object_id for found in refs if found.name == f"refs/heads/{branch}"), None)

    def file_digests(self, ref: RepositoryRef, commit: str) -> Mapping[str, str]:
        """Path → git blob SHA-1 (hex) of every file at ``commit``; raises ``RefusedError`` for an unknown commit."""
        version = self._client.models("git").GitVersionDescriptor(version=commit, version_type="commit")
        items = self._client.area("git").get_items(
            ref.name, project=ref.owner, scope_path="/", recursion_level="full", version_descriptor=version
        )
        return {
            item.path.removeprefix("/"): item.object_id for item in items if str(item.git_object_type).lower() == "blob"
        }

    def is_ancestor(self, ref: RepositoryRef, ancestor: str, commit: str) -> bool:
        """Whether the history of ``commit`` holds the commit ``ancestor``, or is it; false for an unknown ancestor."""
        try:
            bases = self._client.area("git").get_merge_bases(ref.name, commit, ancestor, project=ref.owner)
        except NotFoundError:
            return False
        return any(base.commit_id == ancestor for base in bases)

    def commit_files(
        self,
        ref: RepositoryRef,
        branch: str,
        files: Mapping[str, bytes],
        *,
        message: str,
        executable: Iterable[str] = (),
    ) -> str:
        """Make the first commit of ``branch`` with exactly ``files`` in one push; returns its SHA, again when repeated.

        ``executable`` has no effect: the service's push takes no file modes. Raises ``RefusedError`` when the branch
        already has a commit with anything else.
        """
        if not files or not set(executable) <= files.keys():
            raise DefectError("a first commit needs files, and only these can be executable")
        head = self.branch_head(ref, branch)
        if head is None:
            try:
                head = self._push(ref, branch, files, message)
            except (ConflictError, AlreadyThereError) as error:
                head = self.branch_head(ref, branch)
                if head is None:
                    raise ConflictError(error.reason) from None
                self._accept(ref, branch, head, files)
        else:
            self._accept(ref, branch, head, files)
        self._make_default(ref, branch)
        return head

    def _push(self, ref: RepositoryRef, branch: str, files: Mapping[str, bytes], message: str) -> str:
        git = self._client.models("git")
        # base64 throughout: as text the service may change line ends and byte order marks.
        changes = [
            {
                "changeType": "add",
                "item": {"path": f"/{name}"},
                "newContent": {
                    "content": base64.b64encode(files[name]).decode(),
                    "contentType": "base64encoded",
                },
            }
            for name in sorted(files)
        ]
        push = git.GitPush(
            ref_updates=[git.GitRefUpdate(name=f"refs/heads/{branch}", old_object_id=NO_COMMIT)],
            commits=[git.GitCommitRef(comment=message, changes=changes)],
        )
        pushed = self._client.area("git").create_push(push, ref.name, project=ref.owner)
        return str(pushed.ref_updates[0].new_object_id)

    def _accept(self, ref: RepositoryRef, branch: str, head: str, files: Mapping[str, bytes]) -> None:
        parents = self._client.area("git").get_commit(head, ref.name, project=ref.owner).parents
        wanted = {name: blob_sha(content) for name, content in files.items()}
        if parents or self.file_digests(ref, head) != wanted:
            raise RefusedError(
                f"{ref}: {branch} already holds commits that Doneright did not make",
                "Use an empty repository, or adopt this one as it is",
            )

    def _make_default(self, ref: RepositoryRef, branch: str) -> None:
        found = self._required(ref)
        if found.default_branch != f"refs/heads/{branch}":
            change = self._client.models("git").GitRepository(default_branch=f"refs/heads/{branch}")
            self._client.area("git").update_repository(change, found.id, project=ref.owner)

    def _found(self, ref: RepositoryRef) -> Any:
        try:
            return self._client.area("git").get_repository(ref.name, project=ref.owner)
        except NotFoundError:
            return None

    def _repository_id(self, ref: RepositoryRef) -> str | None:
        """Its id; ``None`` when it or its project is not there."""
        found = self._standing(ref)
        return None if found is None else str(found.id)

    def _standing(self, ref: RepositoryRef) -> Any:
        """The repository, of which what no push changes is of use: its id and its addresses."""
        return self._client.looks.lasting(("repository", str(ref).lower()), lambda: self._found(ref))

    def _required_id(self, ref: RepositoryRef) -> str:
        return self._repository_id(ref) or str(self._required(ref).id)

    def _required(self, ref: RepositoryRef) -> Any:
        found = self._found(ref)
        if found is None:
            raise NotFoundError(
                f"Azure DevOps shows no repository {ref}", "Create it, or check the name and the access"
            )
        return found


def _page(found: Any) -> str:
    return str(found.web_url or found.remote_url)


def _shown(found: Any) -> Repository:
    branch = (found.default_branch or "").removeprefix("refs/heads/") or None
    return Repository(
        id=found.id,
        ref=RepositoryRef(owner=found.project.name, name=found.name),
        url=_page(found),
        clone_url=found.remote_url,
        default_branch=branch,
        private=str(found.project.visibility).lower() != "public",
        empty=branch is None,
    )
