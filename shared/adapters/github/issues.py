"""Issues and comments of GitHub, and who belongs to a team."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.errors import NotFoundError
from shared.adapters.github.repositories import repository_path
from shared.domain.forge import Comment, IssueSnapshot, RepositoryRef
from shared.errors import ConflictError

_ISSUE_URL = re.compile(r"/repos/([^/]+)/([^/]+)/issues/([0-9]+)$")


class IssueCalls:
    """The issue part of ``GitHubForge``."""

    _client: GitHubClient

    def issue(self, ref: RepositoryRef, number: int) -> IssueSnapshot:
        """The issue as it stands. Raises ``RefusedError`` when it is not there (404) or was deleted (410)."""
        return _snapshot(ref, self._client.request("GET", _issue_path(ref, number))[1])

    def open_issues(self, ref: RepositoryRef, label: str) -> Sequence[IssueSnapshot]:
        """Every open issue with ``label``, oldest first; pull requests, which GitHub lists too, are left out."""
        url = repository_path(ref) + "/issues"
        items = self._client.pages(url, labels=label, state="open", sort="created", direction="asc")
        return tuple(_snapshot(ref, data) for data in items if "pull_request" not in data)

    def listed_issues(self, ref: RepositoryRef) -> Sequence[IssueSnapshot]:
        """Every open issue, oldest first; pull requests, which GitHub lists too, are left out."""
        items = self._client.pages(repository_path(ref) + "/issues", state="open", sort="created", direction="asc")
        return tuple(_snapshot(ref, data) for data in items if "pull_request" not in data)

    def labelled_issues(self, ref: RepositoryRef, label: str) -> Sequence[IssueSnapshot]:
        """Every issue with ``label``, open or closed, oldest first."""
        url = repository_path(ref) + "/issues"
        items = self._client.pages(url, labels=label, state="all", sort="created", direction="asc")
        return tuple(_snapshot(ref, data) for data in items if "pull_request" not in data)

    def edit_issue_body(self, ref: RepositoryRef, number: int, body: str) -> IssueSnapshot:
        """Replace an issue's text. Raises ``RefusedError`` when the issue is not there."""
        return _snapshot(ref, self._client.request("PATCH", _issue_path(ref, number), {"body": body})[1])

    def create_issue(self, ref: RepositoryRef, title: str, body: str, labels: Sequence[str]) -> IssueSnapshot:
        """Open an issue; whoever wants it once looks for it first."""
        wanted = {"title": title, "body": body, "labels": list(labels)}
        return _snapshot(ref, self._client.request("POST", repository_path(ref) + "/issues", wanted)[1])

    def set_issue_parent(self, ref: RepositoryRef, number: int, parent: int | None, *, before: int | None) -> None:
        """Make the issue a sub-issue of ``parent`` in the same repository, or of none.

        GitHub has no conditional write, so the issue is read right before. Raises ``ConflictError`` when its parent
        is not ``before`` then; https://docs.github.com/rest/issues/sub-issues.
        """
        found = self.issue(ref, number)
        if found.parent != (f"{ref}#{before}" if before is not None else ""):
            raise ConflictError(f"issue #{number} is a sub-issue of {found.parent or 'none'} now")
        child = {"sub_issue_id": int(found.id)}
        if parent is not None:
            self._client.request(
                "POST", _issue_path(ref, parent) + "/sub_issues", child | {"replace_parent": before is not None}
            )
        elif before is not None:
            self._client.request("DELETE", _issue_path(ref, before) + "/sub_issue", child)

    def add_issue_label(self, ref: RepositoryRef, number: int, label: str) -> None:
        """Put the label on the issue; without effect when it is there."""
        self._client.request("POST", _issue_path(ref, number) + "/labels", {"labels": [label]})

    def remove_issue_label(self, ref: RepositoryRef, number: int, label: str) -> None:
        """Take the label off the issue; without effect when it is not there.

        Raises ``RefusedError`` when the credential may not: GitHub answers 404 to that too, so it is read again.
        """
        try:
            self._client.request("DELETE", _issue_path(ref, number) + path("/labels/{}", label))
        except NotFoundError:
            if label.casefold() in {name.casefold() for name in self.issue(ref, number).labels}:
                raise

    def comments(self, ref: RepositoryRef, number: int) -> Sequence[Comment]:
        """Every comment of the issue, oldest first."""
        return tuple(_comment(data) for data in self._client.pages(_issue_path(ref, number) + "/comments"))

    def comment(self, ref: RepositoryRef, number: int, body: str) -> Comment:
        """Say ``body`` once: a comment with the very same body is found again, not repeated.

        Whoever wants to say the same twice puts a hidden mark of its own into the body.
        """
        said = next((found for found in self.comments(ref, number) if _same(found.body, body)), None)
        if said is not None:
            return said
        return _comment(self._client.request("POST", _issue_path(ref, number) + "/comments", {"body": body})[1])

    def edit_comment(self, ref: RepositoryRef, comment_id: str, body: str) -> Comment:
        """Replace a comment's text. Raises ``RefusedError`` when the comment is not there."""
        url = repository_path(ref) + path("/issues/comments/{}", comment_id)
        return _comment(self._client.request("PATCH", url, {"body": body})[1])

    def is_team_member(self, organization: str, team: str, login: str) -> bool:
        """Whether ``login`` is an active member of the team with the slug ``team``; an invitation does not count."""
        found = self._client.get(path("/orgs/{}/teams/{}/memberships/{}", organization, team, login))
        return found is not None and found["state"] == "active"

    def may_write(self, ref: RepositoryRef, login: str) -> bool:
        """Whether ``login`` may push to the repository.

        GitHub maps ``maintain`` to ``write`` and ``triage`` to ``read`` in ``permission``:
        https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user
        """
        found = self._client.get(repository_path(ref) + path("/collaborators/{}/permission", login))
        return found is not None and found["permission"] in {"admin", "write"}

    def has_team(self, organization: str, team: str) -> bool:
        """Whether ``organization`` has a team with the slug ``team``.

        Raises ``RefusedError`` where the credential may not see the organisation's teams.
        """
        if self._client.get(path("/orgs/{}/teams/{}", organization, team)) is not None:
            return True
        account = self._client.get(path("/users/{}", organization))
        if account is None or account["type"] != "Organization":
            return False
        # GitHub answers 404 for teams it hides as well; only who may list them knows that this one is not there.
        self._client.request("GET", path("/orgs/{}/teams", organization), parameters={"per_page": 1})
        return False


