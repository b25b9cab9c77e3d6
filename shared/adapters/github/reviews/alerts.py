"""Tells the open alerts of GitHub's own scanners, and keeps apart *nothing found* from *nobody looked*.

Code scanning counts only once it has analysed this change; its silence before that says nothing. Alerts about
dependencies and secrets are the repository's, not a branch's: GitHub keeps no others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from shared.adapters.ahead import Ahead
from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.errors import NotFoundError
from shared.adapters.github.repositories import repository_path
from shared.adapters.later import chained, later
from shared.domain.change import Change, ChangeRef, Part, Unknown
from shared.domain.evidence import Finding, Severity
from shared.errors import NotSupportedError, RefusedError

TOOL = "Doneright"
"""Name of the tool in what we upload, which is no evidence for us."""

_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "error": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "warning": Severity.MEDIUM,
    "low": Severity.LOW,
    "note": Severity.INFO,
    "none": Severity.INFO,
}
_OFF = ("disabled", "not enabled", "not available", "archived")

_NONE_EVER = "no analysis found"
"""How GitHub says, with status 404, that code scanning is on and nobody has uploaded anything."""

type Found = Part[tuple[Finding, ...]]
type Analyses = Sequence[Mapping[str, Any]]


class AskedAlerts(NamedTuple):
    """What is under way before anything is known of the pull request but its number."""

    analyses: Future[Analyses]
    dependencies: Future[Found]
    secrets: Future[Found]
    code: Future[Found] | None = None
    """Once the change is known, by which the analyses are chosen that are about it."""


class AlertCalls:
    """The part of ``GitHubForge`` that reads alerts."""

    _client: GitHubClient
    _alerts_ahead: Ahead[AskedAlerts]

    def alerts(self, change: Change) -> Found:
        """Open alerts of code scanning about the change, and of the repository's dependencies and secrets.

        What is found is told even when one of the scanners is silent. Where nothing is found, ``Unknown`` names each
        scanner that did not look: a part that nobody looked at is not clean.
        """
        asked = self._alerts_ahead.take(change.ref, change.head) or self._ask(change.ref)
        code = asked.code or self._ask_code(asked, change)
        under_way = {"code scanning": code, "Dependabot": asked.dependencies, "secret scanning": asked.secrets}
        parts = {name: one.result() for name, one in under_way.items()}
        found = tuple(finding for part in parts.values() if not isinstance(part, Unknown) for finding in part)
        silent = {name: part for name, part in parts.items() if isinstance(part, Unknown)}
        if found or not silent:
            return found
        return Unknown(
            reason="; ".join(f"{name}: {part.reason}" for name, part in silent.items()),
            supported=any(part.supported for part in silent.values()),
        )

    def _expect_alerts(self, ref: ChangeRef, head: str) -> None:
        """Somebody will want the alerts in a moment."""
        self._alerts_ahead.put(ref, head, self._ask(ref))

    def _expect_code_alerts(self, change: Change) -> None:
        """The change is known now."""
        asked = self._alerts_ahead.take(change.ref, change.head)
        if asked is not None:
            self._alerts_ahead.put(change.ref, change.head, asked._replace(code=self._ask_code(asked, change)))

    def _ask(self, ref: ChangeRef) -> AskedAlerts:
        return AskedAlerts(
            analyses=later(lambda: self._analyses(ref)),
            dependencies=later(lambda: _part(lambda: self._dependencies(ref))),
            secrets=later(lambda: _part(lambda: self._secrets(ref))),
        )

    def _ask_code(self, asked: AskedAlerts, change: Change) -> Future[Found]:
        return chained(lambda: _part(lambda: self._code(change, asked.analyses.result())))

    def _code(self, change: Change, analyses: Analyses) -> Found:
        url = repository_path(change.ref.repository) + "/code-scanning"
        refs = {f"refs/pull/{change.ref.number}/merge", f"refs/pull/{change.ref.number}/head"}
        if not change.fork:
            refs.add(f"refs/heads/{change.source}")
        others = [entry for entry in analyses if entry["tool"]["name"] != TOOL and entry["ref"] in refs]
        # The newest of a ref says whether it is about this head; looking into older ones would take a call each.
        newest = {entry["ref"]: entry["commit_sha"] for entry in reversed(others)}
        analysed = {ref for ref, commit in newest.items() if self._is_of(change, commit)}
        if not analysed:
            return Unknown(reason=f"no analysis of {change.head[:12]} yet")
        found: dict[int, Finding] = {}
        for ref in sorted(analysed):
            for entry in self._client.pages(f"{url}/alerts", ref=ref, state="open"):
                if entry["tool"]["name"] != TOOL:
                    found[entry["number"]] = _code_alert(entry)
        return tuple(found.values())

    def _analyses(self, ref: ChangeRef) -> Analyses:
        """The latest analyses of a pull request. None ever is none: our own upload must not change what is told."""
        url = repository_path(ref.repository) + "/code-scanning/analyses"
        try:
            listed: Analyses = self._client.request("GET", url, parameters={"pr": ref.number, "per_page": 100})[1]
        except NotFoundError as error:
            if _NONE_EVER in error.reason:
                return ()
            raise
        return listed

    def _is_of(self, change: Change, commit: str) -> bool:
        """Whether an analysed commit is the head, or GitHub's merge of the head into its target as that was."""
        if commit in {change.head, change.merge_commit}:
            return True
        url = repository_path(change.ref.repository) + path("/git/commits/{}", commit)
        data = self._client.get(url) or {}
        parents = [parent["sha"] for parent in data.get("parents") or ()]
        return len(parents) > 1 and parents[-1] == change.head

    def _dependencies(self, ref: ChangeRef) -> Found:
        url = repository_path(ref.repository) + "/dependabot/alerts"
        return tuple(_dependency_alert(entry) for entry in self._client.pages(url, state="open"))

    def _secrets(self, ref: ChangeRef) -> Found:
        url = repository_path(ref.repository) + "/secret-scanning/alerts"
        asked: dict[str, Any] = {"state": "open", "hide_secret": "true"}
        return tuple(_secret_alert(entry) for entry in self._client.pages(url, **asked))


