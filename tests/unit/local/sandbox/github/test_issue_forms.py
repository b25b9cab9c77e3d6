"""Issue forms: what the page asks, the Markdown it makes, the labels that hold, and forms that are none."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sandbox.github.issue_forms import NO_RESPONSE, AnswersRefusedError, IssueForm, read, written
from shared.domain.project import Process
from shared.projects.request_form import parse
from shared.projects.scaffold import REQUEST_FORM, SCAFFOLDS

HTML = {"Accept": "text/html"}
FOLDER = ".github/ISSUE_TEMPLATE"
FORM = """
name: Bug
description: Tell us
title: "[Bug]: "
labels: bug, not-there
assignees: [ada]
body:
  - type: markdown
    attributes: {value: "**Thanks** for telling"}
  - type: input
    id: contact
    attributes: {label: Contact, description: How to reach you., placeholder: a@example.com}
    validations: {required: true}
  - type: textarea
    id: logs
    attributes: {label: Logs, render: shell}
  - type: textarea
    attributes: {label: Story, value: Once}
  - type: dropdown
    id: size
    attributes: {label: Size, options: [small, 2, large], default: 1}
  - type: dropdown
    id: browsers
    attributes: {label: Browsers, multiple: true, options: [Firefox, Chrome, Safari]}
  - type: checkboxes
    id: terms
    attributes:
      label: Terms
      options:
        - {label: I agree, required: true}
        - {label: Write to me}
