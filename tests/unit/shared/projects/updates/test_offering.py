"""An update is one commit and one pull request on either forge, whatever happened before and whatever goes wrong."""

from __future__ import annotations

import pytest

from shared.domain.audit import AuditTag
from shared.domain.blobs import blob_sha
from shared.domain.forge import ForgeName
from shared.domain.pull_request import PullRequestState
from shared.domain.run import ProjectState
from shared.domain.scaffold_update import BrokenUpdate, FileFate, UpdateState, UpdateTask
from shared.errors import ConflictError, DefectError, TransientError
from shared.projects.scaffold import TEMPLATE_VERSION
from shared.projects.updates import surveying
from shared.projects.updates.offering import end_broken, preview
from shared.projects.updates.recording import FILES
from tests.fakes.app import a_connection
from tests.fakes.forges import Fault
from tests.fakes.updates import OLDER, REFS, World

BRANCH = f"doneright/scaffold-{TEMPLATE_VERSION}"


class Place:
    """One forge of a world."""

    def __init__(self, name: ForgeName) -> None:
        self.name, self.ref = name, REFS[name]
        self.fill({})

    def fill(self, older, **request):
        self.world = World(older or None, **request)
        self.forge = self.world.forges[self.name]
        return self

    def offer(self, **task):
        return self.world.offer(self.name, **task)

    def patiently(self, **task):
        """As the runbook does it: again while the forge asks for patience."""
        for _ in range(10):
            try:
                return self.offer(**task)
            except TransientError:
                continue
        raise AssertionError("it never ended")

    def preview(self, **more):
        return preview(self.world.app.updates, "order-desk", self.name, **more)

    @property
    def pulls(self):
        return self.forge.repo(self.ref).pulls

    @property
    def standing(self):
        return self.world.app.updates.standings.get("order-desk", self.name)[0]

    def tags(self):
        return [tag.value.split(":")[-1] for tag in self.world.app.tags("order-desk")]

    def offered(self, path):
        return self.forge.content(self.ref, path, BRANCH)

    def team(self, **files):
        return self.forge.team_commits(self.ref, {path.replace("__", "."): content for path, content in files.items()})


@pytest.fixture(params=list(ForgeName))
def place(request):
    return Place(request.param)


def test_an_update_is_one_commit_on_the_head_and_one_pull_request(place):
    head = place.team(README__md=place.world.older["README.md"] + b"\nOurs.\n", theirs__txt=b"1\n")
    outcome = place.offer()
    assert (outcome.state, outcome.version, outcome.base_version) == (UpdateState.OFFERED, TEMPLATE_VERSION, OLDER)
    (pull,) = place.pulls
    assert (outcome.url, outcome.draft, pull.draft, pull.state) == (pull.url, False, False, PullRequestState.OPEN)
    assert (pull.source, pull.target) == (BRANCH, "main")
    repo = place.forge.repo(place.ref)
    assert repo.commits[repo.heads[BRANCH]][0].parents == (head,)
    assert place.offered("README.md") == place.world.today["README.md"] + b"\nOurs.\n"
    assert place.offered("theirs.txt") == b"1\n"
    assert place.forge.content(place.ref, "README.md") == place.world.older["README.md"] + b"\nOurs.\n"
    assert outcome.files == {FileFate.MERGED: 1}
    assert FILES.validate_json(place.world.app.artifacts.get(outcome.merge))[0].path == "README.md"


def test_what_was_done_is_on_record_with_its_artifacts(place):
    outcome = place.offer(actor="p-0123")
    (event,) = place.world.app.events("order-desk")
    assert event.tag is AuditTag(f"{place.name}:scaffold:offered")
    assert (event.subject, event.actor, event.artifacts) == (outcome.url, "p-0123", (outcome.merge,))
    assert event.detail["files"] == {"updated": 1}
    (offer,) = place.standing.offers
    assert place.world.app.artifacts.get(offer.render)
    assert (offer.writing, offer.number, offer.url) == (False, 1, outcome.url)
    assert place.standing.last == outcome


