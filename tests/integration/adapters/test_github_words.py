"""What Doneright says on a pull request of GitHub: once, found again, beside its lines where it can be, never lost."""

import itertools

import pytest

from shared.domain.publication import SUMMARY_MARKER, OwnWord, PlacedRemark, remark_marker
from shared.errors import ConflictError, RefusedError, TransientError
from tests.integration.adapters.github_reviews import MAIN, world


@pytest.fixture(scope="module")
def served_desk():
    with world() as made:
        yield made


@pytest.fixture
def desk(served_desk):
    served_desk.faults.clear()
    return served_desk


_numbers = itertools.count(100)


@pytest.fixture
def ref(desk):
    branch = f"feature/{next(_numbers)}-words"
    desk.commit(
        {"app.py": MAIN["app.py"].replace(b"return 1", b"return 2"), "new.py": b"a = 1\nb = 2\nc = 3\n"}, branch
    )
    return desk.pull(branch, "Words")


@pytest.fixture(params=["app", "token"])
def forge(desk, request):
    return desk.app if request.param == "app" else desk.person("ada")


def _remark(number, path="new.py", line=2, **rest):
    mark = f"{number:016x}"
    body = f"{remark_marker(mark)}\nThis is wrong, {number}."
    return PlacedRemark(**({"fingerprint": mark, "path": path, "line": line, "body": body} | rest))


def _head(desk, ref):
    return desk.repo["issues"][str(ref.number)]["pull"]["head_sha"]


def test_who_we_are(desk):
    assert (desk.app.own_identity().login, desk.app.own_identity().bot) == ("done-right[bot]", True)
    assert (desk.person("bob").own_identity().login, desk.person("bob").own_identity().bot) == ("bob", False)


def test_a_comment_is_said_once_edited_and_taken_back(desk, ref, forge):
    word = forge.say(ref, f"{SUMMARY_MARKER}\nFirst 👋")
    assert forge.say(ref, f"{SUMMARY_MARKER}\nFirst 👋") == word
    assert word.summary
    forge.edit_word(ref, word, f"{SUMMARY_MARKER}\nSecond")
    (found,) = forge.own_words(ref)
    assert (found.id, found.body, found.summary) == (word.id, f"{SUMMARY_MARKER}\nSecond", True)
    forge.delete_word(ref, found)
    forge.delete_word(ref, found)
    assert list(forge.own_words(ref)) == []
    with pytest.raises(ConflictError):
        forge.edit_word(ref, found, "Third")


def test_there_is_one_summary(desk, ref, forge):
    first = forge.say(ref, f"{SUMMARY_MARKER}\nOne")
    second = forge.say(ref, f"{SUMMARY_MARKER}\nTwo")
    assert second.id == first.id
    assert [word.body for word in forge.own_words(ref)] == [f"{SUMMARY_MARKER}\nTwo"]


def test_a_comment_whose_answer_was_lost_is_said_once(desk, ref, forge):
    desk.lose_answer("POST", "/comments$")
    with pytest.raises(TransientError):
        forge.say(ref, f"{SUMMARY_MARKER}\nLost")
    assert desk.fired() == 1
    forge.say(ref, f"{SUMMARY_MARKER}\nLost")
    assert len(forge.own_words(ref)) == 1


def test_what_people_wrote_is_none_of_ours(desk, ref):
    url = f"/repos/acme/desk/issues/{ref.number}/comments"
    desk.ask("ada", "POST", url, {"body": "Mine, by hand"})
    desk.ask("bob", "POST", url, {"body": f"{SUMMARY_MARKER}\nForged"})
    desk.ask("ada", "POST", url, {"body": f"> {SUMMARY_MARKER}\nQuoted"})
    assert list(desk.person("ada").own_words(ref)) == []
    assert list(desk.app.own_words(ref)) == []


def test_a_comment_too_long_is_cut_and_says_so(desk, ref, forge):
    word = forge.say(ref, f"{SUMMARY_MARKER}\n" + "ü👋" * 40_000)
    (found,) = forge.own_words(ref)
    assert found.id == word.id
    assert found.body.endswith("takes no longer comment)")