"""


@pytest.fixture
def form() -> IssueForm:
    found = read("bug.yml", FORM)
    assert found.problems == ()
    assert found.form
    return found.form


def test_answers_become_the_markdown_github_writes(form):
    fields = {
        "field.contact": " eve@example.com ",
        "field.logs": "a\r\nb",
        "field.size": "large",
        "field.browsers.0": "on",
        "field.browsers.2": "on",
        "field.terms.0": "on",
    }
    assert written(form, fields, public=True) == (
        "### Contact\n\neve@example.com\n\n### Logs\n\n```shell\na\nb\n```\n\n### Story\n\n_No response_\n\n"
        "### Size\n\nlarge\n\n### Browsers\n\nFirefox, Safari\n\n### Terms\n\n- [X] I agree\n- [ ] Write to me"
    )


def test_what_is_required_binds_in_public_only(form):
    with pytest.raises(AnswersRefusedError) as caught:
        written(form, {}, public=True)
    assert caught.value.problems == [("Contact", "must be answered"), ("Terms", "must be ticked: I agree")]
    assert written(form, {}, public=False).count(NO_RESPONSE) == 5


def test_forged_answers_are_refused(form):
    with pytest.raises(AnswersRefusedError) as caught:
        written(form, {"field.size": "huge", "field.contact": "a\n### Size\n\nsmall"}, public=False)
    assert [label for label, _ in caught.value.problems] == ["Contact", "Size"]
    assert "small, 2, large" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: [", "not YAML"),
        ("- 1", "body"),
        ("name: 2026-99-99", "not YAML"),
        ("name: A\ndescription: B\nbody: []", "body"),
        ("name: A\ndescription: B\nbody: [{type: wombat, attributes: {}}]", "body.0.type"),
        ("name: A\ndescription: B\nbody: [{type: markdown, attributes: {}}]", "attributes.value"),
        ("name: A\ndescription: B\nbody: [{type: markdown, attributes: {value: x}}]", "no markdown"),
        ("name: A\ndescription: B\nbody: [{type: input, attributes: {}}]", "attributes.label"),
        ("name: A\ndescription: B\nbody: [{type: dropdown, attributes: {label: x}}]", "attributes.options"),
        (
            "name: A\ndescription: B\nbody: [{type: dropdown, attributes: {label: x, options: [a], default: 1}}]",
            "default",
        ),
        ("name: A\ndescription: B\nbody: [{type: input, id: a b, attributes: {label: x}}]", "body.0.id"),
        (
            "name: A\ndescription: B\nbody: [{type: input, attributes: {label: x}}, {type: input, attributes: {label: x}}]",
            "unique labels",
        ),
    ],
)
def test_a_form_that_is_none_says_why(text, problem):
    found = read("x.yml", text)
    assert found.form is None
    assert problem in " ".join(found.problems)


@given(text=st.text() | st.text(alphabet="[]{}:-#&*!|>'\"%@ \nabc0"))
def test_no_file_is_a_traceback(text):
    found = read("x.yml", text)
    assert (found.form is None) == bool(found.problems)


def _repo(sandbox, files, **options):
    repo = sandbox.repo(**options)
    for path, text in files.items():
        repo.create_file(path, "Add", text)
    return repo


def _sent(page: str) -> dict[str, str]:
    """What a browser would send of a form left as it is."""
    fields = dict(re.findall(r'<input type="(?:hidden|text)"[^>]*?name="([^"]*)"[^>]*?value="([^"]*)"', page))
    fields |= {n: v for v, n in re.findall(r'<input type="text" value="([^"]*)"[^>]*? name="([^"]*)"', page)}
    fields |= dict(re.findall(r'<textarea[^>]* name="([^"]*)"[^>]*>\n?(.*?)</textarea>', page, re.S))
    for name, options in re.findall(r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', page, re.S):
        values = re.findall(r'<option value="([^"]*)"( selected)?>', options)
        fields[name] = next((value for value, chosen in values if chosen), values[0][0])
    return {name: unescape(value) for name, value in fields.items()}


def test_the_page_asks_what_the_form_asks(sandbox):
    repo = _repo(sandbox, {f"{FOLDER}/bug.yml": FORM, f"{FOLDER}/broken.yml": "name: ["})
    base = f"/octo/{repo.name}/issues"
    with sandbox.http(None, **HTML) as http:
        assert f'href="{base}/new/choose"' in http.get(base).text
        choose = http.get(f"{base}/new/choose").text
        assert f"{base}/new?template=bug.yml" in choose
        assert "There is a problem with broken.yml" in choose
        assert "Blank issue" in choose
        page = http.get(f"{base}/new?template=bug.yml&user=eve&browsers=Chrome,Safari&contact=eve%40example.com").text
        assert "<strong>Thanks</strong>" in page
        assert "How to reach you. For example: a@example.com" in page
        fields = _sent(page)
        assert fields == {
            "template": "bug.yml",
            "user": "eve",
            "title": "[Bug]: ",
            "field.contact": "eve@example.com",
            "field.logs": "",
            "field.2": "Once",
            "field.size": "2",
            "field.browsers.0": "",
            "field.browsers.1": "on",
            "field.browsers.2": "on",
            "field.terms.0": "",
            "field.terms.1": "",
        }
        refused = http.post(base, data=fields)
        assert (refused.status_code, refused.text) == (400, "Terms: must be ticked: I agree")
        made = http.post(base, data={**fields, "title": "[Bug]: it hurts", "field.terms.0": "on"})
        assert made.headers["location"] == f"{base}/1"
        assert http.post(base, data={**fields, "template": "broken.yml"}).status_code == 422
        assert http.post(base, data={**fields, "template": "../README.md"}).status_code == 422
    issue = repo.get_issue(1)
    # eve has no write access: the form's label holds, the one the repository lacks is not made.
    assert [label.name for label in issue.labels] == ["bug"]
    assert (issue.user.login, [a.login for a in issue.assignees]) == ("eve", ["ada"])
    assert "### Browsers\n\nChrome, Safari" in issue.body
    theirs = sandbox.github("eve-token").get_repo(repo.full_name).create_issue("By the API", labels=["bug"])
    assert theirs.labels == []


def test_blank_issues_can_be_switched_off(sandbox):
    config = (
        "blank_issues_enabled: false\ncontact_links:\n- {name: Chat, url: https://example.com/chat, about: Ask}\n- 1\n"
    )
    repo = _repo(sandbox, {f"{FOLDER}/config.yml": config})
    base = f"/octo/{repo.name}/issues"
    with sandbox.http(None, **HTML) as http:
        page = http.get(f"{base}/new").text
        assert "https://example.com/chat" in page
        assert "Submit new issue" not in page
        repo.update_file(f"{FOLDER}/config.yml", "x", "[", repo.get_contents(f"{FOLDER}/config.yml").sha)
        assert "Submit new issue" in http.get(f"{base}/new").text
        repo.update_file(
            f"{FOLDER}/config.yml", "x", "blank_issues_enabled: false", repo.get_contents(f"{FOLDER}/config.yml").sha
        )
        assert "No form can be used" in http.get(f"{base}/new").text
        assert http.get("/octo/none/issues/new").status_code == 404
        repo.edit(has_issues=False)
        assert http.post(base, data={"user": "ada", "title": "x"}).status_code == 410


def test_the_products_own_form_makes_a_request_the_product_reads(sandbox):
    text = (Path(SCAFFOLDS) / "base" / REQUEST_FORM).read_text()
    repo = _repo(sandbox, {str(REQUEST_FORM): text})
    repo.create_label("new-project", "ededed")
    base = f"/octo/{repo.name}/issues"
    with sandbox.http(None, **HTML) as http:
        fields = _sent(http.get(f"{base}/new?template={REQUEST_FORM.name}&user=eve").text)
        fields |= {"title": "New project: Desk", "field.project-name": "Order Desk", "field.owner": "eve"}
        assert http.post(base, data={**fields, "field.process": "CMMI"}).status_code == 303
    issue = repo.get_issue(1)
    assert [label.name for label in issue.labels] == ["new-project"]
    request = parse(issue.body)
    assert not isinstance(request, tuple), request
    assert (request.name, request.process) == ("Order Desk", Process.CMMI)
