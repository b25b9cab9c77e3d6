"""Decides which positive, negative and edge cases a Python function asks for, by its signature and its own conditions."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from shared.agents._calling import Source, answers_of, call_of, error_of, own
from shared.agents._conditions import Condition, assignments, conditions, holds, pools
from shared.agents._values import MODULE, Domain, Names, Sample, domain_of, domain_of_literal, literal
from shared.domain.test_case import CaseNature
from shared.evidence.changes.declared import Declaration, Parameter, ParameterKind

MOST_OF_A_NATURE = 8
type _Pools = Mapping[str, tuple[Sample, ...]]


@dataclass(frozen=True)
class ProposedCase:
    """One case: the arguments, and the error they must raise, if any."""

    nature: CaseNature
    says: str
    arguments: Mapping[str, Sample]
    error: str = ""


@dataclass(frozen=True)
class Proposal:
    """What the tests of one function should show, and how to call it."""

    declaration: Declaration
    cases: tuple[ProposedCase, ...] = ()
    words: tuple[tuple[CaseNature, str], ...] = ()
    """Cases whose data nobody can tell by reading."""
    call: str = ""
    """What to call, as source: ``module.price`` or ``module.Desk(name="text").open``."""
    positional: frozenset[str] = frozenset()
    asynchronous: bool = False
    generates: bool = False
    imports: frozenset[str] = frozenset()
    answer: tuple[str, ...] = ()
    """Types the answer may have, as source; none: not told by the annotation."""
    refusals: tuple[str, ...] = ()
    """Errors the function raises on purpose, as source in the test."""
    blocked: str = ""
    """Why no test can be written; empty: it can."""


def propose(source: Source, declaration: Declaration, missing: frozenset[CaseNature]) -> Proposal:
    """The cases of ``missing`` natures for the function that ``declaration`` names."""
    node = source.function(declaration)
    if node is None:
        return Proposal(declaration, blocked="its text could not be found")
    given = [one for one in declaration.parameters if one.kind not in {ParameterKind.VARIADIC, ParameterKind.KEYWORDS}]
    found = conditions(node, [one.name for one in given])
    used = {name for one in found for name in one.parameters}
    wanted = {one.name: _domain(one, source.names) for one in given if one.required or one.name in used}
    values = pools(wanted, found, source.names)
    call, imports, blocked = call_of(source, declaration, node)
    answer = answers_of(declaration.returns, source.names)
    unknown = [name for name in wanted if not values[name]]
    if not blocked and unknown:
        blocked = f"nobody can tell by reading what {', '.join(f'`{name}`' for name in unknown)} may be"
    ordinary = frozenset(one.code for domain in wanted.values() if domain for one in domain.usual)
    cases = tuple(_cases(values, ordinary, found, source.names)) if not unknown else ()
    return Proposal(
        declaration=declaration,
        cases=tuple(one for nature in CaseNature for one in _first(cases, nature) if nature in missing),
        words=tuple(_words(found, cases, missing, declaration)),
        call=call,
        positional=frozenset(one.name for one in given if one.kind is ParameterKind.POSITIONAL),
        asynchronous=declaration.asynchronous,
        generates=any(isinstance(one, ast.Yield | ast.YieldFrom) for one in own(node)),
        imports=imports
        | {name for one in cases for sample in one.arguments.values() for name in sample.imports}
        | {one.partition(".")[0] for one in answer if "." in one and not one.startswith(f"{MODULE}.")},
        answer=answer,
        refusals=tuple(dict.fromkeys(error_of(one) for one in declaration.raises)),
        blocked=blocked,
    )


def _first(cases: tuple[ProposedCase, ...], nature: CaseNature) -> list[ProposedCase]:
    return [one for one in cases if one.nature is nature][:MOST_OF_A_NATURE]


def _domain(parameter: Parameter, names: Names) -> Domain | None:
    found = domain_of(parameter.annotation, names)
    if parameter.default is None:
        return found
    try:
        value = ast.literal_eval(parameter.default)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return found
    known = found or domain_of_literal(value)
    # What is not given is the most ordinary value of all.
    return Domain((literal(value), *(known.usual if known else ())), known.borders if known else ())


def _cases(
    values: _Pools, ordinary: frozenset[str], found: tuple[Condition, ...], names: Names
) -> Iterator[ProposedCase]:
    guards = [one for one in found if one.error]

    def allowed(arguments: Mapping[str, Sample]) -> bool:
        return not any(holds(one, arguments, names) for one in guards)

    usual = next((one for one in assignments(values) if allowed(one)), None)
    if usual is None:
        return
    yield ProposedCase(CaseNature.POSITIVE, "usual values", usual)
    for one in found:
        if not one.error and not one.deeper and not holds(one, usual, names):
            other = next((a for a in assignments(values) if holds(one, a, names) and allowed(a)), None)
            if other is not None:
                yield ProposedCase(CaseNature.POSITIVE, f"when {one.text}", other)
    yield from _in_turn([list(_refused(one, found, usual, values, names)) for one in guards])
    yield from _in_turn([list(_edges(name, usual, samples, ordinary, allowed)) for name, samples in values.items()])


def _refused(
    guard: Condition, found: tuple[Condition, ...], usual: Mapping[str, Sample], values: _Pools, names: Names
) -> Iterator[ProposedCase]:
    # The first that holds is where the function ends.
    earlier = [one for one in found[: found.index(guard)] if one.exits]
    shown: set[tuple[str, ...]] = set()
    for arguments in assignments(
        {name: values[name] if name in guard.parameters else (usual[name],) for name in values}
    ):
        told = tuple(arguments[name].code for name in guard.parameters)
        held = holds(guard, arguments, names) and all(holds(other, arguments, names) is False for other in earlier)
        if held and told not in shown:
            shown.add(told)
            yield ProposedCase(CaseNature.NEGATIVE, _told(guard, arguments), arguments, error_of(guard.error))


def _edges(
    name: str,
    usual: Mapping[str, Sample],
    samples: tuple[Sample, ...],
    ordinary: frozenset[str],
    allowed: Callable[[Mapping[str, Sample]], bool],
) -> Iterator[ProposedCase]:
    for sample in samples:
        arguments = {**usual, name: sample}
        if sample.code not in ordinary | {usual[name].code} and allowed(arguments):
            yield ProposedCase(CaseNature.EDGE, f"{name} {sample.says or sample.code}", arguments)


def _in_turn(groups: list[list[ProposedCase]]) -> Iterator[ProposedCase]:
    """The first of each, then the second of each: a bound on their number leaves none out."""
    for row in itertools.zip_longest(*groups):
        yield from (one for one in row if one is not None)


def _told(condition: Condition, arguments: Mapping[str, Sample]) -> str:
    return f"{condition.text} with " + ", ".join(
        f"{name} {arguments[name].says or arguments[name].code}" for name in condition.parameters
    )


def _words(
    found: tuple[Condition, ...],
    cases: tuple[ProposedCase, ...],
    missing: frozenset[CaseNature],
    declaration: Declaration,
) -> Iterator[tuple[CaseNature, str]]:
    shown = {one.nature for one in cases}
    if CaseNature.POSITIVE in missing and CaseNature.POSITIVE not in shown:
        yield CaseNature.POSITIVE, "an ordinary call answers what it should"
    if CaseNature.NEGATIVE in missing:
        told = {one.says.partition(" with ")[0] for one in cases if one.nature is CaseNature.NEGATIVE}
        for one in found:
            if one.error and one.text not in told:
                yield CaseNature.NEGATIVE, f"`{one.text}` raises {one.error}"
        raised = {one.error for one in found if one.error}
        for name in declaration.raises:
            if name not in raised:
                yield CaseNature.NEGATIVE, f"what makes it raise {name}"
        if not found and not declaration.raises:
            yield CaseNature.NEGATIVE, "it refuses nothing: say what it must not accept, and show that"
    if CaseNature.EDGE in missing and CaseNature.EDGE not in shown:
        for branch in declaration.branches[:MOST_OF_A_NATURE]:
            yield CaseNature.EDGE, f"both ways of `{branch.kind} {branch.condition}` in line {branch.line}"