def _issue_path(ref: RepositoryRef, number: int) -> str:
    return repository_path(ref) + path("/issues/{}", number)


def _same(one: str, other: str) -> bool:
    """Equal but for line ends and outer blanks, which GitHub may change."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def _login(user: Mapping[str, Any] | None) -> str:
    return user["login"] if user else "ghost"  # GitHub shows deleted accounts as ghost


def _snapshot(ref: RepositoryRef, data: Mapping[str, Any]) -> IssueSnapshot:
    return IssueSnapshot(
        id=str(data["id"]),
        ref=ref,
        number=data["number"],
        title=data["title"],
        body=data.get("body") or "",
        author=_login(data.get("user")),
        labels=tuple(label["name"] if isinstance(label, dict) else label for label in data["labels"]),
        state=data["state"],
        url=data["html_url"],
        type=(data.get("type") or {}).get("name", ""),
        parent=_parent(data.get("parent_issue_url") or ""),
    )


def _parent(url: str) -> str:
    """``owner/name#number`` of an issue's address in the API; empty for none."""
    found = _ISSUE_URL.search(url)
    return f"{unquote(found[1])}/{unquote(found[2])}#{found[3]}" if found else ""


def _comment(data: Mapping[str, Any]) -> Comment:
    return Comment(
        id=str(data["id"]), author=_login(data.get("user")), body=data.get("body") or "", url=data["html_url"]
    )
