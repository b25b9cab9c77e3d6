"""Reads a repository's issue forms and writes the Markdown GitHub makes of a person's answers.

Rules and wording follow docs.github.com, "Syntax for issue forms" and "Syntax for GitHub's form schema".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from local.sandbox.faults import field_errors
from local.sandbox.github import objects
from local.sandbox.github.hub import Hub, Record

FOLDER = ".github/ISSUE_TEMPLATE"
CONFIG = "config.yml"
NO_RESPONSE = "_No response_"
TICKED = "on"
# Impossible dates and endless nesting escape the parser under other names.
_UNREADABLE = (yaml.YAMLError, ValueError, RecursionError)


def _names(value: object) -> object:
    """Labels and assignees may be a list or one text with commas."""
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_names)]
Scalar = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, (int, float)) else value)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Option(_Model):
    """One box of a group of check boxes."""

    label: Scalar = Field(min_length=1)
    required: bool = False


class Attributes(_Model):
    """What an element shows; which of them matter depends on its type."""

    label: Scalar = ""
    description: str = ""
    placeholder: Scalar = ""
    value: Scalar = ""
    render: str = ""
    options: list[Option] = []
    multiple: bool = False
    default: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _options_are_boxes(cls, given: Any) -> Any:
        options = given.get("options") if isinstance(given, dict) else None
        if not isinstance(options, list):
            return given
        # A dropdown lists plain texts, a group of boxes lists objects.
        return {**given, "options": [o if isinstance(o, dict) else {"label": o} for o in options]}


class Validations(_Model):
    """What must hold before the form can be sent."""

    required: bool = False


class Element(_Model):
    """One part of a form."""

    type: Literal["markdown", "input", "textarea", "dropdown", "checkboxes"]
    id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]+$")
    attributes: Attributes
    validations: Validations = Validations()

    @model_validator(mode="after")
    def _complete(self) -> Element:
        shown = self.attributes
        if self.type == "markdown":
            if not shown.value:
                raise ValueError("markdown needs attributes.value")
            return self
        if not shown.label:
            raise ValueError(f"{self.type} needs attributes.label")
        if self.type in {"dropdown", "checkboxes"} and not shown.options:
            raise ValueError(f"{self.type} needs attributes.options")
        if shown.default is not None and not 0 <= shown.default < len(shown.options):
            raise ValueError("attributes.default must be the index of an option")
        return self


class IssueForm(_Model):
    """A form as its file describes it."""

    name: Scalar = Field(min_length=1)
    description: Scalar = Field(min_length=1)
    title: Scalar = ""
    labels: Names = []
    assignees: Names = []
    body: list[Element] = Field(min_length=1)

    @model_validator(mode="after")
    def _told_apart(self) -> IssueForm:
        asked = self.questions()
        if not asked:
            raise ValueError("body must hold at least one element that is no markdown")
        ids = [e.id for e in asked if e.id]
        labels = [e.attributes.label for e in asked]
        for what, values in (("id", ids), ("label", labels)):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"body must have unique {what}s, not twice {', '.join(twice)}")
        return self

    def questions(self) -> list[Element]:
        """The elements a person answers."""
        return [element for element in self.body if element.type != "markdown"]

    def named(self) -> list[tuple[str, Element]]:
        """Each question with the name its answer is sent under; an option's answer adds a dot and its index."""
        return [(f"field.{element.id or number}", element) for number, element in enumerate(self.questions())]


@dataclass(frozen=True)
class Template:
    """A file of the folder: its form, or why it is none."""

    file: str
    form: IssueForm | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chooser:
    """What a person may choose from, as config.yml says."""

    templates: tuple[Template, ...]
    blank: bool = True
    links: tuple[tuple[str, str, str], ...] = ()


