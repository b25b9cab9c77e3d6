"""Reads a project request out of the markdown that GitHub renders from the *new project* issue form.

GitHub writes each answer under a level-three heading that repeats the question's label, and ``_No response_`` for an
empty answer (https://docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import ValidationError

from shared.domain.faults import FieldFault, faults_of
from shared.domain.forge import BranchRules, ForgeName
from shared.domain.project import ProjectRequest
from shared.projects.form_sections import Doubt, Form

LABELS = {
    "project name": "name",
    "description": "description",
    "owner": "owner",
    "process": "process",
    "stack": "stack",
    "visibility": "visibility",
    "repositories on": "forges",
    "minimum reviewers": "rules.minimum_reviewers",
    "backlog seeds": "backlog",
}

EXAMPLES = {
    "name": "Payments API",
    "description": "Takes card payments for the shop.",
    "owner": "octocat",
    "process": "Agile (or Scrum, CMMI, Basic)",
    "stack": "FastAPI",
    "visibility": "Private (or Public)",
    "forges": "Azure DevOps and GitHub",
    "rules.minimum_reviewers": "1",
    "backlog": "Take a card payment (one feature a line)",
}

_SEVERAL_LINES = frozenset({"description", "backlog seeds"})
"""Questions whose answers may have more than one line; all others are one-line inputs and dropdowns."""

_FORGES = {
    "azure devops and github": frozenset(ForgeName),
    "github and azure devops": frozenset(ForgeName),
    "both": frozenset(ForgeName),
    "azure devops": frozenset({ForgeName.AZURE_DEVOPS}),
    "github": frozenset({ForgeName.GITHUB}),
}
_BULLET = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?")


def answers(markdown: str) -> dict[str, str]:
    """Label (lower case) → answer of every level-three section; an answer not given is absent."""
    return _form(markdown).answers()


def parse(markdown: str) -> ProjectRequest | tuple[FieldFault, ...]:
    """The request, or every field that is missing or wrong with an example of a right one.

    Where the answers cannot be told apart the fault is told of the answer to blame, and nothing of those it hides.
    """
    form = _form(markdown)
    if doubts := form.doubts():
        unread = {LABELS.get(label, label) for doubt in doubts for label in doubt.unread}
        read = _read(form.answers())
        others = () if isinstance(read, ProjectRequest) else read
        return *(_doubtful(doubt) for doubt in doubts), *(fault for fault in others if fault.field not in unread)
    return _read(form.answers())


def _form(markdown: str) -> Form:
    return Form(markdown, tuple(LABELS), _SEVERAL_LINES)


def _read(answered: Mapping[str, str]) -> ProjectRequest | tuple[FieldFault, ...]:
    given = {field: text for label, text in answered.items() if (field := LABELS.get(label))}
    faults: list[FieldFault] = []
    values: dict[str, object] = {}
    for field in ("name", "description", "owner"):
        if field in given:
            values[field] = " ".join(given[field].split())
    for field in ("process", "stack", "visibility"):
        if field in given:
            values[field] = given[field].strip().lower()
    if "owner" in values:
        values["owner"] = str(values["owner"]).removeprefix("@")
    if "forges" in given:
        forges = _FORGES.get(" ".join(given["forges"].lower().split()))
        if forges is None:
            faults.append(_fault("forges", f"{given['forges'][:60]!r} is not one of the choices"))
        else:
            values["forges"] = forges
    if "backlog" in given:
        values["backlog"] = tuple(_BULLET.sub("", line) for line in given["backlog"].split("\n") if line.strip())
    if "rules.minimum_reviewers" in given:
        try:
            values["rules"] = BranchRules(minimum_reviewers=int(given["rules.minimum_reviewers"]))
        except (ValidationError, ValueError):
            text = given["rules.minimum_reviewers"][:40]
            faults.append(_fault("rules.minimum_reviewers", f"{text!r} is not a whole number from 0 to 6"))
    try:
        request = ProjectRequest.model_validate(values)
    except ValidationError as error:
        faults.extend(faults_of(error, EXAMPLES))
        return tuple(f if f.example else _fault(f.field, f.problem) for f in faults)
    return tuple(faults) or request


def label_of(field: str) -> str:
    """The question in the form that asks for ``field``, for answers a person reads."""
    for label, name in LABELS.items():
        if name == field:
            return label.capitalize()
    return field


def _doubtful(doubt: Doubt) -> FieldFault:
    field = LABELS.get(doubt.label, doubt.label) or "(whole)"
    return FieldFault(field=field, problem=doubt.problem, example=doubt.example)


def _fault(field: str, problem: str) -> FieldFault:
    return FieldFault(field=field, problem=problem, example=EXAMPLES.get(field, ""))
