"""Which issues a pull request names, and what each of them says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.github.reviews.items import CLOSES, MOST_NAMED, Named, linked, lookup, named
from shared.domain.definition import WorkItemKind
from shared.domain.forge import RepositoryRef

DESK = RepositoryRef(owner="Contoso", name="Desk")


def _own(*numbers):
    return tuple(Named("contoso", "desk", number) for number in numbers)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Fixes #7", _own(7)),
        ("#7, #8 and (#9)", _own(7, 8, 9)),
        ("GH-12", _own(12)),
        ("Fixes fabrikam/app.web#3", (Named("fabrikam", "app.web", 3),)),
        ("CONTOSO/desk#3", _own(3)),
        ("https://github.com/Contoso/Desk/issues/44#issuecomment-1", _own(44)),
        ("https://github.com/Contoso/Desk/pull/44", ()),
        ("AB#7", ()),
        ("AB#7 and #8", _own(8)),
        ("word#7", ()),
        ("&#39;", ()),
        ("##7", ()),
        ("#7a", ()),
        ("#0", ()),
        ("#1234567890", ()),
        ("`#7` and\n```\n#8\n```\n~~~\n#9\n~~~", ()),
        ("<!-- Fixes #7 -->", ()),
        ("#5", ()),
    ],
)
def test_texts(text, found):
    assert named(DESK, 5, [text], "main") == found


@pytest.mark.parametrize(
    ("branch", "found"),
    [
        ("feature/7-greet", _own(7)),
        ("7-greet", _own(7)),
        ("fix/issue-12", _own(12)),
        ("bob/gh-9_x", _own(9)),
        ("feature/greet-7", _own(7)),
        ("release/1.2.3", ()),
        ("v2-1", ()),
        ("feature/oauth2", ()),
        ("main", ()),
    ],
)
def test_branches(branch, found):
    assert named(DESK, 5, [], branch) == found


def test_each_is_named_once_and_not_without_end():
    assert named(DESK, 5, ["#7 #7", "Fixes contoso/desk#7"], "7-x") == _own(7)
    assert len(named(DESK, 5, [" ".join(f"#{n}" for n in range(10, 300))], "main")) == MOST_NAMED


@given(st.text(max_size=200), st.text(max_size=60))
def test_no_text_breaks_it(text, branch):
    for one in named(DESK, 5, [text], branch):
        assert 0 < one.number < 10**9
        assert lookup([one], "", DESK, "").count(f"i{one.number}:") == 1


def _issue(number, **rest):
    return {
        "number": number, "title": f"Issue {number}", "state": "OPEN", "body": None, "url": "u",
        "labels": {"nodes": []}, "repository": {"nameWithOwner": "contoso/desk"}, **rest,
    }  # fmt: skip


def test_an_issue_is_told_with_what_stands_above_it():
    epic = _issue(1, issueType={"name": "Epic"})
    feature = _issue(2, labels={"nodes": [{"name": "kind/feature"}]}, parent=epic)
    said = {
        "nodes": [
            {"body": "Do it", "author": {"__typename": "User", "login": "bob"}},
            {"body": "beep", "author": {"__typename": "Bot", "login": "ci"}},
            {"body": "boop", "author": {"__typename": "User", "login": "ci[bot]"}},
            {"body": "gone", "author": None},
        ]
    }
    item = linked(_issue(3, parent=feature, comments=said, state="CLOSED", issueType={"name": "User Story"}), CLOSES)
    assert [(parent.id, parent.kind) for parent in item.parents] == [(2, WorkItemKind.FEATURE), (1, WorkItemKind.EPIC)]
    assert (item.kind, item.type, item.state) == (WorkItemKind.REQUIREMENT, "User Story", "closed")
    assert item.comments == ("Do it", "gone")
    assert linked(_issue(4, labels={"nodes": [{"name": "help wanted"}]}), CLOSES).kind is None
