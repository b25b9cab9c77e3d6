"""Commands in comments: which lines are any, what each asks for, and exactly what is wrong with one that is none."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.reviews.grammar import (
    EXAMPLES,
    FORMS,
    LONGEST_REASON,
    AttestCommand,
    ChooseCommand,
    DecideCommand,
    ExplainCommand,
    HelpCommand,
    ReviewCommand,
    Unparsed,
    Verb,
    WaiveCommand,
    parsed,
)
from shared.reviews.said import lines_in


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("/doneright review", ("review",)),
        ("/DoneRight   review \t", ("review",)),
        ("/doneright", ("",)),
        ("Fine.\r\n\r\n/doneright review\r\n/doneright help\r\nThanks", ("review", "help")),
        ("/doneright waive a_b  until  x", ("waive a_b  until  x",)),
        ("> /doneright review", ()),
        (" /doneright review", ()),
        ("please /doneright review", ()),
        ("/donerightly review", ()),
        ("/doneright-review", ()),
        ("", ()),
        ("```\n/doneright review\n```", ()),
        ("```python\n/doneright review\n```\n/doneright help", ("help",)),
        ("   ```\n/doneright review\n   ```", ()),
        ("````\n```\n/doneright review\n````\n/doneright help", ("help",)),
        ("~~~~\n/doneright review\n~~~\n/doneright review\n~~~~\n/doneright help", ("help",)),
        ("```\n/doneright review", ()),
        ("```\n/doneright review\n``` no end\n/doneright review\n```\n/doneright help", ("help",)),
        ("``` shown ``` here\n/doneright help", ("help",)),
        ("<!--\n/doneright review\n-->", ()),
        ("<!-- /doneright review -->\n/doneright help", ("help",)),
        ("<!--\n/doneright review", ()),
        ("<!-- a --><!--\n/doneright review\n-->\n/doneright help", ("help",)),
        ("Write `<!--` to hide.\n/doneright help", ("help",)),
        ("/doneright help <!-- to whom it may concern\n/doneright review\n-->", ("help",)),
        ("<pre>\n/doneright review\n</pre>\n/doneright help", ("help",)),
        ("<PRE class='x'>\n/doneright review\n</Pre>\n/doneright help", ("help",)),
        ("a < b\n/doneright help", ("help",)),
    ],
)
def test_a_command_is_a_line_of_its_own_that_is_said(body, lines):
    assert lines_in(body) == lines


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("review", ReviewCommand()),
        ("REVIEW", ReviewCommand()),
        ("help", HelpCommand()),
        ("explain coverage_holds", ExplainCommand(name="coverage_holds")),
        ("explain `CI-is-green`", ExplainCommand(name="ci_is_green")),
        ("attest a_b https://x.example/1", AttestCommand(name="a_b", link="https://x.example/1")),
        ("attest a_b <http://x.example/?q=1#y>", AttestCommand(name="a_b", link="http://x.example/?q=1#y")),
        (
            "waive a_b until 2026-03-01 because it is  so",
            WaiveCommand(name="a_b", until=date(2026, 3, 1), because="it is so"),
        ),
        (
            "WAIVE a_b UNTIL 2026-03-01 BECAUSE until because",
            WaiveCommand(name="a_b", until=date(2026, 3, 1), because="until because"),
        ),
        ("accept", DecideCommand(verb=Verb.ACCEPT)),
        ("reject", DecideCommand(verb=Verb.REJECT)),
        ("reject because nobody asked", DecideCommand(verb=Verb.REJECT, because="nobody asked")),
        ("choose design 2", ChooseCommand(number=2)),
        ("choose\tDesign 12", ChooseCommand(number=12)),
    ],
)
def test_each_command_is_read(line, command):
    assert parsed(line) == command


@pytest.mark.parametrize(
    ("line", "says", "verb"),
    [
        ("", "lacks its word", Verb.HELP),
        ("revue", "'revue' is no command; perhaps review", Verb.REVIEW),
        ("explian coverage_holds", "perhaps explain", Verb.EXPLAIN),
        ("zzz", "'zzz' is no command", Verb.HELP),
        ("review now", "'now' is too much for review", Verb.REVIEW),
        ("help me", "'me' is too much for help", Verb.HELP),
        ("explain", "lacks the gate or criterion", Verb.EXPLAIN),
        ("explain a_b c_d", "'c_d' is too much", Verb.EXPLAIN),
        ("explain ../x", "is no name of a gate or criterion", Verb.EXPLAIN),
        ("attest", "lacks the criterion and the link", Verb.ATTEST),
        ("attest a_b", "lacks the link", Verb.ATTEST),
        ("attest a_b https://x.example/ twice", "'twice' is too much", Verb.ATTEST),
        ("attest a_b javascript:alert(1)", "no address of http:// or https://", Verb.ATTEST),
        ("attest a_b https://", "no address of http:// or https://", Verb.ATTEST),
        ("attest a_b ftp://x.example/", "no address of http:// or https://", Verb.ATTEST),
        ("attest a_b https://joe:secret@x.example/", "carries credentials", Verb.ATTEST),
        ("attest a_b https://[x", "cannot be read", Verb.ATTEST),
        ("attest a_b https://x.example/a|b", "a character that no address has", Verb.ATTEST),
        ("attest a_b https://x.example/" + "a" * 2000, "2000 are the most", Verb.ATTEST),
        ("waive", "lacks the gate or criterion, the last day and the reason", Verb.WAIVE),
        ("waive !", "is no name", Verb.WAIVE),
        ("waive a_b", "lacks `until`", Verb.WAIVE),
        ("waive a_b 2026-03-01", "lacks `until`", Verb.WAIVE),
        ("waive a_b until", "lacks the last day", Verb.WAIVE),
        ("waive a_b until tomorrow because x y z", "'tomorrow' is no day", Verb.WAIVE),
        ("waive a_b until 2026-02-30 because x y z", "'2026-02-30' is no day", Verb.WAIVE),
        ("waive a_b until 01.03.2026 because x y z", "is no day", Verb.WAIVE),
        ("waive a_b until \uff12\uff10\uff12\uff16-03-01 because x y z", "is no day", Verb.WAIVE),
        ("waive a_b until 2026-03-01", "lacks `because`", Verb.WAIVE),
        ("waive a_b until 2026-03-01 it is late", "lacks `because`", Verb.WAIVE),
        ("waive a_b until 2026-03-01 because", "the reason is missing", Verb.WAIVE),
        ("waive a_b until 2026-03-01 because ok", "the reason is missing", Verb.WAIVE),
        ("waive a_b until 2026-03-01 because " + "x" * 501, "500 are the most", Verb.WAIVE),
        ("accept it", "'it' is too much", Verb.ACCEPT),
        ("reject because", "the reason is missing", Verb.REJECT),
        ("choose", "`design` and the number", Verb.CHOOSE),
        ("choose 2", "`design` and the number", Verb.CHOOSE),
        ("choose design", "lacks the number", Verb.CHOOSE),
        ("choose design 0", "'0' is no number", Verb.CHOOSE),
        ("choose design two", "'two' is no number", Verb.CHOOSE),
        ("choose design 1 2", "'2' is too much", Verb.CHOOSE),
    ],
)
def test_what_is_wrong_is_told_exactly(line, says, verb):
    found = parsed(line)
    assert isinstance(found, Unparsed)
    assert says in found.problem
    assert found.verb is verb


@pytest.mark.parametrize("verb", Verb)
def test_every_example_is_right_and_every_form_begins_with_its_word(verb):
    example = EXAMPLES[verb].format(day="2026-03-01")
    command = parsed(example)
    assert not isinstance(command, Unparsed)
    assert command.verb is verb
    assert FORMS[verb].split()[0] == verb


names = st.from_regex(r"[a-z][a-z0-9_]{1,59}", fullmatch=True)
reasons = st.lists(st.from_regex(r"[A-Za-z0-9,.]{3,12}", fullmatch=True), min_size=1, max_size=8).map(" ".join)
blanks = st.sampled_from([" ", "  ", "\t"])


@given(names, st.dates(date(1000, 1, 1)), reasons, blanks)
def test_whatever_is_well_formed_is_read_as_it_was_meant(name, day, reason, blank):
    line = blank.join(["waive", name, "until", day.isoformat(), "because", reason])
    (found,) = lines_in(f"So be it.\n\n/doneright{blank}{line}\n")
    assert parsed(found) == WaiveCommand(name=name, until=day, because=reason)


@given(st.text(max_size=200))
def test_every_line_is_a_command_or_told_why_not(line):
    found = parsed(" ".join(line.split()))
    if isinstance(found, Unparsed):
        assert 3 <= len(found.problem) < 200
    else:
        assert found.verb == line.split()[0].lower()
        assert len(getattr(found, "because", "")) <= LONGEST_REASON


@given(st.text(alphabet="/doneright review\n\r`~<!->prea \t", max_size=120))
def test_no_comment_breaks_the_reader_and_every_line_it_finds_stands_there(body):
    for line in lines_in(body):
        assert line in body


@given(st.text(alphabet="ab`<!-> \n", max_size=80))
def test_code_hides_whatever_stands_in_it(text):
    inner = text.replace("~", "")
    assert lines_in(f"~~~~\n{inner}\n/doneright review\n~~~~\n") == ()


def test_strokes_without_end_take_no_time_without_end():
    strokes = " ".join("`" * (n % 50 + 1) for n in range(20_000))
    assert lines_in(f"<{strokes}\n/doneright help") == ("help",)
    assert lines_in("<!--" * 20_000 + "\n/doneright help") == ()
    assert lines_in("<!-- -->" * 20_000 + "\n/doneright help") == ("help",)


def test_a_day_is_never_older_than_it_can_be_written():
    late = date.max - timedelta(days=1)
    found = parsed(f"waive a_b until {late} because it is late")
    assert isinstance(found, WaiveCommand)
    assert found.until == late
