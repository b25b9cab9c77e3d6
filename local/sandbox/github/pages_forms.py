"""Describes the pages on which people choose an issue form and answer its questions, or name an App."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from local.sandbox.browser.page import (
    Block,
    Cell,
    Empty,
    Form,
    FormField,
    Icon,
    Link,
    Markdown,
    Notice,
    Page,
    Select,
    Table,
    Text,
    TextArea,
)
from local.sandbox.github.apps import NAME_TAKEN
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.issue_forms import TICKED, Chooser, Element, IssueForm, chooser
from local.sandbox.github.pages_repository import frame


def who(hub: Hub, chosen: str = "") -> Select:
    """The choice of the person to act as: the simulator's pages know no sign-in."""
    people = [(u["login"], u.get("name") or u["login"]) for u in hub.table("users").values() if u["type"] == "User"]
    return Select("user", "As", people, chosen or (people[0][0] if people else ""), required=True)


def name_taken_page(action: str, sent: Mapping[str, str]) -> Page:
    """The form that asks for another name of an App, and sends what was `sent` once more to `action`."""
    try:
        wanted = sent.get("name") or str(json.loads(sent.get("manifest", ""))["name"])
    except (ValueError, TypeError, KeyError):
        wanted = sent.get("name", "")
    again = [(name, value) for name, value in sent.items() if name != "name"]
    field = Text("name", "GitHub App name", wanted, required=True, error=NAME_TAKEN)
    return Page(
        title="Create GitHub App",
        breadcrumbs=[Link("Organisations", "/")],
        blocks=[Form(action, [field], "Create GitHub App", hidden=again)],
    )


def new_issue_page(
    hub: Hub, query: Mapping[str, str], *, owner: str, name: str, choose: str | None = None
) -> Page | None:
    """The blank form, the form of `template`, or what there is to choose from."""
    repo = hub.repo(owner, name)
    if repo is None:
        return None
    choices = chooser(hub, repo)
    file = query.get("template", "")
    form = next((t.form for t in choices.templates if t.file == file and t.form), None)
    if form is not None and choose is None:
        return _form_page(hub, repo, query, file, form)
    if choose is None and choices.blank:
        return _blank_page(hub, repo, query)
    return _choose_page(repo, choices)


def _base(repo: Record) -> str:
    return f"/{repo['owner']}/{repo['name']}/issues"


def _blank_page(hub: Hub, repo: Record, query: Mapping[str, str]) -> Page:
    fields: list[FormField] = [
        who(hub, query.get("user", "")),
        Text("title", "Title", query.get("title", ""), required=True),
        TextArea("body", "Description", query.get("body", ""), hint="Markdown", rows=14),
        Text("labels", "Labels", query.get("labels", ""), hint="separated by commas"),
    ]
    return frame(repo, "Issues", "New issue", [Form(_base(repo), fields, "Submit new issue")])


def _choose_page(repo: Record, choices: Chooser) -> Page:
    rows: list[list[Cell]] = [
        [Link(t.form.name, f"{_base(repo)}/new?template={quote(t.file)}", Icon.ISSUE), t.form.description]
        for t in choices.templates
        if t.form
    ]
    rows += [[Link(title, url), about] for title, url, about in choices.links if urlsplit(url).scheme]
    if choices.blank:
        rows.append([Link("Blank issue", f"{_base(repo)}/new", Icon.ISSUE), "Write an issue from scratch."])
    blocks: list[Block] = [
        Notice("; ".join(t.problems), level="warning", title=f"There is a problem with {t.file}")
        for t in choices.templates
        if t.problems
    ]
    if rows:
        blocks.append(Table(columns=["Kind", "What it is for"], rows=rows))
    else:
        blocks.append(Empty("No form can be used", "Mend the forms in .github/ISSUE_TEMPLATE of the default branch."))
    return frame(repo, "Issues", "New issue", blocks)


def _form_page(hub: Hub, repo: Record, query: Mapping[str, str], file: str, form: IssueForm) -> Page:
    required = not repo["private"]
    fields: list[FormField] = [
        who(hub, query.get("user", "")),
        Text("title", "Title", query.get("title", form.title), required=True),
    ]
    for name, element in form.named():
        fields += _fields(name, element, query, required=required and element.validations.required, public=required)
    intro = [Markdown(e.attributes.value) for e in form.body if e.type == "markdown"]
    sent = Form(_base(repo), fields, "Submit new issue", hidden=[("template", file)])
    return frame(repo, "Issues", form.name, [*intro, sent], subtitle=form.description)


def _fields(name: str, element: Element, query: Mapping[str, str], *, required: bool, public: bool) -> list[FormField]:
    """The fields of one question; an address may answer it by its id, as GitHub's may."""
    shown = element.attributes
    given = query.get(element.id or "", "")
    hint = " ".join(
        [
            part.strip()
            for part in (shown.description, shown.placeholder and f"For example: {shown.placeholder}")
            if part
        ]
    )
    if element.type == "textarea":
        return [TextArea(name, shown.label, given or shown.value, hint, required)]
    if element.type == "input":
        return [Text(name, shown.label, given or shown.value, hint, required)]
    options = [option.label for option in shown.options]
    if element.type == "dropdown" and not shown.multiple:
        preset = given if given in options else options[shown.default] if shown.default is not None else ""
        blank = [] if preset and required else [("", "None")]
        return [Select(name, shown.label, [*blank, *((o, o) for o in options)], preset, hint, required)]
    # Each box is a field of its own: yes and no can be read aloud and need no script.
    ticks = {option.strip() for option in given.split(",")} | (
        {options[shown.default]} if shown.default is not None else set()
    )
    return [
        Select(
            f"{name}.{number}",
            f"{shown.label}: {option.label}",
            [("", "No"), (TICKED, "Yes")],
            TICKED if option.label in ticks else "",
            hint if number == 0 else "",
            public and option.required,
        )
        for number, option in enumerate(shown.options)
    ]
