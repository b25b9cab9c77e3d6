"""What Doneright says on pull requests of Azure Repos, on the simulator: where it stands, and never twice."""

from itertools import count

import pytest

from shared.domain.publication import SETTLED_MARKER, SUMMARY_MARKER, PlacedRemark, Posted, remark_marker
from shared.errors import ConflictError, RefusedError, TransientError
from tests.integration.adapters.azure_reviews import desk

NUMBERS = count(1)
PRINTS = [f"{n:016x}" for n in range(16)]


@pytest.fixture(scope="module")
def place():
    with desk() as made:
        yield made


@pytest.fixture
def change(place):
    branch = f"feature/{next(NUMBERS)}"
    place.push(branch, {"src/app.py": "def one():\n    return '😀é'\n\nx = 1\n".encode(), "logo.png": b"\0\1"})
    yield place.open(branch)
    place.sandbox.faults.clear()


def remark(number=0, **rest):
    given = {"path": "src/app.py", "line": 2, "body": f"{remark_marker(PRINTS[number])}\nOh\n"} | rest
    return PlacedRemark(fingerprint=PRINTS[number], **given)


def head(place, change):
    return place.forge.head_of(change)[0]


def test_a_comment_is_said_once_even_when_the_answer_is_lost(place, change):
    place.sandbox.lose_answer("POST", "/threads")
    with pytest.raises(TransientError):
        place.forge.say(change, "Hello")
    assert place.sandbox.fired() == 1
    word = place.forge.say(change, "Hello")
    (thread,) = place.threads(change)
    assert (word.id, word.body, word.summary, word.path) == (f"{thread['id']}:1", "Hello", False, "")
    assert thread["status"] is None
    assert thread["threadContext"] is None


def test_there_is_one_summary_whatever_it_says(place, change):
    place.comment(change, f"{SUMMARY_MARKER}\nnot ours")
    first = place.forge.say(change, f"{SUMMARY_MARKER}\none")
    second = place.forge.say(change, f"{SUMMARY_MARKER}\ntwo")
    assert (first.id, first.summary, second.id) == (second.id, True, first.id)
    (shown,) = place.forge.own_words(change)
    assert (shown.body, shown.summary, shown.fingerprint) == (f"{SUMMARY_MARKER}\ntwo", True, "")
    place.forge.edit_word(change, shown, f"{SUMMARY_MARKER}\nthree")
    assert [word.body for word in place.forge.own_words(change)] == [f"{SUMMARY_MARKER}\nthree"]


def test_a_comment_is_taken_back_once(place, change):
    word = place.forge.say(change, "Hello")
    place.forge.delete_word(change, word)
    place.forge.delete_word(change, word)
    assert list(place.forge.own_words(change)) == []
    assert place.look(change).threads == ()
    place.forge.delete_word(change, word.model_copy(update={"id": "999999:1"}))
    with pytest.raises(RefusedError):
        place.forge.edit_word(change, word.model_copy(update={"id": "999999:1"}), "x")
    with pytest.raises(RefusedError, match="names no comment"):
        place.forge.answer(change, "abc", "x")


def test_a_remark_stands_beside_its_lines_counted_in_utf_16(place, change):
    posted = place.forge.remark(change, head(place, change), [remark(end_line=2, suggestion="    return '```'")])
    assert list(posted) == [Posted(fingerprint=PRINTS[0], placed=True)]
    (thread,) = place.threads(change)
    assert thread["status"] == "active"
    context, followed = thread["threadContext"], thread["pullRequestThreadContext"]
    assert context["filePath"] == "/src/app.py"
    assert context["rightFileStart"] == {"line": 2, "offset": 1}
    # Four spaces, return, a space, two quotes, a face of two units and a letter of one, and the place behind it.
    assert context["rightFileEnd"] == {"line": 2, "offset": 4 + 6 + 1 + 2 + 2 + 1 + 1}
    assert followed["iterationContext"] == {"firstComparingIteration": 1, "secondComparingIteration": 1}
    assert followed["changeTrackingId"] > 0
    body = thread["comments"][0]["content"]
    assert body.endswith("\n\n````suggestion\n    return '```'\n````")
    assert body.startswith(remark_marker(PRINTS[0]))
    (word,) = place.forge.own_words(change)
    assert (word.fingerprint, word.path, word.line, word.resolved) == (PRINTS[0], "src/app.py", 2, False)