def test_remarks_stand_beside_their_lines_in_one_review(desk, ref, forge):
    remarks = [_remark(1), _remark(2, line=1, end_line=3, suggestion="a = 2"), _remark(3, path="app.py", line=6)]
    before = forge.calls
    posted = forge.remark(ref, _head(desk, ref), remarks)
    assert [one.placed for one in posted] == [True] * 3
    assert forge.calls - before <= 2 + 2  # a token may be due
    words = {word.fingerprint: word for word in forge.own_words(ref)}
    assert (words[remarks[1].fingerprint].path, words[remarks[1].fingerprint].line) == ("new.py", 3)
    assert "```suggestion\na = 2\n```" in words[remarks[1].fingerprint].body
    stored = list(desk.repo["issues"][str(ref.number)]["pull"]["review_comments"].values())
    assert [(one["start_line"], one["line"]) for one in stored] == [(None, 2), (1, 3), (None, 6)]
    assert [one.placed for one in forge.remark(ref, _head(desk, ref), remarks)] == [True] * 3
    assert len(forge.own_words(ref)) == 3


def test_a_remark_out_of_reach_is_a_comment_and_is_not_lost(desk, ref, forge):
    far = _remark(5, path="old.py", line=3, suggestion="x")
    remarks = [_remark(4), far, _remark(6, path="", line=None), _remark(7, line=3, end_line=99)]
    posted = forge.remark(ref, _head(desk, ref), remarks)
    assert [one.placed for one in posted] == [True, False, False, False]
    words = {word.fingerprint: word for word in forge.own_words(ref)}
    assert set(words) == {one.fingerprint for one in remarks}
    body = words[far.fingerprint].body
    assert "[`old.py:3`](" in body and "suggestion" not in body and "```\nx\n```" in body
    assert [one.placed for one in forge.remark(ref, _head(desk, ref), remarks)] == [True, False, False, False]
    assert len(forge.own_words(ref)) == 4


def test_remarks_whose_answer_was_lost_are_said_once(desk, ref, forge):
    remarks = [_remark(n, line=1 + n % 3) for n in range(10, 16)]
    desk.lose_answer("POST", "/reviews$")
    with pytest.raises(TransientError):
        forge.remark(ref, _head(desk, ref), remarks)
    assert desk.fired() == 1
    assert all(one.placed for one in forge.remark(ref, _head(desk, ref), remarks))
    assert len(forge.own_words(ref)) == 6


def test_remarks_on_a_head_that_is_gone_are_not_said(desk, ref, forge):
    old = _head(desk, ref)
    parent = desk.hub.table("commits")[old]["parents"][0]
    desk.repo["refs"][f"refs/heads/{desk.repo['issues'][str(ref.number)]['pull']['head_ref']}"] = parent
    desk.commit({"new.py": b"other\n"}, desk.repo["issues"][str(ref.number)]["pull"]["head_ref"])
    with pytest.raises(ConflictError, match="by now"):
        forge.remark(ref, old, [_remark(20)])
    assert list(forge.own_words(ref)) == []


def test_a_suggestion_with_fences_and_one_that_takes_lines_away(desk, ref, forge):
    fenced = _remark(30, suggestion="```py\nx\n```")
    gone = _remark(31, line=1, suggestion="")
    forge.remark(ref, _head(desk, ref), [fenced, gone])
    words = {word.fingerprint: word.body for word in forge.own_words(ref)}
    assert "````suggestion\n```py\nx\n```\n````" in words[fenced.fingerprint]
    assert words[gone.fingerprint].endswith("```suggestion\n```")


def test_settled_remarks_are_resolved_wherever_they_stand(desk, ref, forge):
    forge.remark(ref, _head(desk, ref), [_remark(40), _remark(41, path="old.py", line=3)])
    words = forge.own_words(ref)
    forge.resolve(ref, words)
    assert [word.resolved for word in forge.own_words(ref)] == [True, True]
    forge.resolve(ref, words)
    forge.delete_word(ref, words[0])
    forge.resolve(ref, words)


