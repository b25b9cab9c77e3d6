"""A change says what it does and why: every section of the template is filled in, and every box is answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from shared.domain.change import ChangeEvidence, Part, Unknown
from shared.domain.definition import GateId
from shared.domain.review import Effort, Judgement
from shared.evidence.changes.conventional import conventional
from shared.evidence.prose.documents import Item, Section, Table, below, sections
from shared.evidence.prose.placeholders import says_something
from shared.gates import Asked, Gate

_TYPE = re.compile(r"\b(?:types?|kinds?)\b", re.IGNORECASE)
_TYPES = frozenset(["feat", "fix", "docs", "refactor", "perf", "test", "build", "ci", "chore", "style", "revert"])
_FEWEST_WORDS = 3
_MOST_NAMED = 5


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether the template's sections are filled in, or those that ``sections`` names."""
    written = sections(evidence.change.body)
    if wanted := asked.entries("sections"):
        missing = [name for name in wanted if not _there(name, evidence, written)]
        if missing:
            return Judgement.unmet(
                f"the description does not say: {', '.join(one.replace('_', ' ') for one in missing)}"
            )
        return Judgement.met(f"the description says: {', '.join(one.replace('_', ' ') for one in wanted)}")
    return _filled_in(evidence.template, written)


def _filled_in(template: Part[str], written: Sequence[Section]) -> Judgement:
    said = _words(_said(written))
    if said < _FEWEST_WORDS:
        return Judgement.unmet("the description says less than three words" if said else "the description is empty")
    if isinstance(template, Unknown):
        if template.supported:
            return Judgement.unseen("the sections that the target branch's template asks for", template)
        template = ""
    if faults := list(_faults(sections(template), written)):
        more = f"; and {len(faults) - _MOST_NAMED} more" if len(faults) > _MOST_NAMED else ""
        return Judgement.unmet(
            f"{'; '.join(faults[:_MOST_NAMED])}{more}",
            remedy="Fill in what is empty, and tick each box; one that does not apply is struck through (~~[ ] …~~) or says why.",
        )
    return Judgement.met("the template is filled in" if template.strip() else "the description says what changes")


def _faults(template: Sequence[Section], written: Sequence[Section]) -> Iterator[str]:
    own = {_key(line) for section in template for line in _lines([section])}
    for place, section in enumerate(template):
        boxes = [item for item in section.items if item.checked is not None]
        if not section.level and not boxes:
            continue
        at = next((at for at, one in enumerate(written) if _key(one.title) == _key(section.title)), None)
        if at is None:
            yield f"the section {section.title!r} is missing"
        elif boxes:
            yield from _unanswered(section, boxes, written)
        elif not _holds_others(template, place) and not _filled(below(written, at), own):
            yield f"the section {section.title!r} is empty"


def _holds_others(template: Sequence[Section], place: int) -> bool:
    """Whether the section is the heading of others, which are filled in themselves."""
    return len(below(template, place)) > 1 and not template[place].blocks


def _filled(parts: Sequence[Section], own: set[str]) -> bool:
    if any(part.images or any(one.text.strip() for one in part.codes) for part in parts):
        return True
    return any(_key(line) not in own and says_something(line) for line in _lines(parts))


def _unanswered(section: Section, boxes: Sequence[Item], written: Sequence[Section]) -> Iterator[str]:
    answers = [(box, _answer(box, written)) for box in boxes]
    if _TYPE.search(section.title):
        if not any(answer is not None and answer.checked for _, answer in answers):
            yield f"no box of {section.title!r} is ticked"
        return
    for box, answer in answers:
        if answer is None:
            yield f"the box {box.text[:60]!r} is gone"
        elif not answer.checked and not answer.text.startswith("~~") and not _explained(box, answer):
            yield f"the box {box.text[:60]!r} is not answered"


def _answer(box: Item, written: Sequence[Section]) -> Item | None:
    """The box as it was left: word for word, or else with more behind it."""
    wanted = _key(box.text)
    left = [item for section in written for item in section.items if item.checked is not None or "~~" in item.text]
    exact = next((item for item in left if _key(item.text) == wanted), None)
    return exact or next((item for item in left if _key(item.text).startswith(f"{wanted} ")), None)


def _explained(box: Item, answer: Item) -> bool:
    """Whether something is said behind the box's own words, such as why it does not apply."""
    return says_something(_key(answer.text)[len(_key(box.text)) :])


def _there(name: str, evidence: ChangeEvidence, written: Sequence[Section]) -> bool:
    words = _key(name.replace("_", " "))
    if words == "type" and _stated(evidence.change.title):
        return True
    template = () if isinstance(evidence.template, Unknown) else sections(evidence.template)
    own = {_key(line) for section in template for line in _lines([section])}
    for place, section in enumerate(written):
        if words not in _key(section.title) and not (words == "type" and _TYPE.search(section.title)):
            continue
        boxes = [item for item in section.items if item.checked is not None]
        if any(item.checked for item in boxes) or (not boxes and _filled(below(written, place), own)):
            return True
    return False


def _stated(title: str) -> bool:
    """Whether the title itself says what kind of change it is."""
    found = conventional(title)
    return found is not None and found.type in _TYPES


def _lines(parts: Sequence[Section]) -> list[str]:
    """What is written, line by line, without the boxes, which are answers to questions of their own."""
    blocks = [one for part in parts for one in part.blocks if not (isinstance(one, Item) and one.checked is not None)]
    texts = ["\n".join(" ".join(row) for row in one.rows) if isinstance(one, Table) else one.text for one in blocks]
    return [line for text in texts for line in text.split("\n") if line.strip()]


def _said(parts: Sequence[Section]) -> str:
    return "\n".join([*_lines(parts), *(item.text for part in parts for item in part.items if item.checked)])


def _words(text: str) -> int:
    return sum(len(re.findall(r"\w+", line)) for line in text.split("\n") if says_something(line))


def _key(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


GATE = Gate(
    id=GateId.CHANGE_IS_DESCRIBED,
    motivation="A reviewer who has to guess what a change is for reviews the guess.",
    reads=("change", "template"),
    effort=Effort.MINUTES,
    remedy="Fill in every section of the template, answer its boxes, and take out what was left of it.",
    evaluate=evaluate,
    takes=("sections",),
)
