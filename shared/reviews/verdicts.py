"""Says in one line what a review came to, and sorts its findings by what they mean for the merge."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.definition import OwnerRole
from shared.domain.forge import Frozen
from shared.domain.policy import Enforcement
from shared.domain.publication import CheckConclusion
from shared.domain.review import Finding, Outcome, Reviewed, Ruling

LONGEST_TITLE = 140
_NAMED = 3
_ATTESTED = "attested by "


class Sorted(Frozen):
    """The findings by what they mean for the merge; each stands in exactly one place."""

    blocking: tuple[Finding, ...] = ()
    undecided: tuple[Finding, ...] = ()
    advice: tuple[Finding, ...] = ()
    let_go: tuple[Finding, ...] = ()
    attested: tuple[Finding, ...] = ()
    met: tuple[Finding, ...] = ()
    not_asked: tuple[Finding, ...] = ()


def sorted_findings(findings: Iterable[Finding]) -> Sorted:
    """Each finding where a reader looks for it, in the definition's order."""
    found: dict[str, list[Finding]] = {name: [] for name in Sorted.model_fields}
    for one in findings:
        found[_place_of(one)].append(one)
    return Sorted.model_validate(found)


def _place_of(one: Finding) -> str:
    if one.blocks:
        return "blocking"
    if one.undecided:
        return "undecided"
    if one.waiver is not None:
        return "let_go"
    if one.outcome is Outcome.NOT_APPLICABLE:
        return "not_asked"
    if one.outcome is Outcome.MET:
        # A gate that could see for itself needs nobody's word, even where there is one.
        said = one.attestation is not None and (one.known_by != "gate" or one.reason.startswith(_ATTESTED))
        return "attested" if said else "met"
    return "advice" if one.enforcement is not Enforcement.OFF else "not_asked"


def conclusion_of(reviewed: Reviewed) -> CheckConclusion:
    """How our check stands after the review."""
    if reviewed.advisory:
        return CheckConclusion.ADVISORY
    return {
        Ruling.PASSED: CheckConclusion.PASSED,
        Ruling.FAILED: CheckConclusion.FAILED,
        Ruling.INCONCLUSIVE: CheckConclusion.INCONCLUSIVE,
    }[reviewed.ruling]


def verdict(reviewed: Reviewed) -> str:
    """The verdict in one line of plain text."""
    found = sorted_findings(reviewed.findings)
    enforced = [one for one in reviewed.findings if one.enforcement is Enforcement.ENFORCED]
    match reviewed.ruling:
        case Ruling.FAILED:
            said = counted(len(found.blocking), "criterion is not met", "criteria are not met")
            if found.undecided:
                said += f", {len(found.undecided)} could not be determined"
            word = "Not ready" if reviewed.advisory else "Blocked"
        case Ruling.INCONCLUSIVE:
            said = counted(
                len(found.undecided), "criterion could not be determined", "criteria could not be determined"
            )
            word = "Inconclusive"
        case Ruling.PASSED:
            said = (
                f"all {len(enforced)} enforced criteria stand"
                if len(enforced) != 1
                else "the one enforced criterion stands"
            )
            if found.let_go:
                said += f", {len(found.let_go)} of them waived"
            word = "Passed"
    return f"Advice: {word.lower()}, {said}" if reviewed.advisory else f"{word}: {said}"


def check_title(reviewed: Reviewed) -> str:
    """The verdict with the first names of what stands in the way, at most 140 characters."""
    found = sorted_findings(reviewed.findings)
    names = [one.criterion for one in (found.blocking or found.undecided)]
    if reviewed.ruling is Ruling.PASSED or not names:
        return _cut(verdict(reviewed))
    # As many names as there is room for: half a word tells nobody anything.
    for named in range(min(_NAMED, len(names)), 0, -1):
        more = f" and {len(names) - named} more" if len(names) > named else ""
        title = f"{verdict(reviewed)} ({', '.join(names[:named])}{more})"
        if title == _cut(title):
            return title
    return _cut(verdict(reviewed))


def attestable(one: Finding) -> bool:
    """Whether somebody's word could still settle it: no gate decided it, and none broke over it."""
    unseen = {Outcome.NOT_AVAILABLE, Outcome.NOT_SUPPORTED}
    return one.known_by != "gate" or one.outcome in unseen


def role(owner: OwnerRole) -> str:
    """A role in words."""
    return owner.replace("_", " ")


def counted(number: int, one: str, many: str) -> str:
    """``1 remark`` or ``2 remarks``."""
    return f"{number} {one if number == 1 else many}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else text[: LONGEST_TITLE - 1] + "…"