def test_run_again_it_changes_nothing(place):
    first = place.offer()
    before = place.forge.changes()
    again = place.offer(instance="run.2")
    assert (again.state, again.url) == (UpdateState.UNCHANGED, first.url)
    assert place.forge.changes() == before
    assert place.tags() == ["offered"]


def test_the_same_run_tells_what_it_did_itself(place):
    assert place.offer() == place.offer()
    assert place.tags() == ["offered"]


@pytest.mark.parametrize("call", ["write_branch", "create_pull_request", "edit_pull_request"])
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.TRANSIENT])
def test_whatever_goes_wrong_there_is_one_branch_and_one_pull_request(place, call, fault):
    place.forge.fail(call, fault, 2)
    outcome = place.patiently()
    assert outcome.state is UpdateState.OFFERED
    assert len(place.pulls) == 1
    assert place.offer(instance="run.2").state is UpdateState.UNCHANGED
    assert place.tags() == ["offered"]


@pytest.mark.parametrize("call", ["write_branch", "create_pull_request"])
def test_a_run_that_died_is_finished_by_the_next(place, call):
    place.forge.fail(call, Fault.LOST)
    with pytest.raises(TransientError):
        place.offer(instance="run.1")
    outcome = place.offer(instance="run.2")
    assert outcome.state in {UpdateState.OFFERED, UpdateState.REVISED}
    assert len(place.pulls) == 1
    assert not place.standing.offers[0].writing


def test_when_the_head_moves_branch_and_pull_request_are_revised_in_place(place):
    place.offer()
    head = place.team(theirs__txt=b"1\n")
    outcome = place.offer(instance="run.2")
    assert outcome.state is UpdateState.REVISED
    assert len(place.pulls) == 1
    repo = place.forge.repo(place.ref)
    assert repo.commits[repo.heads[BRANCH]][0].parents == (head,)
    assert place.offered("theirs.txt") == b"1\n"
    assert place.tags() == ["offered", "revised"]


def test_a_conflict_is_marked_explained_and_a_draft(place):
    place.team(README__md=b"# Ours\n" + place.world.older["README.md"].split(b"\n", 1)[1])
    outcome = place.offer()
    (pull,) = place.pulls
    assert (outcome.draft, pull.draft, outcome.files) == (True, True, {FileFate.CONFLICT: 1})
    assert "1 conflict to resolve" in pull.title
    assert "### Conflicts" in pull.body
    assert "README.md (line 1)" in pull.body
    offered = place.offered("README.md")
    assert offered.startswith(b"<<<<<<< main (yours)\n# Ours\n||||||| scaffold 1.0.0\n# Old words\n=======\n")
    assert f">>>>>>> scaffold {TEMPLATE_VERSION}\n".encode() in offered


def test_once_the_conflict_is_gone_from_the_branch_below_it_is_ready(place):
    before = place.world.older["README.md"]
    place.team(README__md=b"# Ours\n" + before.split(b"\n", 1)[1])
    place.offer()
    place.team(README__md=before)
    outcome = place.offer(instance="run.2")
    assert (outcome.state, outcome.draft, place.pulls[0].draft) == (UpdateState.REVISED, False, False)
    assert "conflict" not in place.pulls[0].title


def test_a_plan_without_drafts_is_told_by_the_title(place):
    place.forge.offers_drafts = False
    place.team(README__md=b"# Ours\n" + place.world.older["README.md"].split(b"\n", 1)[1])
    assert place.offer().state is UpdateState.OFFERED
    assert "to resolve" in place.pulls[0].title
    assert place.offer(instance="run.2").state is UpdateState.UNCHANGED


def test_once_merged_the_next_update_begins_from_it(place):
    place.offer()
    place.forge.team_merges(place.ref, 1)
    outcome = place.offer(instance="run.2")
    assert (outcome.state, outcome.base_version) == (UpdateState.UP_TO_DATE, TEMPLATE_VERSION)
    assert place.standing.base_version == TEMPLATE_VERSION
    assert place.standing.offers == ()
    assert len(place.pulls) == 1
    assert place.tags() == ["offered", "merged"]
    place.offer(instance="run.3")
    assert place.tags() == ["offered", "merged"]


