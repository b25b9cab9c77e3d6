"""Labels and topics of a GitHub repository; a label is created once however often it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.errors import AlreadyThereError, NotFoundError
from shared.adapters.github.repositories import repository_path
from shared.domain.forge import Label, RepositoryRef


class LabelCalls:
    """The part of ``GitHubForge`` that sorts: labels of issues, topics of repositories."""

    _client: GitHubClient

    def labels(self, ref: RepositoryRef) -> Sequence[Label]:
        """Every label of the repository, GitHub's own among them."""
        return tuple(_label(data) for data in self._client.pages(repository_path(ref) + "/labels"))

    def create_label(self, ref: RepositoryRef, label: Label) -> Label:
        """Create ``label``; the one that has its name in any case is returned as it is."""
        try:
            return _label(self._client.request("POST", repository_path(ref) + "/labels", label.model_dump())[1])
        except AlreadyThereError:
            return _label(self._client.request("GET", _label_path(ref, label.name))[1])

    def edit_label(self, ref: RepositoryRef, label: Label) -> Label:
        """Give the label of that name this colour and description. Raises ``RefusedError`` when it is not there."""
        wanted = {"color": label.color, "description": label.description}
        return _label(self._client.request("PATCH", _label_path(ref, label.name), wanted)[1])

    def delete_label(self, ref: RepositoryRef, name: str) -> None:
        """Delete the label, from every issue and pull request too; without effect when it is not there.

        Raises ``RefusedError`` when the credential may not: GitHub answers 404 to that too, so it is read again.
        """
        try:
            self._client.request("DELETE", _label_path(ref, name))
        except NotFoundError:
            if self._client.get(_label_path(ref, name)) is not None:
                raise

    def topics(self, ref: RepositoryRef) -> Sequence[str]:
        """The repository's topics, in lower case."""
        return tuple(self._client.request("GET", repository_path(ref) + "/topics")[1]["names"])

    def set_topics(self, ref: RepositoryRef, topics: Sequence[str]) -> None:
        """Replace every topic by ``topics``, at most 20. Raises ``RefusedError`` for one GitHub does not take."""
        self._client.request("PUT", repository_path(ref) + "/topics", {"names": list(topics)})


def _label_path(ref: RepositoryRef, name: str) -> str:
    return repository_path(ref) + path("/labels/{}", name)


def _label(data: Mapping[str, Any]) -> Label:
    return Label(name=data["name"], color=data["color"].lower(), description=(data.get("description") or "")[:100])
