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


@pytest.mark.parametrize(
    "body", [form() + "\n\n### Owner\n\nmallory", form(Description="Hi\n\n### OWNER ###\nmallory")]
)
def test_of_two_equal_headings_neither_counts(body):
    said = faults(body)
    assert list(said) == ["owner"]
    assert "stands 2 times" in said["owner"]


REST = "Owner, Process, Stack, Visibility, Repositories on, Minimum reviewers, Backlog seeds"


@pytest.mark.parametrize(
    ("opened", "block", "example"),
    [
        ("```\nnever closed", "a code block", "```"),
        ("~~~~ yaml\n~~~", "a code block", "~~~~"),
        ("```\nclosed by more than a fence\n``` really", "a code block", "```"),
        ("Takes orders. \n<!-- to do", "an HTML comment", "-->"),
        ("<!-- a\n\n-- >", "an HTML comment", "-->"),
        ("<pre>\nfor ever", "an HTML block", "</pre>"),
    ],
)
def test_a_block_left_open_is_told_with_all_it_hides_and_nothing_takes_its_default(opened, block, example):
    (fault,) = parse(form(Description=opened))
    assert (fault.field, fault.problem) == (
        "description",
        f"the answer leaves {block} open, so {REST} could not be read",
    )
    assert example in fault.example


def test_a_block_left_open_beside_other_faults_hides_none_of_them():
    assert set(faults(form(Project_name="a/b", Description="```"))) == {"name", "description"}


@pytest.mark.parametrize(("label", "hidden"), [("Process", "Stack"), ("Minimum_reviewers", "Backlog seeds")])
def test_any_answer_may_leave_a_block_open(label, hidden):
    ((field, problem),) = faults(form(**{label: "```"})).items()
    assert field == LABELS[label.replace("_", " ").lower()]
    assert hidden in problem


def test_a_block_left_open_before_the_first_question_is_told():
    ((field, problem),) = faults("```\n" + form()).items()
    assert field == "(whole)"
    assert "Project name, Description" in problem


def test_the_last_answer_hides_nothing_and_may_leave_a_block_open():
    assert request(form(Backlog_seeds="```\nTake an order")).backlog == ("```", "Take an order")


def test_a_block_closed_by_the_fence_of_a_later_answer_is_told():
    said = faults(form(Description="```", Backlog_seeds="```\ncode\n```"))
    assert list(said) == ["description"]
    assert f"a code block that begins in the answer holds the heading of {REST}" in said["description"]


@pytest.mark.parametrize(
    "answers",
    [
        {"Project_name": "```", "Description": "```\n### Description\n\nreal"},
        {"Description": "```", "Owner": "```", "Backlog_seeds": "### Owner\n\nmallory"},
        {"Description": "```\n### Backlog seeds\n\nx\n```"},
    ],
)
def test_a_quote_that_might_be_a_question_is_told(answers):
    said = faults(form(**answers))
    assert any("not clear" in problem for problem in said.values())


def test_a_quote_in_a_closed_block_is_text():
    quoting = "```\n### Owner\n\nmallory\n```\n<!-- ### Stack\n### Process -->"
    read = request(form(Description=quoting, Backlog_seeds="~~~\n### Owner\n~~~"))
    assert (read.owner, read.description) == ("casey", " ".join(quoting.split()))
    assert read.backlog == ("~~~", "### Owner", "~~~")


_LINES = st.one_of(
    st.sampled_from(
        [
            "```",
            "````",
            "~~~",
            "``` x",
            "<!--",
            "-->",
            "<pre>",
            "</pre>",
            "<div>",
            "<![CDATA[",
            "]]>",
            "",
            "    code",
            "> ```",
        ]
    ),
    st.sampled_from(list(LABELS)).map(lambda label: f"### {label.capitalize()}"),
    st.sampled_from(
        ["- ### Owner", "> ### Stack", "#### Owner", "- ```", "  ### Owner", "###", "---", "text", "[a]: b"]
    ),
    st.text(st.characters(exclude_characters="\n\r"), max_size=8).filter(lambda line: "###" not in line),
)
_TEXTS = st.lists(_LINES, max_size=7).map("\n".join)


@settings(deadline=None, max_examples=400)
@given(
    given_answers=st.dictionaries(st.sampled_from(["Description", "Backlog seeds"]), _TEXTS)
    | st.dictionaries(st.sampled_from([label.capitalize() for label in LABELS]), _TEXTS | _LINES, max_size=3)
)
def test_any_answer_reads_back_or_is_told_and_never_loses_another(given_answers):
    parsed = parse(form(**{label.replace(" ", "_"): text for label, text in given_answers.items()}))
    if isinstance(parsed, tuple):
        assert parsed
        assert {fault.field for fault in parsed} <= set(LABELS.values())
        return
    untouched = {field for label, field in LABELS.items() if label.capitalize() not in given_answers}
    usual = request(form())
    for field in untouched:
        name = field.partition(".")[0]
        assert getattr(parsed, name) == getattr(usual, name), field
    said = {
        label: "" if text.strip() in {"_No response_", "None"} else text.strip()
        for label, text in given_answers.items()
    }
    if "Description" in said:
        assert parsed.description == " ".join(said["Description"].split())
    if "Owner" in said:
        assert parsed.owner == said["Owner"].removeprefix("@")
    if "Project name" in said:
        assert parsed.name == " ".join(said["Project name"].split())
    if "Backlog seeds" in said:
        lines = [line for line in said["Backlog seeds"].split("\n") if line.strip()]
        assert len(parsed.backlog) <= len(lines)
        assert all(any(title in " ".join(line.split()) for line in lines) for title in parsed.backlog)


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


def test_a_heading_inside_an_answer_is_text():
    assert request(form(Description="Goals:\n### Speed\nfast")).description == "Goals: ### Speed fast"
    assert request(form(Backlog_seeds="### Epic\n- Take an order")).backlog == ("### Epic", "Take an order")


def test_labels_are_found_for_people():
    assert label_of("rules.minimum_reviewers") == "Minimum reviewers"
    assert label_of("surprise") == "surprise"
    assert Path(scaffold.REQUEST_FORM).name == "new-project.yml"
