"""Ensures that the main branch starts with the scaffold, as one commit, file for file."""

from __future__ import annotations

from shared.domain.plan import PlanStep, StepOutcome
from shared.projects import bundle
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    repository_ref,
    text,
    waiting,
)

MESSAGE = "Start from the {stack} scaffold\n\nMade by Doneright from template version {version}."


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Branch exists and its first commit holds exactly the scaffold's files."""
    forge = context.forge(step.forge)
    ref = repository_ref(step)
    branch = text(step, "branch")
    resource = f"{step.forge}.scaffold:{str(ref).lower()}:{branch}"
    url = _page(forge.repository(ref))
    head = forge.branch_head(ref, branch)
    if head is not None and not context.ledger.intended(resource):
        return failed(
            f"{ref} has commits on {branch} that this request did not make",
            "Choose another project name, or empty the repository.",
            url,
        )
    if head is not None and context.ledger.intended(f"{resource}:done"):
        return confirmed(url, "pushed and read back when it was made; what came since is the team's", head=head)
    scaffold = bundle.unpack(context.artifacts.get(text(step, "scaffold")))
    # A first try that was cut short may have left part of its work; the adapter finishes or repeats it.
    context.ledger.intend(resource)
    if head is None or forge.file_digests(ref, head) != scaffold.git_digests():
        forge.commit_files(
            ref,
            branch,
            scaffold.files,
            message=MESSAGE.format(stack=text(step, "stack"), version=text(step, "template_version")),
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
    context.ledger.intend(f"{resource}:done")
    return applied(url, f"{len(found)} files in one commit", head=head, files=len(found))


def _page(repository: object) -> str:
    return str(getattr(repository, "url", ""))


STEP = StepDefinition(
    kind="scaffold",
    title="Scaffold in one commit",
    ensures="The main branch holds exactly the rendered scaffold as its first commit.",
    reads_back="The git blob digest of every file at the branch's head.",
    reverses="Nothing of its own: the repository's reversal removes it.",
    ensure=ensure,
)
