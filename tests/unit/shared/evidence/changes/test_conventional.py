from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.evidence.changes.conventional import conventional


@pytest.mark.parametrize(
    ("message", "type", "scope", "summary", "breaking"),
    [
        ("feat: export orders", "feat", "", "export orders", False),
        ("fix(api): answer 404", "fix", "api", "answer 404", False),
        ("feat(api)!: drop v1", "feat", "api", "drop v1", True),
        ("FEAT!: drop v1", "feat", "", "drop v1", True),
        ("chore: a\n\nbody\n\nBREAKING CHANGE: the port is gone", "chore", "", "a", True),
        ("chore: a\r\n\r\nBREAKING-CHANGE: the port is gone\r\n", "chore", "", "a", True),
        ("docs: a\n\nNote: nobody\n\nmore prose", "docs", "", "a", False),
        ("fix:  two blanks ", "fix", "", "two blanks", False),
    ],
)
def test_messages_of_the_form_are_read(message, type, scope, summary, breaking):
    read = conventional(message)
    assert read is not None
    assert (read.type, read.scope, read.summary, read.breaking) == (type, scope, summary, breaking)


@pytest.mark.parametrize(
    "message",
    ["", "\n", "export orders", "feat export", "feat:export", "feat:", "feat: ", ": x", "feat(): x", "feat(a(b)): x",
     "Merge branch 'main'", "feat: a\nno blank line", "breaking change: x", "1feat: x"],
)  # fmt: skip
def test_other_messages_are_none(message):
    assert conventional(message) is None


def test_footers_keep_their_values():
    read = conventional(
        "fix: a\n\nsome body: with a colon\n\nBREAKING CHANGE: old\nand more\nRefs #12\nReviewed-by: Noor\n"
    )
    assert read is not None
    assert read.footers == (("BREAKING CHANGE", "old\nand more"), ("Refs", "#12"), ("Reviewed-by", "Noor"))
    assert read.why_breaking == "old\nand more"


def test_a_breaking_change_in_the_middle_of_a_body_is_one():
    read = conventional("fix: a\n\ntext\nBREAKING CHANGE: gone\n\nand more prose")
    assert read is not None
    assert read.breaking
    assert read.why_breaking == "gone"


@given(st.text(max_size=300))
@settings(deadline=None)
def test_any_text_is_read_or_none(message):
    read = conventional(message)
    assert read is None or (read.type and read.summary)


@given(st.from_regex(r"[a-z]{1,10}(\([a-z ]{1,9}\))?!?: [a-z][a-z ]{0,40}[a-z]", fullmatch=True))
@settings(deadline=None)
def test_every_head_of_the_form_is_read(head):
    read = conventional(head)
    assert read is not None
    assert read.breaking == ("!" in head)
    assert head.endswith(read.summary)
