"""A threat model shows the data flows before and after, names a control for every threat and a test for every control,
and somebody with a role accepts what is left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from shared.domain.change import ChangedFile, ChangeEvidence, FileStatus, Unknown
from shared.domain.definition import GateId, OwnerRole, WorkItemKind
from shared.domain.globs import fits
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.prose.placeholders import says_something
from shared.evidence.prose.threats import Threat, ThreatModel, threat_model
from shared.evidence.prose.tickets import item_kind, meant, texts
from shared.gates import Asked, Gate

MODELS = ("**/*threat*model*", "**/threat*/**", "docs/security/**", "docs/design/**", "docs/designs/**")
"""Where threat models stand in a change."""
PARTS = ("flow_before", "flow_after", "threats", "controls", "tests", "residual_risk", "accepted_by")
_ASKED_OF = frozenset({WorkItemKind.FEATURE, WorkItemKind.REQUIREMENT, WorkItemKind.TASK, None})
_TITLES = re.compile(
    r"\b(?:owner|lead|officer|manager|engineer|architect|director|head|ciso|cto|cio|ceo|chief|operator|designer|tester|"
    r"reviewer|author|writer|communicator|board|steward|custodian)\b",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"@([A-Za-z0-9][A-Za-z0-9._-]{0,63})")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SMALL = frozenset(
    [
        "a",
        "accept",
        "accepted",
        "accepting",
        "accepts",
        "an",
        "and",
        "as",
        "at",
        "by",
        "for",
        "has",
        "have",
        "in",
        "is",
        "it",
        "its",
        "of",
        "on",
        "our",
        "risk",
        "team",
        "that",
        "the",
        "their",
        "this",
        "to",
        "we",
    ]
)
_MOST_NAMED = 5


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether the tickets and the documents of the change together hold all ``parts``."""
    if isinstance(evidence.items, Unknown):
        return Judgement.unseen("the tickets, where threat models stand,", evidence.items)
    tickets = meant(evidence.change, evidence.items)
    if tickets and not any(item_kind(one) in _ASKED_OF for item in tickets for one in (item, *item.parents)):
        return Judgement.not_applicable("no feature or requirement is linked")
    documents = list(_documents(evidence))
    written = [text for item in tickets for one in (item, *item.parents) for text in texts(one)]
    whole = threat_model([*written, *(file.content or "" for file in documents)])
    wanted = asked.entries("parts") or PARTS
    missing = {part: told for part in wanted if (told := _missing(part, whole, evidence))}
    measured = {"threats": len(whole.threats), "controlled": sum(one.controlled for one in whole.threats)}
    if not missing:
        return Judgement.met(_met(wanted, whole), measured=measured)
    if hidden := _unreadable(evidence):
        return Judgement.not_available(f"{hidden}; elsewhere {'; '.join(missing.values())}", measured=measured)
    return Judgement.unmet("; ".join(missing.values()), measured=measured, remarks=tuple(_remarks(missing, documents)))


def _met(wanted: tuple[str, ...], whole: ThreatModel) -> str:
    told = f"{', '.join(one.replace('_', ' ') for one in wanted)}: all there"
    return f"{told}; {len(whole.threats)} threats" if {"threats", "controls", "tests"} & set(wanted) else told


def _missing(part: str, whole: ThreatModel, evidence: ChangeEvidence) -> str:  # noqa: PLR0911 - one for each part
    match part:
        case "flow_before":
            return "" if whole.flow_before else "no diagram of the data flow before the change"
        case "flow_after":
            return "" if whole.flow_after else "no diagram of the data flow after the change"
        case "threats":
            return "" if whole.threats else "no threat is listed"
        case "controls":
            return _each(whole.threats, [one for one in whole.threats if not one.controlled], "control")
        case "tests":
            # A threat without a control has nothing to test; that is said by its own part.
            return _each(whole.threats, [one for one in whole.threats if not one.tested], "test of its control")
        case "residual_risk":
            return "" if says_something(whole.residual) else "the risk that is left is not stated"
        case "accepted_by":
            return _accepted(whole.accepted_by, evidence)
        case _:
            return f"{part!r} is no part of a threat model"


def _each(threats: list[Threat], lacking: list[Threat], what: str) -> str:
    if not threats:
        return f"no threat is listed that could have a {what}"
    if not lacking:
        return ""
    more = f" and {len(lacking) - _MOST_NAMED} more" if len(lacking) > _MOST_NAMED else ""
    named = ", ".join(repr(one.name[:60]) for one in lacking[:_MOST_NAMED])
    return f"{len(lacking)} of {len(threats)} threats without a {what}: {named}{more}"


def _accepted(said: str, evidence: ChangeEvidence) -> str:
    if not says_something(said):
        return "nobody is named who accepts the risk that is left"
    plain = " ".join(re.findall(r"\w+", said.casefold()))
    roles = [role for role in OwnerRole if role.replace("_", " ") in plain]
    if not roles and not _TITLES.search(said):
        return f"{said[:80]!r} accepts the risk that is left, and no role is given"
    titles = _SMALL | {word for role in roles for word in role.split("_")}
    if not any(word.casefold() not in titles and not _TITLES.fullmatch(word) for word in _WORD.findall(said)):
        return f"a role accepts the risk that is left ({said[:80]!r}), and nobody is named"
    logins = {login.casefold() for login in _LOGIN.findall(said)}
    holders = {login for role in roles for login in evidence.roles.get(role, ())}
    if logins and holders and not logins & holders:
        return f"{', '.join(sorted(logins))} accepts the risk that is left without holding the role of {roles[0].replace('_', ' ')}"
    return ""


def _documents(evidence: ChangeEvidence) -> Iterator[ChangedFile]:
    yield from (file for file in evidence.known_files if file.content is not None and _is_model(file))


def _is_model(file: ChangedFile) -> bool:
    path = file.path.casefold()
    return fits(path, MODELS) and PurePosixPath(path).suffix in {".md", ".markdown", ".txt", ".rst", ".adoc", ""}


def _unreadable(evidence: ChangeEvidence) -> str:
    if isinstance(evidence.files, Unknown):
        return f"the changed files, where a threat model may stand, are not known: {evidence.files.reason}"
    unread = [
        file.path
        for file in evidence.files
        if file.content is None and file.status is not FileStatus.REMOVED and not file.binary and _is_model(file)
    ]
    return f"{unread[0]} could not be read" if unread else ""


def _remarks(missing: dict[str, str], documents: list[ChangedFile]) -> Iterator[Remark]:
    """Beside the threats of the change's own model that lack something; what a ticket lacks has no place in the code."""
    for file in documents:
        for threat in threat_model([file.content or ""]).threats:
            lacks = []
            if "controls" in missing and not threat.controlled:
                lacks.append("control")
            elif "tests" in missing and not threat.tested:
                lacks.append("test of its control")
            if lacks:
                yield Remark(
                    message=f"This threat has no {lacks[0]}: {threat.name[:200]}",
                    path=file.path,
                    line=threat.line,
                    rule="threat",
                )


GATE = Gate(
    id=GateId.THREAT_MODEL_IS_COMPLETE,
    motivation="What nobody thought of is not defended; a control nobody tried is a hope; a risk nobody owns is everybody's.",
    reads=("change", "items", "files", "roles"),
    effort=Effort.HOURS,
    remedy="Draw the data flow before and after, list every threat with a control and the test that shows it holding, state the "
    "risk that is left, and name who accepts it in which role.",
    evaluate=evaluate,
    takes=("parts",),
)