def test_after_a_merge_what_the_team_then_undid_is_the_teams(place):
    place.offer()
    place.forge.team_merges(place.ref, 1)
    place.team(README__md=place.world.older["README.md"])
    assert place.offer(instance="run.2").state is UpdateState.UP_TO_DATE


def newer(monkeypatch, version, changes):
    """Today's templates become newer ones."""
    render = surveying.rendered

    def rendered(request, connection, year):
        found = render(request, connection, year)
        return found.model_copy(update={"files": {**found.files, **changes}, "template_version": version})

    monkeypatch.setattr(surveying, "rendered", rendered)


def test_a_newer_version_takes_the_place_of_an_offer_nobody_took(place, monkeypatch):
    place.offer()
    newer(monkeypatch, "9.0.0", {"NEW.md": b"new\n"})
    outcome = place.offer(instance="run.2")
    older, pull = place.pulls
    assert (older.state, pull.state) == (PullRequestState.CLOSED, PullRequestState.OPEN)
    assert pull.url in older.body
    assert (outcome.state, outcome.base_version, pull.source) == (
        UpdateState.OFFERED,
        OLDER,
        "doneright/scaffold-9.0.0",
    )
    assert outcome.files == {FileFate.UPDATED: 1, FileFate.ADDED: 1}


def test_an_older_offer_that_was_merged_after_all_counts(place, monkeypatch):
    place.offer()
    newer(monkeypatch, "9.0.0", {"NEW.md": b"new\n"})
    place.offer(instance="run.2")
    place.forge.team_merges(place.ref, 1)
    outcome = place.offer(instance="run.3")
    assert (outcome.state, outcome.base_version) == (UpdateState.REVISED, TEMPLATE_VERSION)
    assert outcome.files == {FileFate.ADDED: 1}


def test_an_older_offer_the_team_works_on_stays_open(place, monkeypatch):
    place.offer()
    place.forge.team_commits(place.ref, {"theirs.txt": b"1\n"}, BRANCH)
    newer(monkeypatch, "9.0.0", {"NEW.md": b"new\n"})
    place.offer(instance="run.2")
    assert [pull.state for pull in place.pulls] == [PullRequestState.OPEN, PullRequestState.OPEN]


def test_what_the_team_closed_is_offered_again_only_when_asked(place, monkeypatch):
    place.offer()
    place.forge.set_state(place.ref, 1, PullRequestState.CLOSED)
    declined = place.offer(instance="run.2")
    assert (declined.state, len(place.pulls)) == (UpdateState.DECLINED, 1)
    assert place.pulls[0].url in declined.reason
    assert "force" in declined.remedy
    forced = place.offer(instance="run.3", force=True)
    assert (forced.state, len(place.pulls)) == (UpdateState.OFFERED, 2)
    assert place.offer(instance="run.4").state is UpdateState.UNCHANGED
    assert place.tags() == ["offered", "declined", "offered"]


def test_what_was_forced_and_cut_short_is_finished_without_force(place):
    place.offer()
    place.forge.set_state(place.ref, 1, PullRequestState.CLOSED)
    place.forge.fail("create_pull_request", Fault.TRANSIENT)
    with pytest.raises(TransientError):
        place.offer(instance="run.2", force=True)
    assert place.offer(instance="run.3").state is UpdateState.OFFERED
    assert len(place.pulls) == 2


def test_the_next_version_is_offered_by_itself(place, monkeypatch):
    place.offer()
    place.forge.set_state(place.ref, 1, PullRequestState.CLOSED)
    newer(monkeypatch, "9.0.0", {"NEW.md": b"new\n"})
    assert place.offer(instance="run.2").state is UpdateState.OFFERED


