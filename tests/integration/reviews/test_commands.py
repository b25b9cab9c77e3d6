"""Commands in comments through the real adapters, on the simulators of both forges: answered there, once, to whom it may be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.change import Person
from shared.domain.forge import ForgeName
from shared.errors import TransientError
from shared.reviews.commands import Followed, Said, follow
from shared.reviews.words import spoken_of
from tests.fakes.talk import PROJECT, Talk
from tests.integration.adapters.azure_reviews import desk
from tests.integration.adapters.github_reviews import World, world

LINK = "https://contoso.example/notes/1"


class Place:
    """A pull request, its author, somebody else who may write, somebody who may approve, and somebody who may not."""

    def __init__(self, name, forge, ref, people):
        self.talk = Talk(name, roles={"approver": [people["approver"].login]})
        self.ports = replace(self.talk.ports, connect=lambda _: {name: forge})
        self.ref, self.people = ref, people

    def follow(self, comment: str, body: str, by: str) -> Followed:
        said = Said(
            ref=self.ref, project=PROJECT, connection="acme", comment=comment, author=self.people[by], body=body,
            at=self.talk.clock.now(),
        )  # fmt: skip
        return follow(self.ports, said)

    def says(self, body: str, by: str = "approver") -> tuple[str, Followed]:
        comment = self.comment(body, by)
        return comment, self.follow(comment, body, by)


class OnGitHub(Place):
    LOGINS = {"author": "bob", "approver": "ada", "other": "mia", "stranger": "eve"}

    def __init__(self, made: World):
        self.made = made
        made.commit({"app.py": b"print('hello')\n"}, "feature/7-greet")
        people = {who: self.person(login) for who, login in self.LOGINS.items()}
        super().__init__(ForgeName.GITHUB, made.app, made.pull(), people)

    def person(self, login: str) -> Person:
        return Person(id=str(self.made.user(login)["id"]), login=login)

    def comment(self, body: str, by: str) -> str:
        url = f"/repos/acme/desk/issues/{self.ref.number}/comments"
        return f"issue:{self.made.ask(self.LOGINS[by], 'POST', url, {'body': body})['id']}"

    def answers(self) -> list[str]:
        said = self.made.ask("ada", "GET", f"/repos/acme/desk/issues/{self.ref.number}/comments")
        return [one["body"] for one in said if one["user"]["type"] == "Bot"]

    def lose(self) -> None:
        self.made.lose_answer("POST", "/comments")


class OnAzure(Place):
    LOGINS = {"author": "ada", "approver": "bo", "other": "bo", "stranger": "rea"}

    def __init__(self, made):
        self.made = made
        made.push("feature/x", {"a.txt": b"1\n"})
        people = {who: self.person(login) for who, login in self.LOGINS.items()}
        super().__init__(ForgeName.AZURE_DEVOPS, made.forge, made.open(), people)

    def person(self, login: str) -> Person:
        found = self.made.ask("GET", "/_apis/connectionData", who=login)["authenticatedUser"]
        return Person(id=found["id"], login=f"{login}@acme.example")

    def comment(self, body: str, by: str) -> str:
        if by == "stranger":
            return f"{self.made.comment(self.ref, body, 'bo')}:1"  # who may only read cannot even speak there
        return f"{self.made.comment(self.ref, body, self.LOGINS[by])}:1"

    def answers(self) -> list[str]:
        return [one["content"] for thread in self.made.threads(self.ref) for one in thread["comments"][1:]]

    def lose(self) -> None:
        self.made.sandbox.lose_answer("POST", "/comments")


@contextmanager
def on_github() -> Iterator[OnGitHub]:
    with world(private=False) as made:
        yield OnGitHub(made)


@contextmanager
def on_azure() -> Iterator[OnAzure]:
    with desk() as made:
        place = OnAzure(made)
        yield place
        made.sandbox.faults.clear()


@pytest.fixture(params=[on_github, on_azure], ids=["github", "azure_devops"])
def place(request):
    with request.param() as made:
        yield made


def test_a_command_is_followed_and_answered_where_it_was_given(place):
    day = place.talk.clock.now().date() + timedelta(days=10)
    _, followed = place.says(f"/doneright waive change_is_small until {day} because it moves files\n/doneright review")
    assert (followed.look_again, followed.answered, followed.reason) == (True, True, "")
    (answer,) = place.answers()
    assert f"Until {day} (UTC) nothing is blocked by `change_is_small`" in answer
    assert "looks at" in answer
    (waiver,) = spoken_of(place.ports, place.ref).waivers
    assert waiver.by == place.people["approver"].login


def test_who_may_not_is_answered_and_nothing_follows(place):
    _, stranger = place.says("/doneright review", by="stranger")
    assert "may not write to" in stranger.reason
    _, author = place.says("/doneright waive ci_is_green until 2026-02-03 because it is so", by="author")
    assert "author of a pull request is never its approver" in author.reason
    assert not (stranger.look_again or author.look_again)
    assert len(place.answers()) == 2


def test_what_somebody_else_may_say_is_on_record_with_the_head(place):
    _, followed = place.says(f"/doneright attest edge_cases_are_handled {LINK}", by="other")
    assert followed.look_again, followed.reason
    (said,) = spoken_of(place.ports, place.ref).attestations
    assert (said.link, len(said.head)) == (LINK, 40)


def test_an_answer_whose_answer_was_lost_is_not_said_again(place):
    body = "/doneright help"
    comment = place.comment(body, "approver")
    place.lose()
    with pytest.raises(TransientError):
        place.follow(comment, body, "approver")
    assert place.follow(comment, body, "approver").answered
    assert place.follow(comment, body, "approver").reason == "the comment was followed already"
    assert len(place.answers()) == 1


def test_a_command_in_the_code_of_github_is_answered_in_its_thread():
    with on_github() as place:
        url = f"/repos/acme/desk/pulls/{place.ref.number}/comments"
        head = place.made.app.head_of(place.ref)[0]
        body = {"body": "/doneright help", "path": "app.py", "line": 1, "side": "RIGHT", "commit_id": head}
        asked = place.made.ask("ada", "POST", url, body)
        assert place.follow(f"review:{asked['id']}", "/doneright help", "approver").answered
        replies = [one for one in place.made.ask("ada", "GET", url) if one.get("in_reply_to_id") == asked["id"]]
        assert ["`/doneright review`" in one["body"] for one in replies] == [True]
        assert place.answers() == []
