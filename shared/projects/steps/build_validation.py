"""Ensures that pull requests into the main branch need a green build: of the pipeline, or of the workflow's jobs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from shared.domain.forge import ForgeName
from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.errors import DefectError
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    kept,
    repository_ref,
    text,
    texts,
)
from shared.projects.undoing import creating, goes_along, listed, stands, take_back


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Each planned build is required of pull requests; what else is required stays."""
    forge, ref, branch = context.forge(step.forge), repository_ref(step), text(step, "branch")
    planned = _planned(context, step)
    if not planned:
        return failed(
            f"there is no pipeline {text(step, 'pipeline')} whose build could be required",
            "Make it again, or reconcile the project.",
        )
    url = forge.repository_page(ref)
    found = forge.required_builds(ref, branch)
    lacking = [name for name, build in planned.items() if not found.get(build)]
    # A job that was renamed since, or a pipeline that was made anew: nothing reports it any more, so nothing would merge.
    outlived = [
        build for build in found if build not in planned.values() and context.ledger.intended(_resource(step, build))
    ]
    if not lacking and not outlived:
        return confirmed(url, builds=[*planned])
    if lacking:
        with ExitStack() as intents:
            for name in lacking:
                # One that is asked for in a weaker way is somebody's, and only made stricter.
                if planned[name] not in found:
                    intents.enter_context(creating(context.ledger, _resource(step, planned[name])))
            forge.require_builds(ref, branch, [planned[name] for name in lacking])
    if outlived:
        forge.remove_required_builds(ref, branch, outlived)
    found = forge.required_builds(ref, branch)
    if still := [build for build in outlived if build in found]:
        return failed(
            f"builds that nothing reports any more are still required: {listed(still)}",
            "An organisation's rule may require them; take them off there.",
            url,
        )
    for build in outlived:
        context.ledger.withdraw(_resource(step, build))
    if missing := [name for name, build in planned.items() if not found.get(build)]:
        return failed(
            f"the build was required, and read back without: {listed(missing)}",
            "An organisation's rule may override it; compare the branch's settings with the request.",
            url,
        )
    return applied(url, builds=[*planned])


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The builds this run required are required no longer."""
    if along := goes_along(context, step):
        return along
    forge, ref, branch = context.forge(step.forge), repository_ref(step), text(step, "branch")
    planned = _planned(context, step)
    mine = {
        name: resource
        for name, build in planned.items()
        if context.ledger.made_here(resource := _resource(step, build))
    }
    if not mine:
        return kept(f"this run required no build of {branch}")

    def there() -> list[str]:
        found = forge.required_builds(ref, branch)
        return [name for name in mine if planned[name] in found]

    return take_back(
        context.ledger,
        mine,
        there,
        lambda name: forge.remove_required_builds(ref, branch, [planned[name]]),
        stands=lambda: stands(context, step),
        nothing=f"this run required no build of {branch}",
    )


def _planned(context: StepContext, step: PlanStep) -> Mapping[str, str]:
    """The builds as the forge knows them, by their names; none while the pipeline is not there."""
    if step.forge is ForgeName.AZURE_DEVOPS:
        name = text(step, "pipeline")
        found = context.boards().pipeline(text(step, "project"), name)
        return {name: found.id} if found else {}
    checks = texts(step, "checks")
    if not checks:
        raise DefectError(f"step {step.id}: no check of the workflow is named")
    return {name: name for name in checks}


def _resource(step: PlanStep, build: str) -> str:
    return f"{step.forge}.build_validation:{str(repository_ref(step)).lower()}:{text(step, 'branch')}/{build}"


STEP = StepDefinition(
    kind="build_validation",
    title="Build validation",
    ensures="Pull requests into the main branch need a green build, up to date with it: of the project's pipeline on Azure "
    "Repos, of every workflow job that always runs on GitHub. What people require beside it stays; what an earlier run "
    "required and the plan no longer names goes.",
    reads_back="The builds that are required, and that each is required of what would be merged.",
    reverses="Goes with the repository when this run made that; else takes back the builds this run required. Those that "
    "were asked for before stay required.",
    ensure=ensure,
    reverse=reverse,
)
