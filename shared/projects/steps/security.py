"""Ensures that the forge watches the repository's dependencies and secrets, as far as its plan offers that."""

from __future__ import annotations

from shared.domain.forge import SecurityFeature
from shared.domain.plan import PlanStep, Reversal, StepOutcome, StepState
from shared.errors import NotSupportedError
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    repository_ref,
    texts,
)
from shared.projects.undoing import creating, goes_along, stands, take_back

NAMES = {
    SecurityFeature.VULNERABILITY_ALERTS: "vulnerability alerts",
    SecurityFeature.SECRET_SCANNING: "secret scanning",
    SecurityFeature.PUSH_PROTECTION: "push protection",
}


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Every planned feature that the plan offers is on; the others are named."""
    settings = context.repository_settings()
    ref = repository_ref(step)
    planned = [SecurityFeature(name) for name in texts(step, "features")]
    before = settings.security(ref)
    refused = {feature for feature in planned if feature not in before}
    switched = False
    for feature in planned:
        if before.get(feature) is False:
            try:
                with creating(context.ledger, _resource(step, feature)):
                    settings.enable_security(ref, feature)
                switched = True
            except NotSupportedError:
                # Shown as off, and yet not for this plan: the forge tells only when it is tried.
                refused.add(feature)
    after = settings.security(ref) if switched else before
    if off := [feature for feature in planned if feature not in refused and not after.get(feature)]:
        return failed(
            f"switched on, and read back off: {_listed(off)}",
            "An organisation's security configuration may hold them off; compare its settings.",
        )
    on = [feature for feature in planned if feature not in refused]
    lacking = [feature for feature in planned if feature in refused]
    reason = "; ".join(
        f"{what}: {_listed(features)}"
        for what, features in (("on", on), ("not offered by the forge's plan", lacking))
        if features
    )
    if lacking and not on:
        return StepOutcome(
            state=StepState.UNSUPPORTED,
            reason=reason,
            remedy="Upgrade the plan of the account, make the repository public, or do without.",
        )
    return (applied if switched else confirmed)(reason=reason, on=[feature.value for feature in on])


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """What this run switched on is off again."""
    if along := goes_along(context, step):
        return along
    settings = context.repository_settings()
    ref = repository_ref(step)
    features = {feature.value: feature for feature in map(SecurityFeature, texts(step, "features"))}
    resources = {name: _resource(step, feature) for name, feature in features.items()}
    # Push protection hangs on secret scanning, so what was switched on last goes off first.
    return take_back(
        context.ledger,
        {name: one for name, one in reversed(resources.items()) if context.ledger.made_here(one)},
        lambda: {feature.value for feature, on in settings.security(ref).items() if on},
        lambda name: settings.disable_security(ref, features[name]),
        stands=lambda: stands(context, step),
        nothing="nothing was switched on by this run",
    )


def _resource(step: PlanStep, feature: SecurityFeature) -> str:
    return f"{step.forge}.security:{str(repository_ref(step)).lower()}:{feature.value}"


def _listed(features: list[SecurityFeature]) -> str:
    return ", ".join(NAMES[feature] for feature in features)


STEP = StepDefinition(
    kind="security",
    title="Security of the repository",
    ensures="Vulnerability alerts, secret scanning and push protection are on, as far as the forge's plan offers them.",
    reads_back="Each of them, on or off; what the plan does not offer is named.",
    reverses="Goes with the repository when this run made that; else switches off again what this run switched on. What was "
    "on before stays on.",
    ensure=ensure,
    reverse=reverse,
)
