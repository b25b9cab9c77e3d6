"""Refuses threads that stand nowhere: offsets and lines count from 1, and a followed file must be one of the push."""

from __future__ import annotations

from local.sandbox.azure_devops import errors, git_store
from local.sandbox.azure_devops.call import Call
from local.sandbox.azure_devops.service import Tree


def check_position(call: Call, repository: Tree, pull: Tree, thread: Tree) -> None:
    """Raises a 400 for a position the service could not show."""
    del call
    context, pull_context = thread["context"], thread["pull_context"] or {}
    if not context:
        return
    path = str(context.get("filePath") or "")
    if not path.startswith("/"):
        raise _invalid(f"The file path '{path}' is not valid: it must start with a slash.")
    for side in ("left", "right"):
        start, end = (context.get(f"{side}File{name}") for name in ("Start", "End"))
        if (start is None) != (end is None):
            raise _invalid(f"The {side} position needs a start and an end.")
        if start is None or end is None:
            continue
        given = [(int(one.get("line") or 0), int(one.get("offset") or 0)) for one in (start, end)]
        if min(number for one in given for number in one) < 1 or given[1] < given[0]:
            raise _invalid(f"The {side} position {given} is not valid: lines and offsets count from 1, in order.")
    tracked = pull_context.get("changeTrackingId")
    number = (pull_context.get("iterationContext") or {}).get("secondComparingIteration")
    if tracked and number:
        iteration = next((i for i in pull["iterations"] if i["id"] == number), None)
        if iteration is None:
            raise _invalid(f"The iteration {number} of pull request {pull['id']} does not exist.")
        before = git_store.files_of(repository, iteration["common"])
        found = git_store.changes(before, git_store.files_of(repository, iteration["source"]))
        paths = [change["path"] for change in git_store.with_edited_renames(repository, found)]
        if not 0 < int(tracked) <= len(paths) or paths[int(tracked) - 1] != path:
            raise _invalid(f"The change tracking id {tracked} is not that of '{path}' in iteration {number}.")


def _invalid(message: str) -> errors.ServiceError:
    return errors.invalid(message, "InvalidArgumentValueException", errors.GIT)
