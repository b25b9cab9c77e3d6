"""Carries out completions that were queued, as the real service does a moment after it was asked."""

from __future__ import annotations

from local.sandbox.azure_devops.areas.pull_request_merge import merge_now, refresh_merge
from local.sandbox.azure_devops.call import internal_call
from local.sandbox.azure_devops.progress import advances
from local.sandbox.azure_devops.service import Service, Tree


@advances
def complete_queued(service: Service, org: Tree) -> bool:
    """Merge what is due; whether more is still to come."""
    pending = False
    for project in org["projects"].values():
        for repository in project["repositories"].values():
            for pull in repository["pulls"].values():
                queued = pull.get("completing")
                if not queued:
                    continue
                if not service.reached(queued["at"]):
                    pending = True
                    continue
                _carry_out(service, org, repository, pull, queued)
    return pending


def _carry_out(service: Service, org: Tree, repository: Tree, pull: Tree, queued: Tree) -> None:
    pull["completing"] = None
    call = internal_call(service, org, org["users"][queued["by"]])
    refresh_merge(call, repository, pull)
    # A push or a conflict in between keeps it open, and the merge status says why.
    if pull["last_source"] == queued["source"] and not pull["conflicts"]:
        merge_now(call, repository, pull)
