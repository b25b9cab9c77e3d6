"""The pull request template that Azure Repos offers for a target branch, found with few questions.

Places and their order: https://learn.microsoft.com/azure/devops/repos/git/pull-request-templates
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from shared.adapters.azure_devops.errors import NotFoundError, TooLargeError
from shared.adapters.azure_devops.reviews.asking import AskingCalls
from shared.adapters.azure_devops.reviews.patches import text_of
from shared.domain.change import ChangeRef
from shared.errors import RefusedError

_FIRST = ".azuredevops"
_NEXT = (".vsts", "docs")
_NAME = "pull_request_template"
_ENDS = (".md", ".txt")
_MOST = 8 * 1024 * 1024
_LONGEST = 256 * 1024


class TemplateCalls(AskingCalls):
    """The part of ``AzureDevOpsForge`` that reads pull request templates."""

    def _template_for(self, ref: ChangeRef, target: str) -> str:
        """The template for pull requests to ``target``, as that branch has it; empty where it has none.

        One question where the folder made for it holds one; else one more for the root, and one for each folder there
        that may hold it, or for the file itself.
        """
        try:
            found = _chosen(_files(self._archive(ref, target, _FIRST), _FIRST), target)
        except NotFoundError:
            found = None
        if found is not None:
            return found
        try:
            root = self._listed(ref, target, "/")
        except NotFoundError:
            return ""  # the branch is gone, and its template with it
        for folder in _NEXT:
            name = next((one for one in root if one.lower() == folder and root[one]), None)
            if name is not None and (found := self._in_folder(ref, target, name)) is not None:
                return found
        name = next((one for one in root if _is_template(one) and not root[one]), None)
        if name is not None:
            return self._file(ref, target, name)
        return ""

    def _in_folder(self, ref: ChangeRef, target: str, folder: str) -> str | None:
        # Such a folder may hold anything, so its names are asked for and not its files.
        names = self._listed(ref, target, f"/{folder}")
        branches = next((one for one in names if one.lower() == _NAME and names[one]), None)
        if branches is not None:
            archive = self._archive(ref, target, f"{folder}/{branches}")
            found = _chosen(_files(archive, f"{folder}/{branches}"), target, within=f"{_NAME}/")
            if found is not None:
                return found
        name = next((one for one in names if _is_template(one) and not names[one]), None)
        return None if name is None else self._file(ref, target, f"{folder}/{name}")

    def _listed(self, ref: ChangeRef, branch: str, folder: str) -> dict[str, bool]:
        """Name → whether it is a folder, of all that lies right in ``folder``."""
        found = self._client.area("git").get_items(
            ref.repository.name,
            project=ref.repository.owner,
            scope_path=folder,
            recursion_level="oneLevel",
            version_descriptor=self._on(branch),
        )
        above = folder.rstrip("/")
        return {one.path[len(above) + 1 :]: bool(one.is_folder) for one in found or [] if one.path != folder}

    def _archive(self, ref: ChangeRef, branch: str, folder: str) -> bytes:
        with self._client.at_most(_MOST):
            try:
                return b"".join(
                    self._client.area("git").get_item_zip(
                        ref.repository.name,
                        f"/{folder}",
                        project=ref.repository.owner,
                        version_descriptor=self._on(branch),
                    )
                )
            except TooLargeError as error:
                raise RefusedError(
                    f"{folder} of {branch} holds more than a template", "Keep only templates in it"
                ) from error

    def _file(self, ref: ChangeRef, branch: str, path: str) -> str:
        found = self._client.area("git").get_item_content(
            ref.repository.name, f"/{path}", project=ref.repository.owner, version_descriptor=self._on(branch)
        )
        return text_of(b"".join(found)[:_LONGEST]) or ""

    def _on(self, branch: str) -> Any:
        return self._client.models("git").GitVersionDescriptor(version=branch, version_type="branch")


def _files(archive: bytes, folder: str) -> dict[str, str]:
    """Path below ``folder``, in lower case → text, of the files that may be templates."""
    found: dict[str, str] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            for entry in opened.infolist():
                name = entry.filename.replace("\\", "/").strip("/")
                # The archive's paths begin at the root or at the folder itself.
                below = name.removeprefix(f"{folder}/").removeprefix(f"{folder.rsplit('/', 1)[-1]}/").lower()
                if entry.is_dir() or not below.endswith(_ENDS):
                    continue
                with opened.open(entry) as file:
                    found[below] = text_of(file.read(_LONGEST)) or ""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise RefusedError(f"Azure DevOps sent no readable archive of {folder}", "Try again later") from error
    return found


def _chosen(files: Mapping[str, str], target: str, *, within: str = "") -> str | None:
    """The template of the branch, or of the nearest folder of branches above it, before the one for all."""
    parts = target.lower().split("/")
    names = [f"{_NAME}/branches/{'/'.join(parts[:end])}" for end in range(len(parts), 0, -1)]
    for name in [*names, _NAME]:
        for end in _ENDS:
            if (found := files.get((name + end).removeprefix(within))) is not None:
                return found
    return None


def _is_template(name: str) -> bool:
    return name.lower() in {_NAME + end for end in _ENDS}
