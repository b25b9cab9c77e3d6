"""Finds the checks that GitHub Actions reports on every pull request, from the workflow files of a repository. Pure.

A required check that is never reported blocks every merge for good, so whatever could be left out of a run is not among
them: https://docs.github.com/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/troubleshooting-required-status-checks
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from shared.errors import RefusedError

WORKFLOWS = PurePosixPath(".github/workflows")


def reported_checks(files: Mapping[str, bytes], branch: str) -> tuple[str, ...]:
    """Names of the jobs in ``files`` that run for every pull request into ``branch``, in the order they are written.

    Left out are workflows that look at paths or kinds of events, or at other branches; jobs with a condition, a matrix or
    a workflow of their own, whose checks are called otherwise; and jobs that need such a job.

    Raises:
        RefusedError: a workflow file is no YAML.
    """
    found: dict[str, None] = {}
    for path in sorted(files):
        place = PurePosixPath(path)
        if place.parent == WORKFLOWS and place.suffix in {".yml", ".yaml"}:
            found |= dict.fromkeys(_checks_of(path, files[path], branch))
    return tuple(found)


def _checks_of(path: str, content: bytes, branch: str) -> list[str]:
    import yaml  # noqa: PLC0415 - cold start

    from shared.definitions.reading import trusted  # noqa: PLC0415 - cold start

    try:
        workflow = trusted(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RefusedError(f"{path} is no YAML: {error}", "Correct the workflow file.") from None
    if not isinstance(workflow, dict) or not _runs_for_pull_requests(workflow, branch):
        return []
    jobs = workflow.get("jobs")
    if not isinstance(jobs, dict):
        return []
    return [str(job.get("name") or key) for key, job in jobs.items() if _always_runs(jobs, key, ())]


def _runs_for_pull_requests(workflow: Mapping[Any, Any], branch: str) -> bool:
    # YAML 1.1 reads the bare key ``on`` as true.
    events = workflow.get("on", workflow.get(True))
    if isinstance(events, str):
        return events == "pull_request"
    if isinstance(events, list):
        return "pull_request" in events
    if not isinstance(events, dict) or "pull_request" not in events:
        return False
    filters = events["pull_request"] or {}
    return isinstance(filters, dict) and (
        not filters or (set(filters) == {"branches"} and branch in filters["branches"])
    )


def _always_runs(jobs: Mapping[Any, Any], key: object, above: tuple[object, ...]) -> bool:
    job = jobs.get(key)
    if not isinstance(job, dict) or key in above:
        return False
    if {"if", "strategy", "uses"} & set(job) or "${{" in str(job.get("name", "")):
        return False
    needs = job.get("needs") or []
    return all(_always_runs(jobs, need, (*above, key)) for need in ([needs] if isinstance(needs, str) else needs))
