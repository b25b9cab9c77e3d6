"""Ensures that the main branch starts with the scaffold, as one commit, file for file."""

from __future__ import annotations

from shared.domain.forge import RepositoryRef
from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.ports import Forge
from shared.projects import bundle
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    kept,
    repository_ref,
    text,
    waiting,
)
from shared.projects.undoing import goes_along

MESSAGE = "Start from the {stack} scaffold\n\nMade by Doneright from template version {version}."
README = "Start with a README\n\nMade by Doneright."
"""Of a repository that was asked for without a stack."""


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Branch exists and its first commit holds exactly the scaffold's files."""
    forge = context.forge(step.forge)
    ref = repository_ref(step)
    branch = text(step, "branch")
    resource = _resource(step)
    url = forge.repository_page(ref)
    head = forge.branch_head(ref, branch)
    if head is not None and not context.ledger.intended(resource):
        return failed(
            f"{ref} has commits on {branch} that this request did not make",
            "Choose another name, or empty the repository.",
            url,
        )
    if head is not None and (made := context.ledger.reference(f"{resource}:done")):
        return _looked_again(forge, ref, branch, made, head, url)
    scaffold = bundle.unpack(context.artifacts.get(text(step, "scaffold")))
    # A first try that was cut short may have left part of its work; the adapter finishes or repeats it.
    context.ledger.intend(resource)
    if head is None or forge.file_digests(ref, head) != scaffold.git_digests():
        forge.commit_files(
            ref,
            branch,
            scaffold.files,
            message=_message(text(step, "stack"), text(step, "template_version")),
            executable=scaffold.executable,
        )
        head = forge.branch_head(ref, branch)
    if head is None:
        return waiting(f"{branch} of {ref} was pushed and does not show yet")
    found, planned = forge.file_digests(ref, head), scaffold.git_digests()
    if found != planned:
        wrong = sorted(path for path in found.keys() | planned.keys() if found.get(path) != planned.get(path))
        return failed(
            f"{len(wrong)} files on {branch} are not as rendered: {', '.join(wrong[:5])}",
            "Somebody pushed meanwhile, or a hook rewrote the files; empty the repository and try again.",
            url,
        )
    context.ledger.intend(f"{resource}:done", reference=head)
    return applied(url, f"{len(found)} files in one commit", head=head, files=len(found))


def _looked_again(forge: Forge, ref: RepositoryRef, branch: str, made: str, head: str, url: str) -> StepOutcome:
    # A commit's SHA names its whole content, and this one was read back file by file: it needs only be there still.
    if head == made:
        return confirmed(url, f"commit {made[:7]}, read back when it was made, is the head of {branch}", head=head)
    if forge.is_ancestor(ref, made, head):
        return confirmed(
            url,
            f"commit {made[:7]}, read back when it was made, is in the history of {branch}; what came since is the "
            "team's",
            head=head,
        )
    return failed(
        f"the history of {branch} was replaced: the scaffold's commit {made} is not in it any more",
        f"Push the lost history again; or, where it was meant, join it: git fetch origin {made} && "
        f"git merge --strategy=ours --allow-unrelated-histories {made}",
        url,
    )


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The scaffold goes with the repository; out of one that stays, no forge removes the first commit."""
    if along := goes_along(context, step):
        return along
    branch, ref = text(step, "branch"), repository_ref(step)
    if not context.ledger.made_here(_resource(step)):
        return kept(f"this run did not make the first commit of {ref}")
    return kept(f"{branch} is the default branch of {ref}, which this run did not make; no forge deletes such a branch")


def _message(stack: str, version: str) -> str:
    return MESSAGE.format(stack=stack, version=version) if stack else README


def _resource(step: PlanStep) -> str:
    return f"{step.forge}.scaffold:{str(repository_ref(step)).lower()}:{text(step, 'branch')}"


STEP = StepDefinition(
    kind="scaffold",
    title="Scaffold in one commit",
    ensures="The main branch holds exactly the rendered scaffold as its first commit; of a repository without a stack "
    "that is a README.",
    reads_back="The git blob digest of every file; later, that this very commit is in the branch's history.",
    reverses="Goes with the repository when this run made that. In a repository that stays, the commit stays: forges do "
    "not delete the default branch.",
    ensure=ensure,
    reverse=reverse,
)
