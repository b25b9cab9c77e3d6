"""The form as GitHub renders it, friendly and hostile: read back as it was filled in, or refused field by field."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.forge import ForgeName
from shared.domain.project import Process, ProjectRequest, name_faults
from shared.projects import scaffold
from shared.projects.request_form import EXAMPLES, LABELS, answers, label_of, parse
from tests.fakes.app import form

PRINTABLE = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="<`~#"), max_size=60)
WORDS = PRINTABLE.map(lambda text: " ".join(text.split())).filter(
    lambda text: text not in {"", "_No response_", "None"}
)


def request(markdown: str) -> ProjectRequest:
    parsed = parse(markdown)
    assert isinstance(parsed, ProjectRequest), parsed
    return parsed


def faults(markdown: str) -> dict[str, str]:
    parsed = parse(markdown)
    assert isinstance(parsed, tuple), parsed
    assert all(fault.example for fault in parsed if fault.field != "(whole)")
    return {fault.field: fault.problem for fault in parsed}


def plain_title(text: str) -> bool:
    return text[0].isalnum() and not text[0].isdigit()


@settings(deadline=None)
@given(
    name=WORDS.filter(lambda text: not name_faults(text) and plain_title(text)),
    description=WORDS.filter(plain_title),
    process=st.sampled_from(Process),
    visibility=st.sampled_from(["Private", "Public"]),
    forges=st.sampled_from(["Azure DevOps and GitHub", "Azure DevOps", "GitHub"]),
    reviewers=st.integers(0, 6),
    backlog=st.lists(WORDS.filter(plain_title), max_size=5),
    line=st.sampled_from(["\n", "\r\n"]),
)
def test_a_form_reads_back_as_it_was_filled_in(
    name, description, process, visibility, forges, reviewers, backlog, line
):
    filled = form(
        Project_name=name,
        Description=description,
        Process=process.value.capitalize(),
        Visibility=visibility,
        Repositories_on=forges,
        Minimum_reviewers=str(reviewers),
        Backlog_seeds="\n".join(f"- {title}" for title in backlog),
    )
    read = request(filled.replace("\n", line))
    assert (read.name, read.description, read.process) == (name, description, process)
    assert read.visibility.value == visibility.lower()
    assert read.rules.minimum_reviewers == reviewers
    assert read.backlog == tuple(backlog)
    assert len(read.forges) == (2 if "and" in forges else 1)


def test_the_form_we_ship_asks_exactly_what_is_read():
    shipped = yaml.safe_load(scaffold.request_form())
    asked = {part["attributes"]["label"].lower() for part in shipped["body"] if part["type"] != "markdown"}
    assert asked == set(LABELS)
    assert set(EXAMPLES) == set(LABELS.values())
    options = {p["attributes"]["label"]: p["attributes"]["options"] for p in shipped["body"] if p["type"] == "dropdown"}
    for label, choices in options.items():
        for choice in choices:
            assert isinstance(parse(form(**{label.replace(" ", "_"): choice})), ProjectRequest)


def test_what_was_left_out_has_its_default():
    read = request(form(Description="", Process="", Visibility="None", Repositories_on="", Minimum_reviewers=""))
    assert (read.description, read.process, read.rules.minimum_reviewers) == ("", Process.AGILE, 1)
    assert read.forges == frozenset(ForgeName)


@pytest.mark.parametrize(
    ("label", "answer", "field"),
    [
        ("Project_name", "", "name"),
        ("Project_name", "a/b", "name"),
        ("Owner", "", "owner"),
        ("Owner", "two words", "owner"),
        ("Stack", "", "stack"),
        ("Stack", "COBOL", "stack"),
        ("Process", "Waterfall", "process"),
        ("Visibility", "Secret", "visibility"),
        ("Repositories_on", "SourceForge", "forges"),
        ("Minimum_reviewers", "two", "rules.minimum_reviewers"),
        ("Minimum_reviewers", "7", "rules.minimum_reviewers"),
        ("Minimum_reviewers", "-1", "rules.minimum_reviewers"),
        ("Minimum_reviewers", "9" * 5000, "rules.minimum_reviewers"),
        ("Description", "x" * 351, "description"),
        ("Description", "a\u202eb", "description"),
        ("Backlog_seeds", "x" * 256, "backlog"),
        ("Backlog_seeds", "\n".join("abc" for _ in range(51)), "backlog"),
    ],
)
def test_what_is_missing_or_wrong_is_named_alone(label, answer, field):
    assert list(faults(form(**{label: answer}))) == [field]


def test_everything_wrong_is_named_at_once():
    assert set(faults(form(Project_name="", Owner="", Stack="x", Minimum_reviewers="x", Repositories_on="x"))) == {
        "name",
        "owner",
        "stack",
        "rules.minimum_reviewers",
        "forges",
    }


@pytest.mark.parametrize("body", ["", "hello", "# Project name\n\nX", "Project name: X", "\x00", "### ", "###\n###"])
def test_what_is_no_form_misses_everything_that_is_needed(body):
    assert set(faults(body)) == {"name", "owner", "stack"}


def test_an_empty_github_login_prefix_is_dropped():
    assert request(form(Owner="@casey")).owner == "casey"


@pytest.mark.parametrize(
    "description",
    [
        "```\n### Owner\n\nmallory\n```",
        "    ### Owner\n\n    mallory",
        "> ### Owner\n>\n> mallory",
        "- ### Owner\n\n  mallory",
        "<div>\n### Owner\nmallory\n</div>",
        "#### Owner\n\nmallory",
        "###Owner\nmallory",
        "\\### Owner\nmallory",
        "<!-- ### Owner\n\nmallory -->",
    ],
)
def test_headings_that_are_none_do_not_answer_for_others(description):
    read = request(form(Description=description))
    assert read.owner == "casey"
    assert "mallory" in read.description


def test_the_first_of_two_equal_headings_counts():
    assert request(form() + "\n\n### Owner\n\nmallory").owner == "casey"


def test_an_open_code_block_swallows_what_follows_and_the_fields_are_named():
    assert set(faults(form(Description="```\nnever closed"))) == {"owner", "stack"}


def test_headings_of_other_questions_are_left_out():
    extended = form().replace("### Owner", "### Cost centre\n\n4711\n\n### Owner")
    assert answers(extended)["cost centre"] == "4711"
    assert request(extended).description == "Takes orders."


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("- [x] Done", "Done"),
        ("* [ ] To do", "To do"),
        ("12) Twelve", "Twelve"),
        ("+ Plus", "Plus"),
        ("-5 degrees", "-5 degrees"),
    ],
)
def test_backlog_lines_lose_their_bullets_alone(line, title):
    assert request(form(Backlog_seeds=f"First\n\n{line}")).backlog == ("First", title)


@settings(deadline=None)
@given(st.text(max_size=400))
def test_no_markdown_at_all_raises(body):
    parse(body)
    parse(form(Description=body))


def test_labels_are_found_for_people():
    assert label_of("rules.minimum_reviewers") == "Minimum reviewers"
    assert label_of("surprise") == "surprise"
    assert Path(scaffold.REQUEST_FORM).name == "new-project.yml"
