"""Reads a project request out of the markdown that GitHub renders from the *new project* issue form.

GitHub writes each answer under a level-three heading that repeats the question's label, and ``_No response_`` for an
empty answer (https://docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema).
"""

from __future__ import annotations

import itertools
import re

from markdown_it import MarkdownIt
from pydantic import ValidationError

from shared.domain.faults import FieldFault, faults_of
from shared.domain.forge import BranchRules, ForgeName
from shared.domain.project import ProjectRequest

NO_RESPONSE = "_No response_"

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

_FORGES = {
    "azure devops and github": frozenset(ForgeName),
    "github and azure devops": frozenset(ForgeName),
    "both": frozenset(ForgeName),
    "azure devops": frozenset({ForgeName.AZURE_DEVOPS}),
    "github": frozenset({ForgeName.GITHUB}),
}
_BULLET = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?")


def answers(markdown: str) -> dict[str, str]:
    """Label (lower case) → answer of every level-three section; an answer not given is absent.

    A heading inside a code block is text, not a section: a parser decides, not a regular expression.
    """
    lines = markdown.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    tokens = MarkdownIt("commonmark").parse("\n".join(lines))
    starts: list[tuple[str, int, int]] = []
    for token, inline in itertools.pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.tag == "h3" and token.map:
            starts.append((inline.content.strip().lower(), token.map[0], token.map[1]))
    found: dict[str, str] = {}
    for i, (label, _, body_start) in enumerate(starts):
        end = starts[i + 1][1] if i + 1 < len(starts) else len(lines)
        answer = "\n".join(lines[body_start:end]).strip()
        if answer and answer not in {NO_RESPONSE, "None"} and label not in found:
            found[label] = answer
    return found


def parse(markdown: str) -> ProjectRequest | tuple[FieldFault, ...]:
    """The request, or every field that is missing or wrong with an example of a right one."""
    given = {field: text for label, text in answers(markdown).items() if (field := LABELS.get(label))}
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


def _fault(field: str, problem: str) -> FieldFault:
    return FieldFault(field=field, problem=problem, example=EXAMPLES.get(field, ""))
