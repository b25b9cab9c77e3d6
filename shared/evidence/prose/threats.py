"""Reads a threat model: the data flows before and after, every threat with its controls and their tests, and who accepts
what is left."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from shared.evidence.prose.documents import Item, Paragraph, Section, Table, below, sections_of
from shared.evidence.prose.labelled import labelled, pairs
from shared.evidence.prose.placeholders import says_something

_FLOW = re.compile(r"\bdata[- ]?flows?\b|\bdfd\b|\bflow diagrams?\b", re.IGNORECASE)
_BEFORE = re.compile(r"\b(?:before|present|current(?:ly)?|as[- ]is|today|existing|without)\b", re.IGNORECASE)
_AFTER = re.compile(r"\b(?:after|with|new|to[- ]be|target|extended|planned|proposed|changed|future)\b", re.IGNORECASE)
_ARROW = re.compile(r"-->|->|=>|→|⇒|➜")
_THREAT = re.compile(r"\bthreats?\b|\battacks?\b|what could (?:go wrong|happen)|\babuse cases?\b", re.IGNORECASE)
_ID = re.compile(r"(?:#|no\.?|id|nr\.?|number|threat id)", re.IGNORECASE)
_CONTROL = re.compile(
    r"\bcontrols?\b|\bmitigations?\b|\bmitigated by\b|\bcounter ?measures?\b|\bsafeguards?\b", re.IGNORECASE
)
_TEST = re.compile(r"\btests?\b|\btested by\b|\bverified by\b|\bverification\b|\bproof\b|\bproven by\b", re.IGNORECASE)
_RESIDUAL = re.compile(
    r"\bresidual\b|\bremaining risks?\b|\baccepted risks?\b|\brisk(?:s)? (?:left|that remains?)\b", re.IGNORECASE
)
_ACCEPTED_BY = re.compile(
    r"\b(?:accepted by|acceptance by|risk accepted by|risk owner|accepts? (?:it|them|this)?)\b", re.IGNORECASE
)
_IN_PROSE = re.compile(r"\baccept(?:s|ed(?: on [^\n]{1,30}?)? by)\b(?!\s*:)", re.IGNORECASE)
_NONE = re.compile(r"(?:none|no|nothing|-|accepted|not needed|no control)\b[\s.]*(?:yet)?[\s.]*", re.IGNORECASE)


@dataclass
class Threat:
    """Something that could happen, and what stands against it."""

    name: str
    number: str = ""
    """By which other tables speak of it."""
    control: str = ""
    test: str = ""
    line: int = 1

    @property
    def controlled(self) -> bool:
        """Whether a control is named."""
        return says_something(self.control) and not _NONE.fullmatch(self.control.strip())

    @property
    def tested(self) -> bool:
        """Whether a test of its control is named."""
        return says_something(self.test) and not _NONE.fullmatch(self.test.strip())


@dataclass
class ThreatModel:
    """What one or several texts say together."""

    flow_before: bool = False
    flow_after: bool = False
    threats: list[Threat] = field(default_factory=list)
    residual: str = ""
    accepted_by: str = ""
    """As written: a name with a role."""


def threat_model(texts: Iterable[str]) -> ThreatModel:
    """The threat model that ``texts`` hold; parts that none of them has stay empty."""
    found = ThreatModel()
    for one in sections_of(texts):
        _read(found, one)
    return found


def _read(found: ThreatModel, all_: Sequence[Section]) -> None:
    for place, section in enumerate(all_):
        heading = " / ".join((*section.above, section.title))
        if _FLOW.search(heading) and _drawn(section):
            # The nearest heading decides: "Data flow / After".
            before, after = _BEFORE.search(section.title), _AFTER.search(section.title)
            if not before and not after:
                before, after = _BEFORE.search(heading), _AFTER.search(heading)
            found.flow_before = found.flow_before or bool(before)
            found.flow_after = found.flow_after or bool(after and not before)
        for table in section.tables:
            _take_all(found, _of_table(table))
            _accepted_in_table(found, table)
        if _threats_listed(section):
            _take_all(found, _of_list(section.items))
        elif _a_threat(section):
            _take_all(found, _of_section(below(all_, place)))
        _residual(found, section)


def _take_all(found: ThreatModel, threats: Iterable[Threat]) -> None:
    """Add what is new; what a table of controls says of a threat that is listed elsewhere is said of that one."""
    for threat in threats:
        keys = {_key(threat.name), _key(threat.number)} - {""}
        same = next((one for one in found.threats if keys & {_key(one.name), _key(one.number)}), None)
        if same is None:
            found.threats.append(threat)
            continue
        same.control = same.control if same.controlled else threat.control
        same.test = same.test if same.tested else threat.test


def _key(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _drawn(section: Section) -> bool:
    """Whether it shows flows: a drawing in words, an image, a table, or lines with arrows."""
    return bool(
        section.images
        or any(one.text.strip() for one in section.codes)
        or any(table.rows for table in section.tables)
        or _ARROW.search(section.prose)
    )


def _of_table(table: Table) -> Iterator[Threat]:
    heads = [cell.strip() for cell in table.head]
    control = next((at for at, cell in enumerate(heads) if _CONTROL.search(cell)), None)
    threat = next(
        (at for at, cell in enumerate(heads) if at != control and _THREAT.search(cell) and not _ID.fullmatch(cell)),
        None,
    )
    if threat is None:
        return
    number = next((at for at, cell in enumerate(heads) if _ID.fullmatch(cell)), None)
    test = next((at for at, cell in enumerate(heads) if at not in {control, threat} and _TEST.search(cell)), None)
    for place, row in enumerate(table.rows):
        if says_something(row[threat]):
            yield Threat(
                name=row[threat],
                number=row[number] if number is not None else "",
                control=row[control] if control is not None else "",
                test=row[test] if test is not None else "",
                line=table.line + 2 + place,
            )


def _threats_listed(section: Section) -> bool:
    return bool(_THREAT.search(section.title)) and not _CONTROL.search(section.title) and bool(section.items)


def _a_threat(section: Section) -> bool:
    above = section.above[-1] if section.above else ""
    if any(one.search(section.title) for one in (_FLOW, _CONTROL, _RESIDUAL, _ACCEPTED_BY)):
        return False
    numbered = re.match(r"threat\s*#?\w{0,3}\s*[:.\u2013\u2014-]", section.title, re.IGNORECASE)
    return bool(numbered) or (
        bool(_THREAT.search(above)) and "model" not in above.lower() and not _FLOW.search(section.title)
    )


def _of_list(items: Sequence[Item]) -> Iterator[Threat]:
    for place, item in enumerate(items):
        if item.depth or not says_something(item.text):
            continue
        rest = []
        for one in items[place + 1 :]:
            if not one.depth:
                break
            rest.append(one)
        name, arrow, control = item.text.partition("→")
        threat = Threat(name=name.split("\n")[0].strip(), control=control.strip() if arrow else "", line=item.line)
        _answer(threat, labelled(item.text))
        _answer(threat, pairs(tuple(rest)))
        yield threat


def _of_section(parts: Sequence[Section]) -> Iterator[Threat]:
    threat = Threat(name=parts[0].title, line=parts[0].line)
    for part in parts:
        if part is not parts[0]:
            _answer(threat, [(part.title, part.text)])
        _answer(threat, pairs(part.blocks))
    yield threat


def _answer(threat: Threat, said: Iterable[tuple[str, str]]) -> None:
    for label, value in said:
        if _TEST.search(label) and not threat.tested:
            threat.test = value
        elif _CONTROL.search(label) and not threat.controlled:
            threat.control = value


def _residual(found: ThreatModel, section: Section) -> None:
    if _RESIDUAL.search(section.title) and says_something(section.text):
        found.residual = found.residual or section.text.strip()
    about = bool(_RESIDUAL.search(" / ".join((*section.above, section.title))))
    for label, value in pairs(section.blocks):
        if _RESIDUAL.search(label) and says_something(value) and not _ACCEPTED_BY.search(label):
            found.residual = found.residual or value
        if _ACCEPTED_BY.search(label) and says_something(value):
            found.accepted_by = value.split("\n")[0]
    if _ACCEPTED_BY.search(section.title) and says_something(section.prose):
        found.accepted_by = section.prose.split("\n")[0]
    if about and not found.accepted_by:
        lines = (
            line for block in section.blocks if isinstance(block, Paragraph | Item) for line in block.text.split("\n")
        )
        found.accepted_by = next((line.strip() for line in lines if _IN_PROSE.search(line)), "")


def _accepted_in_table(found: ThreatModel, table: Table) -> None:
    at = next((at for at, cell in enumerate(table.head) if _ACCEPTED_BY.search(cell)), None)
    if at is None:
        return
    if said := next((row[at] for row in table.rows if says_something(row[at])), ""):
        found.accepted_by = found.accepted_by or said