def _part(read: Callable[[], Found]) -> Found:
    try:
        return read()
    except NotSupportedError as error:
        return Unknown(reason=error.reason, supported=False)
    except NotFoundError as error:
        # 404 says "disabled", "no analysis found", or that this credential may not see it.
        return Unknown(reason=error.reason, supported=not _is_off(error.reason))
    except RefusedError as error:
        reason = f"{error.reason}. {error.remedy}".rstrip(". ")
        return Unknown(reason=reason, supported=not _is_off(error.reason))


def _is_off(reason: str) -> bool:
    return any(word in reason.lower() for word in _OFF)


def _code_alert(entry: Mapping[str, Any]) -> Finding:
    rule, instance = entry["rule"], entry["most_recent_instance"]
    place = instance.get("location") or {}
    said = rule.get("security_severity_level") or rule.get("severity") or ""
    return Finding(
        rule=rule.get("id") or rule.get("name") or "unknown",
        severity=_SEVERITIES.get(said, Severity.MEDIUM),
        source_severity=said,
        message=(instance.get("message") or {}).get("text") or rule.get("description") or "",
        path=place.get("path"),
        line=place.get("start_line") or None,
        end_line=place.get("end_line") or None,
        fingerprint=f"code-scanning-{entry['number']}",
        help_url=entry["html_url"],
    )


def _dependency_alert(entry: Mapping[str, Any]) -> Finding:
    advisory, dependency = entry["security_advisory"], entry["dependency"]
    package = dependency.get("package") or {}
    return Finding(
        rule=advisory["ghsa_id"],
        severity=_SEVERITIES.get(advisory["severity"], Severity.MEDIUM),
        source_severity=advisory["severity"],
        message=f"{package.get('ecosystem', '')}:{package.get('name', '')}: {advisory['summary']}",
        path=dependency.get("manifest_path"),
        fingerprint=f"dependabot-{entry['number']}",
        help_url=entry["html_url"],
    )


def _secret_alert(entry: Mapping[str, Any]) -> Finding:
    # The secret itself is never read: it would stand in evidence for ever.
    place: Mapping[str, Any] = entry.get("first_location_detected") or {}
    return Finding(
        rule=entry["secret_type"],
        severity=Severity.CRITICAL,
        message=f"{entry.get('secret_type_display_name') or entry['secret_type']} was found in the repository",
        path=place.get("path"),
        line=place.get("start_line") or None,
        fingerprint=f"secret-scanning-{entry['number']}",
        help_url=entry["html_url"],
    )