def test_resolving_without_the_right_says_so(desk, ref):
    desk.app.remark(ref, _head(desk, ref), [_remark(42)])
    desk.repo["collaborators"]["eve"] = "read"
    with pytest.raises(RefusedError, match="correct permissions"):
        desk.person("eve").resolve(ref, desk.app.own_words(ref))


def test_an_answer_stands_where_it_was_asked(desk, ref, forge):
    body = {"event": "COMMENT", "body": "See", "comments": [{"path": "new.py", "line": 1, "body": "/doneright help"}]}
    desk.ask("bob", "POST", f"/repos/acme/desk/pulls/{ref.number}/reviews", body)
    (asked,) = desk.ask("bob", "GET", f"/repos/acme/desk/pulls/{ref.number}/comments")
    plain = desk.ask("bob", "POST", f"/repos/acme/desk/issues/{ref.number}/comments", {"body": "/doneright help"})
    again = desk.ask("bob", "POST", f"/repos/acme/desk/issues/{ref.number}/comments", {"body": "/doneright help"})
    for comment in (f"review:{asked['id']}", asked["id"], f"issue:{plain['id']}", plain["id"], again["id"]):
        forge.answer(ref, str(comment), "Ask me anything.")
    words = forge.own_words(ref)
    assert sorted(word.path for word in words) == ["", "", "new.py"]
    assert all(word.body.endswith("Ask me anything.") and not word.fingerprint for word in words)
    threads = desk.repo["issues"][str(ref.number)]["pull"]["threads"].values()
    assert [len(thread["comments"]) for thread in threads] == [2]
    for strange in ("somewhere", "issue:", "12:34", ""):
        with pytest.raises(RefusedError, match="no comment"):
            forge.answer(ref, strange, "x")


def test_an_answer_follows_to_the_thread_of_a_reply_and_outlives_the_thread(desk, ref, forge):
    body = {"event": "COMMENT", "body": "See", "comments": [{"path": "new.py", "line": 1, "body": "Hm"}]}
    desk.ask("bob", "POST", f"/repos/acme/desk/pulls/{ref.number}/reviews", body)
    (first,) = desk.ask("bob", "GET", f"/repos/acme/desk/pulls/{ref.number}/comments")
    url = f"/repos/acme/desk/pulls/{ref.number}/comments/{first['id']}/replies"
    reply = desk.ask("bob", "POST", url, {"body": "/doneright help"})
    forge.answer(ref, f"review:{reply['id']}", "In the thread.")
    (thread,) = desk.repo["issues"][str(ref.number)]["pull"]["threads"].values()
    assert len(thread["comments"]) == 3
    desk.ask("bob", "DELETE", f"/repos/acme/desk/pulls/comments/{first['id']}")
    forge.answer(ref, f"review:{first['id']}", "Beside it.")
    assert sorted(word.path for word in forge.own_words(ref)) == ["", "new.py"]


def test_words_of_another_adapter_are_refused(forge, ref):
    with pytest.raises(RefusedError, match="no comment of ours"):
        forge.delete_word(ref, OwnWord(id="17:2", body="x"))


def test_an_answer_whose_answer_was_lost_is_given_once(desk, ref, forge):
    plain = desk.ask("bob", "POST", f"/repos/acme/desk/issues/{ref.number}/comments", {"body": "/doneright help"})
    desk.lose_answer("POST", "/comments$")
    with pytest.raises(TransientError):
        forge.answer(ref, str(plain["id"]), "Here.")
    forge.answer(ref, str(plain["id"]), "Here.")
    assert len(forge.own_words(ref)) == 1


def test_many_words_are_all_found(desk, ref, forge):
    for n in range(103):
        desk.ask("bob", "POST", f"/repos/acme/desk/issues/{ref.number}/comments", {"body": f"Talk {n}"})
    first = forge.say(ref, f"{SUMMARY_MARKER}\nAfter all")
    assert [word.id for word in forge.own_words(ref)] == [first.id]
