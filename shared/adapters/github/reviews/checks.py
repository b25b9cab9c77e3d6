"""Guarantees that our check on a head is one, says what it was last told, and holds each annotation once.

A check run takes 50 annotations a call and never lets go of one, so a run that holds others than those wanted now is
left behind for a new one: of one name and App, GitHub shows and requires the latest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.github.client import path
from shared.adapters.github.credentials import AppInstallation
from shared.adapters.github.repositories import repository_path
from shared.adapters.github.reviews.known import OwnChecks, OwnRun, own_checks
from shared.adapters.github.reviews.people import IdentityCalls
from shared.domain.change import ChangeRef
from shared.domain.definition import Severity
from shared.domain.publication import Annotation, CheckConclusion, OwnCheck

BATCH = 50
"""https://docs.github.com/rest/checks/runs#create-a-check-run"""
SUMMARY_LIMIT = 65_535
MESSAGE_LIMIT = 60_000
"""Bytes; GitHub takes 64 KB."""

_CONCLUSIONS = {
    CheckConclusion.PASSED: "success",
    CheckConclusion.FAILED: "failure",
    # Blocks where the check is required, and is told apart from a failure.
    CheckConclusion.INCONCLUSIVE: "action_required",
    CheckConclusion.ADVISORY: "neutral",
}
_STATES = {
    CheckConclusion.PENDING: "pending",
    CheckConclusion.PASSED: "success",
    CheckConclusion.FAILED: "failure",
    CheckConclusion.INCONCLUSIVE: "error",
    CheckConclusion.ADVISORY: "success",
}
_LEVELS = {Severity.CRITICAL: "failure", Severity.HIGH: "failure", Severity.MEDIUM: "warning"}

type _Key = tuple[str, int, int, str, str, str]


class CheckCalls(IdentityCalls):
    """The part of ``GitHubForge`` that writes our check."""

    def set_check(self, ref: ChangeRef, check: OwnCheck) -> str:
        """Make or replace our check on its head; returns a link to it.

        An App writes a check run. A token of a person may not; it sets the commit status of the same name, which has
        no room for annotations.
        """
        credentials = self._client.credentials
        if isinstance(credentials, AppInstallation):
            return self._set_run(ref, check, credentials.app_id)
        return self._set_status(ref, check)

    def _set_run(self, ref: ChangeRef, check: OwnCheck, app_id: int) -> str:
        runs = repository_path(ref.repository) + "/check-runs"
        wanted = [_annotation(one) for one in check.annotations]
        known: OwnChecks | None = self._client.looks.entered(own_checks(ref, check.head))
        told = known.get(check.name) if known is not None else None
        found: Mapping[str, Any] | None
        if known is not None and check.name not in known:
            found = None
        elif isinstance(told, OwnRun):
            found = {"id": told.id, "html_url": told.url, "output": {"annotations_count": told.annotations}}
        else:
            found = self._run(ref, check, app_id)
        if found is not None:
            held = self._held(runs, found)
            if held <= {_key(one) for one in wanted}:
                wanted = [one for one in wanted if _key(one) not in held]
            else:
                found = None
        batches = [wanted[n : n + BATCH] for n in range(0, len(wanted), BATCH)] or [[]]
        for number, batch in enumerate(batches):
            body = _body(check, batch, last=number == len(batches) - 1)
            if found is None:
                found = self._client.request("POST", runs, body | {"head_sha": check.head})[1]
            else:
                found = self._client.request("PATCH", runs + path("/{}", found["id"]), body)[1]
        assert found is not None  # noqa: S101 - there is one batch at least
        # How many annotations it holds by now, nobody needs to know before it is read again.
        self._client.looks.enter(own_checks(ref, check.head), {**(known or {}), check.name: None})
        return str(found.get("html_url") or check.details_url)

    def _run(self, ref: ChangeRef, check: OwnCheck, app_id: int) -> Mapping[str, Any] | None:
        url = repository_path(ref.repository) + path("/commits/{}/check-runs", check.head)
        query = {"check_name": check.name, "filter": "latest", "app_id": app_id, "per_page": 100}
        runs = self._client.request("GET", url, parameters=query)[1]["check_runs"]
        ours = (run for run in runs if (run.get("app") or {}).get("id") == app_id)
        return max(ours, key=lambda run: int(run["id"]), default=None)

    def _held(self, runs: str, run: Mapping[str, Any]) -> set[_Key]:
        if not (run.get("output") or {}).get("annotations_count"):
            return set()
        return {_key(one) for one in self._client.pages(runs + path("/{}/annotations", run["id"]))}

    def _set_status(self, ref: ChangeRef, check: OwnCheck) -> str:
        body = {"state": _STATES[check.conclusion], "context": check.name, "description": check.title[:140]}
        if _linkable(check.details_url):
            body["target_url"] = check.details_url
        known: OwnChecks | None = self._client.looks.entered(own_checks(ref, check.head))
        told = self._status(ref, check) if known is None else known.get(check.name)
        stands = None if isinstance(told, OwnRun) else told
        # GitHub keeps every status of a commit, and takes a thousand of one name.
        if stands is None or any(stands[name] != body.get(name, "") for name in (*body, "target_url")):
            url = repository_path(ref.repository) + path("/statuses/{}", check.head)
            self._client.request("POST", url, body)
            told = {"target_url": "", **body}
            self._client.looks.enter(own_checks(ref, check.head), {**(known or {}), check.name: told})
        return check.details_url or self._page_of(ref)

    def _status(self, ref: ChangeRef, check: OwnCheck) -> Mapping[str, str] | None:
        url = repository_path(ref.repository) + path("/commits/{}/status", check.head)
        found = next((one for one in self._client.pages(url) if one["context"] == check.name), None)
        names = ("state", "context", "description", "target_url")
        return None if found is None else {name: found.get(name) or "" for name in names}

    def _page_of(self, ref: ChangeRef) -> str:
        web: str = getattr(self, "_web_url", "")
        return web + path("/{}/{}/pull/{}/checks", ref.repository.owner, ref.repository.name, ref.number)


def _body(check: OwnCheck, annotations: Sequence[Mapping[str, Any]], *, last: bool) -> dict[str, Any]:
    output: dict[str, Any] = {
        "title": check.title,
        "summary": _cut(check.summary or check.title, SUMMARY_LIMIT),
    }
    if annotations:
        output["annotations"] = list(annotations)
    body: dict[str, Any] = {"name": check.name, "output": output}
    if check.external_id:
        body["external_id"] = check.external_id
    if _linkable(check.details_url):
        body["details_url"] = check.details_url
    # What is not told in full yet has not ended: nobody merges between two batches.
    if last and check.conclusion is not CheckConclusion.PENDING:
        return body | {"status": "completed", "conclusion": _CONCLUSIONS[check.conclusion]}
    return body | {"status": "in_progress"}


def _annotation(one: Annotation) -> dict[str, Any]:
    return {
        "path": one.path,
        "start_line": one.line,
        "end_line": max(one.line, one.end_line),
        "annotation_level": _LEVELS.get(one.severity, "notice"),
        "title": one.title,
        "message": _cut(one.message, MESSAGE_LIMIT),
    }


def _key(one: Mapping[str, Any]) -> _Key:
    return (
        one["path"],
        one["start_line"],
        one["end_line"],
        one["annotation_level"],
        one.get("title") or "",
        one.get("message") or "",
    )


def _cut(text: str, most: int) -> str:
    """``text``, of at most ``most`` bytes."""
    return text.encode()[:most].decode(errors="ignore")


def _linkable(url: str) -> bool:
    return url.startswith(("https://", "http://"))