def chooser(hub: Hub, repo: Record) -> Chooser:
    """The forms in the repository's default branch, by file name."""
    head = objects.head_of(repo)
    if head is None:
        return Chooser(())
    tree = hub.table("commits")[head]["tree"]
    texts = {
        path.removeprefix(f"{FOLDER}/"): objects.blob(hub, sha).decode(errors="replace")
        for path, (_, sha) in objects.flat(hub, tree).items()
        if path.startswith(f"{FOLDER}/") and path.endswith((".yml", ".yaml")) and path.count("/") == 2
    }
    settings = _loaded(texts.pop(CONFIG, ""))
    settings = settings if isinstance(settings, dict) else {}
    links = [link for link in settings.get("contact_links") or [] if isinstance(link, dict)]
    return Chooser(
        tuple(read(file, text) for file, text in sorted(texts.items())),
        settings.get("blank_issues_enabled") is not False,
        tuple((str(n.get("name", "")), str(n.get("url", "")), str(n.get("about", ""))) for n in links),
    )


def read(file: str, text: str) -> Template:
    """The form in a file, or what is wrong with it."""
    try:
        return Template(file, IssueForm.model_validate(yaml.safe_load(text)))
    except ValidationError as error:
        return Template(file, None, tuple(f"{e['field']}: {e['message']}" for e in field_errors(error)))
    except _UNREADABLE as error:
        return Template(file, None, (f"not YAML: {' '.join(str(error).split())}",))


def _loaded(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except _UNREADABLE:
        return None


def form_in(hub: Hub, repo: Record, file: str) -> IssueForm | None:
    """The usable form in `file`; None when there is none."""
    return next((t.form for t in chooser(hub, repo).templates if t.file == file), None)


class AnswersRefusedError(ValueError):
    """Answers that GitHub's page would not send; `problems` names each question with what is wrong."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        """`problems` are (label, reason) pairs."""
        self.problems = problems
        super().__init__("; ".join(f"{label}: {reason}" for label, reason in problems))


def written(form: IssueForm, fields: Mapping[str, str], *, public: bool) -> str:
    """The issue's Markdown for what a browser sent; raises AnswersRefusedError.

    `required` binds in public repositories only, as GitHub documents.
    """
    problems: list[tuple[str, str]] = []
    parts = []
    for name, element in form.named():
        try:
            answer = _answer(element, name, fields, public=public)
        except ValueError as error:
            problems.append((element.attributes.label, str(error)))
            continue
        parts.append(f"### {element.attributes.label}\n\n{answer}")
    if problems:
        raise AnswersRefusedError(problems)
    return "\n\n".join(parts)


def _answer(element: Element, name: str, fields: Mapping[str, str], *, public: bool) -> str:
    """One answer as GitHub writes it; raises ValueError saying what is wrong."""
    shown = element.attributes
    options = [option.label for option in shown.options]
    needed = public and element.validations.required
    if element.type == "checkboxes":
        ticked = [fields.get(f"{name}.{n}") == TICKED for n in range(len(options))]
        missing = [o.label for o, on in zip(shown.options, ticked, strict=True) if public and o.required and not on]
        if missing:
            raise ValueError(f"must be ticked: {', '.join(missing)}")
        return "\n".join(f"- [{'X' if on else ' '}] {label}" for label, on in zip(options, ticked, strict=True))
    if element.type == "dropdown" and shown.multiple:
        text = ", ".join(label for n, label in enumerate(options) if fields.get(f"{name}.{n}") == TICKED)
    else:
        # Browsers send carriage returns; the issue is kept as its author reads it.
        text = fields.get(name, "").replace("\r\n", "\n").strip()
        if element.type == "dropdown" and text and text not in options:
            raise ValueError(f"{text} is none of the options: {', '.join(options)}")
        if element.type == "input" and "\n" in text:
            raise ValueError("must be one line")
    if not text:
        if needed:
            raise ValueError("must be answered")
        return NO_RESPONSE
    return f"```{shown.render}\n{text}\n```" if element.type == "textarea" and shown.render else text


def labels_of(repo: Record, form: IssueForm) -> list[object]:
    """The form's labels that the repository has; GitHub makes none for a form."""
    return [name for name in form.labels if name.lower() in repo["labels"]]