def test_remarks_are_said_once_whatever_is_repeated_or_lost(place, change):
    remarks = [remark(0), remark(1, line=1), remark(1, line=1)]
    place.sandbox.faults.clear()
    place.sandbox.faults.add({"kind": "answer_lost", "method": "POST", "path": "/threads", "skip": 1})
    with pytest.raises(TransientError):
        place.forge.remark(change, head(place, change), remarks)
    place.forge.remark(change, head(place, change), remarks)
    posted = place.forge.remark(change, head(place, change), remarks)
    assert [(one.fingerprint, one.placed) for one in posted] == [
        (PRINTS[0], True),
        (PRINTS[1], True),
        (PRINTS[1], True),
    ]
    assert len(place.threads(change)) == 2


@pytest.mark.parametrize(
    "where",
    [
        {"path": "README.md", "line": 1},
        {"path": "src/app.py", "line": 5},
        {"path": "src/app.py", "line": 3, "end_line": 9},
        {"path": "logo.png", "line": 1},
        {"path": "nowhere.py", "line": 1},
    ],
)
def test_lines_out_of_reach_become_a_comment_that_names_them(place, change, where):
    (posted,) = place.forge.remark(change, head(place, change), [remark(**where, suggestion="x = 2")])
    assert not posted.placed
    (thread,) = place.threads(change)
    assert (thread["threadContext"], thread["status"]) == (None, "active")
    body = thread["comments"][0]["content"]
    end = f"-{where['end_line']}" if "end_line" in where else ""
    assert f"`{where['path']}:{where['line']}{end}`" in body
    assert "```suggestion" not in body
    assert "x = 2" in body
    (again,) = place.forge.remark(change, head(place, change), [remark(**where)])
    assert not again.placed
    assert len(place.threads(change)) == 1


def test_a_position_that_is_refused_becomes_a_comment(place, change, monkeypatch):
    positioned = place.forge._position_of

    def misplaced(*args):
        found = positioned(*args)
        found["pull_request_thread_context"].change_tracking_id += 1_000
        return found

    monkeypatch.setattr(place.forge, "_position_of", misplaced)
    (posted,) = place.forge.remark(change, head(place, change), [remark()])
    assert not posted.placed
    (thread,) = place.threads(change)
    assert thread["threadContext"] is None
    assert "`src/app.py:2`" in thread["comments"][0]["content"]


def test_a_remark_about_the_change_is_where_it_belongs(place, change):
    given = PlacedRemark(fingerprint=PRINTS[3], body="No marker")
    assert [one.placed for one in place.forge.remark(change, head(place, change), [given])] == [True]
    (word,) = place.forge.own_words(change)
    assert (word.fingerprint, word.path) == (PRINTS[3], "")


def test_a_head_that_no_push_brought_is_a_conflict(place, change):
    with pytest.raises(ConflictError):
        place.forge.remark(change, "f" * 40, [remark()])
    assert place.threads(change) == []


def test_what_we_settled_is_said_anew_and_what_people_settled_is_not(place, change):
    place.forge.remark(change, head(place, change), [remark(0), remark(1, line=1)])
    first, second = place.forge.own_words(change)
    place.forge.resolve(change, [first])
    place.forge.resolve(change, [first, first.model_copy(update={"id": "999999:1"})])
    place.forge.edit_word(change, first, f"{remark_marker(PRINTS[0])}\n{SETTLED_MARKER}\nGone")
    place.git("PATCH", f"pullRequests/{change.number}/threads/{second.id.split(':')[0]}", {"status": "wontFix"})
    assert [word.resolved for word in place.forge.own_words(change)] == [True, True]
    for _ in range(2):
        place.forge.remark(change, head(place, change), [remark(0), remark(1, line=1)])
        assert [one["status"] for one in place.threads(change)] == ["fixed", "wontFix", "active"]


