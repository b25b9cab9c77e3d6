"""What a use case was told once it is not told again, until it changes something, or begins anew."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from shared.adapters import looks
from shared.adapters.looks import LONGEST, Looks
from tests.fakes.storage import MemoryClock


@pytest.fixture
def clock():
    return MemoryClock()


@pytest.fixture
def told(clock):
    looks.begin()
    yield Looks(clock)
    looks.end()


def test_what_was_told_is_remembered_until_something_changes(told):
    assert told.remembered("q") is None
    told.keep("q", "a")
    assert told.remembered("q") == "a"
    told.forget()
    assert told.remembered("q") is None


def test_a_change_on_one_forge_leaves_the_looks_at_another(told, clock):
    other = Looks(clock)
    told.keep("q", "a")
    other.keep("q", "b")
    other.forget()
    assert (told.remembered("q"), other.remembered("q")) == ("a", None)


def test_the_next_use_case_knows_nothing(told):
    told.keep("q", "a")
    looks.begin()
    assert told.remembered("q") is None


def test_outside_a_use_case_nothing_is_kept(told):
    looks.end()
    told.keep("q", "a")
    told.forget()
    assert told.remembered("q") is None
    assert [told.lasting("q", lambda: "a"), told.lasting("q", lambda: "b")] == ["a", "b"]


def test_another_thread_has_not_been_told(told):
    told.keep("q", "a")
    seen = []
    thread = threading.Thread(target=lambda: seen.append(told.remembered("q")))
    thread.start()
    thread.join()
    assert seen == [None]


@pytest.mark.parametrize(("seconds", "known"), [(0, "a"), (LONGEST, "a"), (LONGEST + 0.1, None), (-1, None)])
def test_an_old_look_counts_no_longer_nor_one_from_the_future(told, clock, seconds, known):
    told.keep("q", "a")
    clock.advance(timedelta(seconds=seconds))
    assert told.remembered("q") == known


def test_what_lasts_outlives_changes_and_no_removal(told):
    assert told.lasting("name", lambda: "id") == "id"
    told.forget()
    assert told.lasting("name", lambda: "another") == "id"
    told.forget(removal=True)
    assert told.lasting("name", lambda: "another") == "another"


def test_an_answer_and_a_lasting_one_to_the_same_question_are_two(told):
    told.keep("name", "a page")
    assert told.lasting("name", lambda: "id") == "id"
    assert told.remembered("name") == "a page"


def test_work_done_together_knows_what_lasts_and_adds_to_it(told):
    table = told.lasting("table", dict)
    told.keep("q", "a")
    met = threading.Barrier(3, timeout=10)

    def enter(name):
        met.wait()
        assert told.remembered("q") is None
        told.lasting("table", list)[name] = told.lasting("id", lambda: name)
        told.forget()

    looks.together([lambda name=name: enter(name) for name in "xyz"])
    assert table == {"x": "x", "y": "y", "z": "z"}
    # They may have changed what was looked at, and what each looked up stays its own.
    assert told.remembered("q") is None
    assert told.lasting("id", lambda: "anew") == "anew"


def test_all_work_has_ended_before_the_first_fault_is_raised(told):
    ended = []

    def fail(fault):
        raise fault

    with pytest.raises(KeyError, match="first"):
        looks.together(
            [lambda: fail(KeyError("first")), lambda: fail(ValueError("second")), lambda: ended.append("third")]
        )
    assert ended == ["third"]


def test_work_done_together_outside_a_use_case_remembers_nothing(clock):
    looks.end()
    known = Looks(clock)
    seen = []
    looks.together([lambda: (known.keep("q", "a"), seen.append(known.remembered("q")))])
    assert seen == [None]


def test_work_carried_to_another_thread_knows_what_this_one_was_told_until_then(told):
    told.keep("q", "a")
    seen = []

    def work():
        seen.append(told.remembered("q"))
        told.keep("later", "b")
        return "done"

    carried = looks.carried(work)
    told.keep("after", "c")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(carried()))
    thread.start()
    thread.join()
    assert (seen, answers, told.remembered("later")) == (["a"], ["done"], None)
