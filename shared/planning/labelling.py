"""Decides what becomes of Doneright's own label on an issue; what a person did with it is never undone."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.forge import Frozen
from shared.domain.issue_category import KeptCategory, LabelState, Verdict
from shared.planning.categorising import Text, categorise
from shared.planning.rules import Rules


class Labelling(Frozen):
    """What to do with the label."""

    verdict: Verdict
    own: str = ""
    """The label of Doneright's that is on the issue."""
    wanted: str = ""
    """The one that should be."""
    state: LabelState
    reason: str = ""


def decide(text: Text, kept: KeptCategory | None, rules: Rules) -> Labelling:
    """What to do with the label of an issue that says ``text``; ``kept`` is what Doneright remembers of it.

    A label of Doneright's kind that it does not remember having set is a person's, and so is the decision once a
    person took its label off.
    """
    present = {label.casefold(): label for label in text.labels}
    own = present.get(kept.label.casefold(), "") if kept and kept.label else ""
    verdict = categorise(text, rules, own_labels=[own] if own else [])
    if kept and (kept.left_to_people or (kept.label and kept.settled and not own)):
        return Labelling(
            verdict=verdict, own=own, wanted=own, state=LabelState.LEFT_TO_PEOPLE, reason="a person took the label off"
        )
    if verdict.by_person:
        return _as_people_say(verdict, own, rules)
    wanted = rules.label_of(verdict.category) if verdict.category else ""
    return Labelling(verdict=verdict, own=own, wanted=wanted, state=_state(own, wanted, settled=_seen(kept, own)))


def _as_people_say(verdict: Verdict, own: str, rules: Rules) -> Labelling:
    reason = f"a person said it with {verdict.by_person!r}"
    if own and rules.category_of(own) != verdict.category:
        return Labelling(verdict=verdict, own=own, state=LabelState.TAKEN_OFF, reason=reason)
    state = LabelState.UNCHANGED if own else LabelState.LEFT_TO_PEOPLE
    return Labelling(verdict=verdict, own=own, wanted=own, state=state, reason=reason)


def _seen(kept: KeptCategory | None, own: str) -> bool:
    return bool(kept and kept.settled and own)


def _state(own: str, wanted: str, *, settled: bool) -> LabelState:
    if own == wanted:
        return LabelState.NONE if not own else LabelState.UNCHANGED if settled else LabelState.SET
    if not wanted:
        return LabelState.TAKEN_OFF
    return LabelState.CHANGED if own else LabelState.SET


CHANGES = frozenset({LabelState.SET, LabelState.CHANGED, LabelState.TAKEN_OFF})
"""What makes calls that change the issue."""


def common(labels: Sequence[str], prefix: str) -> bool:
    """Whether an issue is one of Doneright's own, which needs no category."""
    return any(label.casefold().startswith(prefix) for label in labels)