def test_a_branch_the_team_works_on_is_left_to_them(place):
    place.offer()
    theirs = place.forge.team_commits(place.ref, {"theirs.txt": b"1\n"}, BRANCH)
    place.team(other__txt=b"1\n")
    before = place.forge.changes()
    outcome = place.offer(instance="run.2")
    assert (outcome.state, outcome.url) == (UpdateState.IN_HAND, place.pulls[0].url)
    assert place.forge.changes() == before
    assert place.forge.branch_head(place.ref, BRANCH) == theirs


def test_a_branch_of_that_name_which_is_not_ours_is_not_touched(place):
    repo = place.forge.repo(place.ref)
    repo.heads[BRANCH] = repo.heads["main"]
    outcome = place.offer()
    assert outcome.state is UpdateState.IN_HAND
    assert BRANCH in outcome.remedy
    assert place.pulls == []


def test_a_repository_that_has_it_all_is_up_to_date_and_nothing_is_opened(place):
    place.team(README__md=place.world.today["README.md"])
    outcome = place.offer()
    assert outcome.state is UpdateState.UP_TO_DATE
    assert place.pulls == []
    assert place.forge.changes() == []
    assert place.standing.base_version == TEMPLATE_VERSION


def test_an_open_offer_with_nothing_left_to_bring_is_closed(place):
    place.offer()
    place.team(README__md=place.world.today["README.md"])
    assert place.offer(instance="run.2").state is UpdateState.UP_TO_DATE
    assert place.pulls[0].state is PullRequestState.CLOSED
    assert "Nothing is left" in place.pulls[0].body


def test_what_the_team_deleted_stays_deleted_and_is_said(place):
    place.team(README__md=None)
    outcome = place.offer()
    assert (outcome.state, outcome.files) == (UpdateState.UP_TO_DATE, {FileFate.KEPT: 1})
    assert "1 files stay" in outcome.reason
    assert place.standing.base_version == OLDER
    assert place.offer(instance="run.2").files == {FileFate.KEPT: 1}


def test_the_default_branch_of_today_counts(place):
    stored, repo = place.forge.stored(place.ref), place.forge.repo(place.ref)
    repo.heads["trunk"] = repo.heads.pop("main")
    stored.shown = stored.shown.model_copy(update={"default_branch": "trunk"})
    place.offer()
    assert place.pulls[0].target == "trunk"


def test_executable_files_stay_so(place):
    path = next(path for path, content in place.world.today.items() if content.startswith(b"#!"))
    place.fill({path: b"#!/bin/sh\nold\n", "README.md": place.world.readme("Old words")})
    place.offer()
    tree = place.forge.tree(place.ref, place.forge.branch_head(place.ref, BRANCH))
    assert tree[path].digest == blob_sha(place.world.today[path])
    assert tree[path].executable is place.forge.takes_modes


def test_added_and_removed_files_come_and_go(place):
    place.fill(
        {"LICENSE": None, "GONE.md": b"gone\n"}
        if "LICENSE" in place.world.today
        else {"README.md": None, "GONE.md": b"gone\n"}
    )
    outcome = place.offer()
    assert outcome.files == {FileFate.ADDED: 1, FileFate.REMOVED: 1}
    assert place.offered("GONE.md") is None


class TestRefusals:
    def failed(self, place, reason, **task):
        outcome = place.offer(**task)
        assert outcome.state is UpdateState.FAILED
        assert reason in outcome.reason
        assert outcome.remedy
        assert place.pulls == []
        assert place.world.app.updates.outcomes.get("run.1", f"order-desk.{place.name}")[0] == outcome

    def test_a_paused_connection(self, place):
        place.world.app.connect_to(a_connection(paused=True))
        self.failed(place, "paused")

    def test_a_repository_that_is_gone(self, place):
        place.forge._repositories.clear()
        self.failed(place, "gone or empty")

    def test_a_forge_that_says_no(self, place):
        place.forge.fail("write_branch", Fault.REFUSED)
        self.failed(place, "the forge refuses")
        assert place.tags() == ["failed"]

    def test_a_project_that_is_not_complete(self, place):
        record = place.world.app.ports.project("order-desk")
        place.world.app.ports.projects.put(
            "projects", "order-desk", record.model_copy(update={"state": ProjectState.FAILED})
        )
        self.failed(place, "is failed")

    def test_a_request_todays_templates_do_not_take(self, place, monkeypatch):
        monkeypatch.setattr(surveying, "rendered", lambda *_: a_connection(id=7))
        self.failed(place, "do not take this project's request")

    def test_templates_that_render_nothing_are_a_defect(self, place, monkeypatch):
        rendered = surveying.rendered
        monkeypatch.setattr(surveying, "rendered", lambda *given: rendered(*given).model_copy(update={"files": {}}))
        with pytest.raises(DefectError):
            place.offer()


