"""The project wiki of Azure DevOps and its pages, each created once and never overwritten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.projects import ProjectCalls
from shared.domain.forge import Wiki, WikiPage
from shared.errors import ConflictError, TransientError

# A project has one of these, beside any number of wikis published from code.
_OF_PROJECT = "projectwiki"


class WikiCalls(ProjectCalls):
    """The wiki part of ``AzureDevOpsForge``."""

    def wiki(self, project: str) -> Wiki | None:
        """The project's own wiki; ``None`` when it or the project is not there."""
        try:
            found = self._client.area("wiki").get_all_wikis(project)
        except NotFoundError:
            return None
        own = [one for one in found or [] if str(one.type).lower() == _OF_PROJECT]
        return _wiki(own[0]) if own else None

    def create_wiki(self, project: str, name: str) -> Wiki:
        """Create the project's own wiki, or return the one that is there, whatever its name.

        Raises ``RefusedError`` when the project is not there.
        """
        found = self.wiki(project)
        if found is not None:
            return found
        models = self._client.models("wiki")
        wanted = models.WikiCreateParametersV2(name=name, project_id=self._project(project).id, type="projectWiki")
        try:
            return _wiki(self._client.area("wiki").create_wiki(wanted, project))
        except ConflictError as error:
            found = self.wiki(project)
            if found is None:
                raise TransientError(error.reason, retry_after=2) from None
            return found

    def delete_wiki(self, project: str, wiki: Wiki) -> None:
        """Delete the project's own wiki with all its pages; without effect when it is not there.

        The service deletes only wikis published from code by themselves; a project's own goes with the repository it
        is kept in: https://learn.microsoft.com/azure/devops/project/wiki/provisioned-vs-published-wiki
        """
        try:
            found = self._client.area("wiki").get_wiki(wiki.id, project)
            self._client.area("git").delete_repository(found.repository_id, project=project)
        except NotFoundError:
            return

    def wiki_pages(self, project: str, wiki: Wiki) -> Sequence[str]:
        """The paths of all pages, parents before the pages below them; none when the wiki is not there."""
        try:
            found = self._client.area("wiki").get_page(project, wiki.id, path="/", recursion_level="full")
        except NotFoundError:
            return ()
        return tuple(_below(found.page))

    def wiki_page(self, project: str, wiki: Wiki, path: str) -> str | None:
        """The text of the page at ``path``, such as ``/Getting started``; ``None`` when it is not there."""
        try:
            found = self._client.area("wiki").get_page(project, wiki.id, path=path, include_content=True)
        except NotFoundError:
            return None
        return found.page.content or ""

    def create_wiki_page(self, project: str, wiki: Wiki, page: WikiPage) -> None:
        """Create the page; without effect when one is there, whatever it says."""
        models = self._client.models("wiki")
        wanted = models.WikiPageCreateOrUpdateParameters(content=page.text)
        try:
            # Without the version of a page to replace, the service only ever creates.
            self._client.area("wiki").create_or_update_page(wanted, project, wiki.id, page.path, version=None)
        except ConflictError:
            if self.wiki_page(project, wiki, page.path) is None:
                raise

    def delete_wiki_page(self, project: str, wiki: Wiki, path: str) -> None:
        """Delete the page with those below it; without effect when it is not there."""
        try:
            self._client.area("wiki").delete_page(project, wiki.id, path)
        except NotFoundError:
            return


def _below(page: Any) -> Iterator[str]:
    for one in page.sub_pages or ():
        yield one.path
        yield from _below(one)


def _wiki(found: Any) -> Wiki:
    return Wiki(id=found.id, name=found.name, url=found.remote_url or "")