def test_a_suggestion_that_the_words_hold_already_is_not_said_again(place, change):
    body = f"{remark_marker(PRINTS[0])}\nOh\n\n```suggestion\ny\n```"
    other = body.replace(PRINTS[0], PRINTS[1])
    given = [remark(0, body=body, suggestion="y"), remark(1, body=other, suggestion="y", line=99)]
    place.forge.remark(change, head(place, change), given)
    # Both are said at the same time.
    by_mark = {PRINTS[0] in one: one for one in (one["comments"][0]["content"] for one in place.threads(change))}
    beside, apart = by_mark[True], by_mark[False]
    assert beside == body
    assert apart == f"{other.replace('```suggestion', '```')}\n\n`src/app.py:99`"


def test_what_blocks_nothing_begins_closed_and_is_no_open_discussion(place, change):
    given = [remark(number, line=number + 1) for number in range(2)] + [remark(2, line=99)]
    place.forge.remark(change, head(place, change), given, blocking=False)
    assert [one["status"] for one in place.threads(change)] == ["closed"] * 3
    words = place.forge.own_words(change)
    assert all(word.resolved and word.discussion for word in words)
    place.forge.say(change, "A summary that nobody is to settle")
    assert [word.discussion for word in place.forge.own_words(change)] == [True] * 3 + [False]


def test_every_remark_is_said_though_one_of_them_fails(place, change):
    given = [remark(number, line=number + 1) for number in range(2)]
    place.sandbox.faults.add({"kind": "unavailable", "method": "POST", "path": "/threads", "count": 1})
    with pytest.raises(TransientError):
        place.forge.remark(change, head(place, change), given)
    assert len(place.threads(change)) == 1
    place.forge.remark(change, head(place, change), given)
    assert sorted(word.fingerprint for word in place.forge.own_words(change)) == sorted(PRINTS[:2])


def test_an_answer_stands_in_the_thread_and_is_given_once(place, change):
    thread = place.comment(change, "/doneright help", status="active")
    place.sandbox.lose_answer("POST", "/comments")
    with pytest.raises(TransientError):
        place.forge.answer(change, f"{thread}:1", "Like so")
    place.forge.answer(change, f"{thread}:1", "Like so")
    place.forge.answer(change, str(thread), "Like so")
    (shown,) = place.threads(change)
    assert [one["content"] for one in shown["comments"]] == ["/doneright help", "Like so"]
    assert shown["comments"][1]["parentCommentId"] == 1
    place.git("POST", f"pullRequests/{change.number}/threads/{thread}/comments", {"content": "/doneright help"}, "bo")
    place.forge.answer(change, f"{thread}:3", "Like so")
    assert [one["content"] for one in place.threads(change)[0]["comments"]][2:] == ["/doneright help", "Like so"]


def test_an_answer_to_what_is_gone_stands_beside_it(place, change):
    place.forge.answer(change, "999999:1", "Like so")
    place.forge.answer(change, "999999:1", "Like so")
    (thread,) = place.threads(change)
    assert thread["comments"][0]["content"] == "Like so"


def test_a_comment_longer_than_the_service_takes_is_cut(place, change):
    word = place.forge.say(change, "x" * 160_000)
    assert len(word.body) == 150_000
    assert word.body.endswith("cut here: a comment cannot be longer.")
    assert place.forge.say(change, "x" * 160_000).id == word.id
    faces = place.forge.say(change, "😀" * 80_000)
    assert len(faces.body.encode("utf-16-le")) <= 300_000
    assert "😀" in faces.body
