"""Says which approvers a forge cannot ask, since the request gives them no name that it knows."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.forge import ForgeName
from shared.domain.plan import StepOutcome, StepState
from shared.domain.project import EnvironmentRequest

_NAMES = {
    ForgeName.AZURE_DEVOPS: ("Azure DevOps", "e-mail address", "azure_devops"),
    ForgeName.GITHUB: ("GitHub", "login or team", "github"),
}


def unguarded(planned: Sequence[EnvironmentRequest], forge: ForgeName, url: str) -> StepOutcome | None:
    """That environments which name approvers ask nobody here; ``None`` when there is no such environment."""
    alone = [one for one in planned if one.approvers and not one.approvers_on(forge)]
    if not alone:
        return None
    shown, kind, field = _NAMES[forge]
    names = [one.name for one in planned]
    people = list(dict.fromkeys(name for one in alone for name in one.not_asked_on(forge)))
    return StepOutcome(
        state=StepState.UNSUPPORTED,
        reason=f"{', '.join(names)} exist; nobody is asked before a deployment to "
        f"{', '.join(one.name for one in alone)}, since {', '.join(people)} came without {_article(kind)} {kind} "
        f"that {shown} would know",
        remedy=f"Ask again with both names of each approver, such as {_example(people[0], forge, field)}.",
        url=url,
    )


def not_asked(planned: Sequence[EnvironmentRequest], forge: ForgeName) -> str:
    """Words about the approvers who are not asked here beside others who are; empty when all are."""
    people = dict.fromkeys(name for one in planned for name in one.not_asked_on(forge))
    return (
        f"; not asked, without {_article(_NAMES[forge][1])} {_NAMES[forge][1]}: {', '.join(people)}" if people else ""
    )


def _article(kind: str) -> str:
    return "an" if kind.startswith("e") else "a"


def _example(name: str, forge: ForgeName, field: str) -> str:
    other = "github" if forge is ForgeName.AZURE_DEVOPS else "azure_devops"
    return f'{{"{other}": "{name}", "{field}": "…"}}'