def test_a_forge_the_project_is_not_on():
    place = Place(ForgeName.AZURE_DEVOPS)
    place.world.app.connect_to(a_connection(azure_devops=None))
    assert "has no repository on azure_devops" in place.offer().reason


def test_an_advisory_connection_is_told_and_nothing_is_opened(place):
    place.world.app.connect_to(a_connection(mode="advisory"))
    outcome = place.offer()
    assert (outcome.state, outcome.files) == (UpdateState.ADVISED, {FileFate.UPDATED: 1})
    assert place.forge.changes() == []


def test_a_branch_written_by_somebody_else_at_the_same_moment_asks_for_another_look(place, monkeypatch):
    write = place.forge.write_branch

    def late(ref, branch, change, **given):
        place.forge.repo(ref).heads[branch] = place.forge.repo(ref).heads["main"]
        return write(ref, branch, change, **given)

    monkeypatch.setattr(place.forge, "write_branch", late)
    with pytest.raises(ConflictError):
        place.offer()


def test_what_is_not_read_back_is_not_called_done(place, monkeypatch):
    monkeypatch.setattr(
        place.forge, "create_pull_request", lambda *given: place.forge.pull_requests(given[0], "none") or _ghost()
    )
    monkeypatch.setattr(place.forge, "edit_pull_request", lambda *_, **__: None)
    with pytest.raises(TransientError, match="does not show"):
        place.offer()
    assert place.standing.offers[0].writing


def _ghost():
    from shared.domain.pull_request import PullRequest

    return PullRequest(number=99, url="u", state=PullRequestState.OPEN, source=BRANCH, target="main")


class TestPreview:
    def test_it_tells_every_file_and_changes_nothing(self, place):
        place.team(README__md=b"# Ours\n" + place.world.older["README.md"].split(b"\n", 1)[1])
        before = place.forge.changes()
        found = place.preview()
        assert (found.would, found.draft, found.branch) == (UpdateState.OFFERED, True, "main")
        assert [(file.path, file.fate) for file in found.files] == [("README.md", FileFate.CONFLICT)]
        assert (found.base_version, found.version) == (OLDER, TEMPLATE_VERSION)
        assert place.forge.changes() == before
        assert place.world.app.updates.standings.list() == []
        assert place.world.app.events("order-desk") == []

    def test_it_says_what_an_offer_would_come_to(self, place):
        place.offer()
        assert place.preview().would is UpdateState.UNCHANGED
        assert place.preview().url == place.pulls[0].url
        place.forge.set_state(place.ref, 1, PullRequestState.CLOSED)
        assert place.preview().would is UpdateState.DECLINED
        assert place.preview(force=True).would is UpdateState.OFFERED

    def test_what_cannot_be_looked_at_is_told(self, place):
        place.forge.fail("repository", Fault.REFUSED)
        found = place.preview()
        assert (found.would, bool(found.reason), bool(found.remedy)) == (UpdateState.FAILED, True, True)


def test_a_step_that_broke_is_written_down(place):
    task = UpdateTask(instance="run.1", project="order-desk", forge=place.name)
    outcome = end_broken(place.world.app.updates, BrokenUpdate(task=task, reason="KeyError: x"))
    assert (outcome.state, outcome.reason) == (UpdateState.FAILED, "KeyError: x")
    assert place.standing.last == outcome
    assert place.tags() == ["failed"]
