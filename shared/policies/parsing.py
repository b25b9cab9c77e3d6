"""Reads one level's policy from text that anyone may have written, or names each field at fault with its line.

The text of a repository is ``.doneright/policy.yaml`` on the branch a change goes to, never on the change's own.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from shared.definitions.load import DEFAULT_POLICY, definition_of_done
from shared.definitions.reading import Document, LineFault, Path, UnreadableError, read
from shared.domain.definition import Criterion, DefinitionOfDone, Stage
from shared.domain.policy import Enforcement, Level, Policy, Rule
from shared.domain.threshold import Threshold, Value
from shared.errors import DefectError

POLICY_FILE = ".doneright/policy.yaml"
"""Where a repository keeps its policy."""

_EXAMPLE = "stages: {integration: {ci_is_green: enforced}}"
_MOST_VERSIONS = 1_000_000


def parse(content: bytes | str, definition: DefinitionOfDone, level: Level) -> Policy | tuple[LineFault, ...]:
    """The policy of ``level``, or every field at fault, by line. An empty text says nothing and is a policy."""
    try:
        document = read(content)
    except UnreadableError as error:
        return (error.fault,)
    return _Reader(document, definition, level).policy()


@cache
def shipped_policy() -> Policy:
    """The policy of organisations that have none of their own. Raises ``DefectError`` when it is at fault."""
    found = parse(DEFAULT_POLICY.read_bytes(), definition_of_done(), Level.SHIPPED)
    if isinstance(found, Policy):
        return found
    raise DefectError("; ".join(f"{DEFAULT_POLICY.name}:{one.line}: {one.field} {one.problem}" for one in found))


class _Reader:
    """Walks one document and gathers what it says and what is wrong with it."""

    def __init__(self, document: Document, definition: DefinitionOfDone, level: Level) -> None:
        self._document = document
        self._criteria = definition.by_id()
        self._level = level
        self._faults: list[LineFault] = []
        self._rules: dict[str, Rule] = {}

    def policy(self) -> Policy | tuple[LineFault, ...]:
        value = {} if self._document.value is None else self._document.value
        version = 1
        if self._is_object((), value, ("version", "stages")):
            version = self._version(value.get("version", 1))
            stages = value.get("stages")
            if stages is not None and self._is_object(("stages",), stages, tuple(Stage)):
                for stage, rules in stages.items():
                    if stage in set(Stage):
                        self._stage(Stage(stage), rules)
        if self._faults:
            return tuple(sorted(self._faults, key=lambda fault: fault.line))
        return Policy(level=self._level, version=version, rules=self._rules)

    def _version(self, given: Any) -> int:
        if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= _MOST_VERSIONS:
            return given
        self._fault(("version",), f"{_shown(given)} is not a whole number from 1", "1")
        return 1

    def _stage(self, stage: Stage, rules: Any) -> None:
        path: Path = ("stages", stage.value)
        if rules is None:
            return
        if not isinstance(rules, dict):
            self._fault(path, "is not an object of criteria", _EXAMPLE)
            return
        for name, given in rules.items():
            at = (*path, name)
            criterion = self._criteria.get(name)
            if criterion is None:
                self._fault(at, f"is no criterion{_perhaps(name, self._criteria)}")
            elif criterion.stage is not stage:
                self._fault(at, f"belongs to the stage {criterion.stage}; put it there")
            else:
                self._rule(at, criterion, given)

    def _rule(self, at: Path, criterion: Criterion, given: Any) -> None:
        enforcement: Enforcement | None = None
        thresholds: dict[str, Value] = {}
        if isinstance(given, dict):
            self._is_object(at, given, ("enforcement", "thresholds"))
            if "enforcement" in given:
                enforcement = self._enforcement((*at, "enforcement"), given["enforcement"])
            thresholds = self._thresholds((*at, "thresholds"), criterion, given.get("thresholds"))
            if not given:
                self._fault(at, "says nothing", "enforced")
        else:
            enforcement = self._enforcement(at, given)
        self._rules[criterion.id] = Rule(enforcement=enforcement, thresholds=thresholds, line=self._document.line(at))

    def _enforcement(self, at: Path, given: Any) -> Enforcement | None:
        if isinstance(given, str) and given in set(Enforcement):
            return Enforcement(given)
        self._fault(at, f"{_shown(given)} is not one of the choices: {', '.join(Enforcement)}", "enforced")
        return None

    def _thresholds(self, at: Path, criterion: Criterion, given: Any) -> dict[str, Value]:
        known = criterion.thresholds
        if given is None:
            return {}
        if not known:
            self._fault(at, f"are not taken: {criterion.id} has none; leave them out")
            return {}
        if not self._is_object(at, given, tuple(known)):
            return {}
        found: dict[str, Value] = {}
        for name, value in given.items():
            if name in known and (one := self._value((*at, name), known[name], value)) is not None:
                found[name] = one
        return found

    def _value(self, at: Path, threshold: Threshold, given: Any) -> Value | None:
        if threshold.takes_list:
            if not isinstance(given, list) or not all(isinstance(entry, str) for entry in given):
                self._fault(at, "is not a list of words", f"[{', '.join(_first(threshold))}]")
                return None
            given = tuple(given)
        elif isinstance(given, bool) or not isinstance(given, int | float):
            self._fault(at, f"{_shown(given)} is not a figure in {threshold.unit}", f"{threshold.value:g}")
            return None
        try:
            return threshold.with_value(given).value
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                place = tuple(part for part in detail["loc"] if isinstance(part, int))
                said = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else detail["msg"].lower()
                self._fault((*at, *place), f"is not accepted: {said}")
            return None

    def _is_object(self, at: Path, value: Any, fields: tuple[str, ...]) -> bool:
        if not isinstance(value, dict):
            self._fault(at, f"is not an object with the fields {', '.join(fields)}", _EXAMPLE)
            return False
        for name in value:
            if name not in fields:
                self._fault((*at, name), f"is not a field here{_perhaps(name, fields)}")
        return True

    def _fault(self, at: Path, problem: str, example: str = "") -> None:
        field = ".".join(str(part)[:60] for part in at) or "(whole)"
        self._faults.append(LineFault(field=field, problem=problem, example=example, line=self._document.line(at)))


def _perhaps(name: str, known: Iterable[str] | Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name[:60], list(known), n=1, cutoff=0.6)
    return f"; perhaps {near[0]}" if near else ""


def _first(threshold: Threshold) -> tuple[str, ...]:
    value = threshold.value
    return value[:2] if isinstance(value, tuple) else ()


def _shown(given: Any) -> str:
    return "nothing" if given is None else repr(given)[:40]
