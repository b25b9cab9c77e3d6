"""Tickets moved through the real adapters, on the simulators of both forges: labels, tags and states, with answers lost."""

from __future__ import annotations

import pytest

from shared.definitions.load import definition_of_done
from shared.domain.audit import AuditTag
from shared.domain.forge import ForgeName
from shared.domain.publication import MergeOutcome
from shared.domain.review import Outcome, ReviewInput
from shared.errors import TransientError
from shared.policies.pinning import keep
from shared.projects.ports import ConnectedForges
from shared.reviews.tickets import MovePorts, move_tickets
from tests.fakes.changes import HEAD, a_change, evidence, item
from tests.fakes.talk import PROJECT, Talk, a_finding
from tests.integration.adapters.azure_reviews import desk
from tests.integration.adapters.github_reviews import world


class Moved:
    """One ticket behind a pull request, on its own forge."""

    def __init__(self, forge: ForgeName, ticket, connected: ConnectedForges):
        self.talk = Talk(forge)
        self.ports = MovePorts(self.talk.ports, lambda _: connected)
        keep(self.talk.ports.artifacts, definition_of_done())
        found = evidence(change=a_change(forge), items=(ticket,), process="agile")
        digest = self.talk.ports.artifacts.put(found.model_dump_json().encode(), "application/json")
        self.reviewed = self.talk.reviewed(a_finding("ci_is_green", Outcome.MET), evidence=digest)

    def move(self, merged: MergeOutcome | None = None, round: int = 1):
        run = ReviewInput(
            instance="review-1.1", review=self.reviewed.review, ref=self.talk.ref, project=PROJECT, connection="acme",
            head=HEAD, round=round,
        )  # fmt: skip
        return move_tickets(self.ports, run, self.reviewed, merged)

    @property
    def tags(self):
        return [event.tag for event in self.talk.events()]


@pytest.mark.parametrize("lost", ["/labels", "/issues/"])
def test_an_issue_carries_the_label_of_its_state_and_no_other(lost):
    with world() as made:
        issue = made.ask("bob", "POST", "/repos/acme/desk/issues", {"title": "Greet", "labels": ["bug"]})
        ticket = item(issue["number"], "", forge=ForgeName.GITHUB, project="acme/desk", url=issue["html_url"])
        connected = ConnectedForges(forges={}, issues=made.app, tracker=None, settings=made.app)
        moved = Moved(ForgeName.GITHUB, ticket, connected)

        def labels():
            return {one["name"] for one in made.ask("bob", "GET", f"/repos/acme/desk/issues/{issue['number']}/labels")}

        made.lose_answer("POST", lost)
        with pytest.raises(TransientError):
            moved.move()
        made.faults.clear()
        moved.move()
        assert labels() == {"bug", "state: in review"}
        (told,) = moved.move(MergeOutcome(merged=True, commit="c" * 40), round=2)
        assert "from in review to merged" in told
        assert labels() == {"bug", "state: merged"}
        assert moved.tags == [AuditTag.GITHUB_TICKET_MOVED] * 2


def test_a_work_item_has_the_tag_and_the_state_of_its_board():
    with desk() as made:
        number = made.item("User Story", "Greet", **{"System.Tags": "bug"})
        connected = ConnectedForges(forges={}, issues=made.forge, tracker=made.forge, settings=None)
        moved = Moved(ForgeName.AZURE_DEVOPS, item(number), connected)
        made.sandbox.lose_answer("PATCH", "/workItems/")
        with pytest.raises(TransientError):
            moved.move()
        made.sandbox.faults.clear()
        moved.move()
        (entry,) = made.forge.entries([number])
        assert (entry.state, set(entry.tags)) == ("Resolved", {"bug", "state: in review"})
        (told,) = moved.move(MergeOutcome(merged=True, commit="c" * 40), round=2)
        assert "from in review to merged" in told
        (entry,) = made.forge.entries([number])
        assert (entry.state, set(entry.tags)) == ("Resolved", {"bug", "state: merged"})
        assert moved.tags == [AuditTag.AZURE_DEVOPS_TICKET_MOVED] * 2
