"""Looking at pull requests of Azure Repos on the simulator: every part, what is missing, and how many questions it takes."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.adapters.azure_devops.errors import AccessError
from shared.domain.change import CheckState, ReviewState, Unknown
from shared.domain.definition import WorkItemKind
from shared.domain.process import InheritedProcess
from shared.domain.publication import SUMMARY_MARKER, Permission
from shared.domain.pull_request import PullRequestState
from shared.errors import TransientError
from shared.reviews.ports import ReviewForge
from tests.integration.adapters.azure_reviews import REPOSITORY, desk, ref


@pytest.fixture
def place():
    with desk() as made:
        yield made


def test_the_forge_is_what_reviews_ask_for(place):
    forge: ReviewForge = place.forge
    missing = [name for name in dir(ReviewForge) if not name.startswith("_") and not hasattr(forge, name)]
    assert missing == []


def test_a_pull_request_is_shown_as_it_is(place):
    head = place.push("feature/x", {"new.txt": b"new\n"}, message="feat: sell\n\nmore")
    change = place.open(labels=[{"name": "feature"}])
    looked = place.look(change)
    shown = looked.change
    assert (shown.title, shown.body, shown.state) == ("Sell more", "Because it pays", PullRequestState.OPEN)
    assert (shown.source, shown.target, shown.head, shown.base) == ("feature/x", "main", head, place.main)
    assert (shown.merge_base, shown.behind, shown.conflicts, shown.fork) == (place.main, 0, False, False)
    assert (shown.labels, shown.iteration, shown.draft) == (("feature",), 1, False)
    assert (shown.author.login, shown.author.bot) == ("ada@acme.example", False)
    assert shown.url.endswith(f"/Shop/_git/Shop/pullrequest/{change.number}")
    assert [(one.id, one.message, one.author) for one in looked.commits] == [
        (head, "feat: sell\n\nmore", "ada@acme.example")
    ]
    assert (looked.items, looked.reviews, looked.threads, looked.checks) == ((), (), (), ())
    assert (looked.template, looked.process) == ("", "agile")


def test_nobody_there_is_none(place):
    assert place.forge.look_at(ref(99)) is None
    assert place.forge.head_of(ref(99)) is None
    assert place.forge.look_at(ref(1, "Nothing")) is None


def test_a_branch_behind_with_conflicts_says_so(place):
    place.push("feature/x", {"README.md": b"# Ours\n"})
    change = place.open()
    moved = place.push("main", {"README.md": b"# Theirs\n"})
    shown = place.look(change).change
    assert (shown.behind, shown.conflicts, shown.base, shown.merge_base) == (1, True, moved, place.main)


def test_a_force_push_is_a_new_iteration_and_head_of_is_never_remembered(place):
    place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open()
    first = place.forge.head_of(change)
    other = place.push("feature/y", {"b.txt": b"2\n"})
    place.force("feature/x", other)
    assert first != place.forge.head_of(change) == (other, PullRequestState.OPEN)
    looked = place.look(change)
    assert (looked.change.head, looked.change.iteration) == (other, 2)
    assert [one.id for one in looked.commits] == [other]


def test_a_deleted_branch_is_still_shown(place):
    head = place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open()
    place.force("feature/x", "")
    assert place.look(change).change.head == head
    place.git("PATCH", f"pullRequests/{change.number}", {"status": "abandoned"})
    assert place.forge.head_of(change) == (head, PullRequestState.CLOSED)


def test_a_deleted_target_leaves_open_how_far_behind_it_is(place):
    place.push("release", {"a.txt": b"0\n"})
    place.push("feature/x", {"a.txt": b"1\n"}, onto=place.head("release"))
    change = place.open(target="release")
    before = place.head("release")
    place.force("release", "")
    looked = place.look(change)
    assert (looked.change.behind, looked.change.base, looked.change.merge_base) == (None, before, before)
    assert looked.template == ""
    assert len(place.forge.changed_files(looked.change)) == 1


def test_an_inherited_process_counts_as_its_parent(place, monkeypatch):
    project = place.forge.project("Shop")
    monkeypatch.setattr(place.forge, "project", lambda name: project.model_copy(update={"process": "Our Scrum"}))
    asked = []
    inherited = InheritedProcess(id="1", name="Our Scrum", parent="scrum")
    monkeypatch.setattr(place.forge, "process", lambda name: asked.append(name) or inherited)
    place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open()
    assert [place.look(change).process for _ in range(2)] == ["scrum", "scrum"]
    assert asked == ["Our Scrum"]


def test_votes_become_reviews_with_the_commit_they_were_cast_on(place):
    first = place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open()
    place.vote(change, 5)
    second = place.push("feature/x", {"a.txt": b"2\n"})
    place.vote(change, -5, "admin")
    (bo, admin) = sorted(place.look(change).reviews, key=lambda one: one.reviewer.login)
    assert (bo.state, bo.commit, bo.body) == (ReviewState.APPROVED, first, "Approved with suggestions")
    assert (admin.state, admin.commit) == (ReviewState.CHANGES_REQUESTED, second)
    place.vote(change, 0, "admin")
    place.vote(change, -10)
    (bo,) = place.look(change).reviews
    assert (bo.state, bo.commit, bo.at is not None) == (ReviewState.CHANGES_REQUESTED, second, True)


def test_votes_that_a_push_took_back_are_no_reviews(place):
    place.push("feature/x", {"a.txt": b"1\n"})
    place.policy("fa4e907d-c16b-4a4c-9dfa-4906e5d171dd", {"minimumApproverCount": 1, "resetOnSourcePush": True})
    change = place.open()
    place.vote(change, 10)
    assert len(place.look(change).reviews) == 1
    place.push("feature/x", {"a.txt": b"2\n"})
    assert place.look(change).reviews == ()


def test_threads_are_open_or_settled_and_those_of_the_service_left_out(place):
    place.push("feature/x", {"src/app.py": b"def one():\n    return 2\n"})
    change = place.open()
    context = {
        "filePath": "/src/app.py",
        "rightFileStart": {"line": 2, "offset": 1},
        "rightFileEnd": {"line": 2, "offset": 5},
    }
    in_code = place.comment(change, "Why two?", status="active", threadContext=context)
    place.comment(change, "By the way")
    settled = place.comment(change, "Done?", status="wontFix")
    place.vote(change, 10)
    place.git("POST", f"pullRequests/{change.number}/threads/{in_code}/comments", {"content": "Because"}, "ada")
    looked = place.look(change)
    first, second, third = looked.threads
    assert (first.id, first.path, first.line, first.resolvable, first.resolved) == (
        str(in_code), "src/app.py", 2, True, False,
    )  # fmt: skip
    assert [(one.id, one.author.login, one.body) for one in first.comments] == [
        (f"{in_code}:1", "bo@acme.example", "Why two?"),
        (f"{in_code}:2", "ada@acme.example", "Because"),
    ]
    assert (second.path, second.resolvable, second.resolved) == ("", False, False)
    assert (third.id, third.resolvable, third.resolved) == (str(settled), True, True)
    assert looked.reviews[0].remarks == 1


def test_what_we_wrote_ourselves_is_a_programs(place):
    place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open()
    place.forge.say(change, f"{SUMMARY_MARKER}\nHello")
    place.comment(change, "Hello", "admin")
    ours, theirs = place.look(change).threads
    # With a person's token, what that person says by hand stays that person's.
    assert (ours.comments[0].author.bot, theirs.comments[0].author.bot) == (True, False)
    assert not place.forge.own_identity().bot


def test_statuses_count_for_the_push_they_are_about(place):
    place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open()
    posts = [
        ("failed", "lint", 1), ("succeeded", "lint", 1), ("failed", "old", 1), ("pending", "types", None),
    ]  # fmt: skip

    def post(state, name, iteration):
        body = {"state": state, "description": name, "context": {"name": name, "genre": "ci"}}
        place.git(
            "POST", f"pullRequests/{change.number}/statuses", body | ({"iterationId": iteration} if iteration else {})
        )

    for one in posts:
        post(*one)
    before = {one.name: one.state for one in place.look(change).checks}
    assert before == {"ci/lint": CheckState.PASSED, "ci/old": CheckState.FAILED, "ci/types": CheckState.PENDING}
    head = place.push("feature/x", {"a.txt": b"2\n"})
    post("notApplicable", "new", 2)
    after = {one.name: (one.state, one.commit) for one in place.look(change).checks}
    assert after == {"ci/new": (CheckState.SKIPPED, head), "ci/types": (CheckState.PENDING, "")}


def test_statuses_on_the_head_itself_are_checks_and_those_on_older_commits_are_not(place):
    first = place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open()

    def post(commit, state, name, genre):
        body = {"state": state, "description": name, "context": {"name": name, "genre": genre}}
        place.git("POST", f"commits/{commit}/statuses", body)

    post(first, "failed", "lint", "jenkins")
    post(first, "succeeded", "build/CI", "continuous-integration")
    assert [(one.name, one.state) for one in place.look(change).checks] == [("jenkins/lint", CheckState.FAILED)]
    post(first, "succeeded", "lint", "jenkins")
    assert [one.state for one in place.look(change).checks] == [CheckState.PASSED]
    head = place.push("feature/x", {"a.txt": b"2\n"})
    assert place.look(change).checks == ()
    post(head, "pending", "lint", "jenkins")
    body = {"state": "failed", "context": {"name": "lint", "genre": "jenkins"}, "iterationId": 2}
    place.git("POST", f"pullRequests/{change.number}/statuses", body)
    assert [(one.state, one.commit) for one in place.look(change).checks] == [(CheckState.FAILED, head)]


def test_builds_that_policies_want_and_builds_of_the_branch_are_checks_with_stages(place):
    wanted, beside = place.pipeline("Gate"), place.pipeline("Nightly")
    place.policy("0609b952-1397-4640-95ec-e00a01b2c241", {"buildDefinitionId": wanted, "displayName": "x"})
    head = place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open()
    waiting = {one.name: one for one in place.look(change).checks}
    assert (waiting["Gate"].state, waiting["Gate"].required) == (CheckState.PENDING, True)
    body = {"definition": {"id": beside}, "sourceBranch": "refs/heads/feature/x"}
    place.ask("POST", "/Shop/_apis/build/builds", body)
    place.finish()
    checks = {one.name: one for one in place.look(change).checks}
    assert set(checks) == {"Gate", "Nightly"}
    assert [(one.state, one.required) for one in (checks["Gate"], checks["Nightly"])] == [
        (CheckState.PASSED, True),
        (CheckState.PASSED, False),
    ]
    assert (checks["Gate"].commit, checks["Nightly"].commit) == (head, head)
    assert checks["Gate"].stages[:2] == ("Build", "Test")
    assert {"Compile", "Unit"} <= set(checks["Nightly"].stages)


def test_a_failed_build_fails_and_an_older_one_does_not_count(place):
    beside = place.pipeline("Nightly")
    place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open()
    body = {"definition": {"id": beside}, "sourceBranch": "refs/heads/feature/x"}
    place.ask("POST", "/Shop/_apis/build/builds", body)
    place.finish("failed")
    (check,) = place.look(change).checks
    assert (check.name, check.state) == ("Nightly", CheckState.FAILED)
    place.push("feature/x", {"a.txt": b"2\n"})
    assert place.look(change).checks == ()


def test_a_required_status_is_a_required_check_even_before_it_is_posted(place):
    place.forge.require_status(REPOSITORY, "main", "doneright", "review")
    place.push("feature/x", {"a.txt": b"1\n"})
    (check,) = place.look(place.open()).checks
    assert (check.name, check.state, check.required, check.ours) == ("doneright/review", CheckState.PENDING, True, True)


def test_work_items_come_with_all_above_and_what_was_said(place):
    epic = place.item("Epic", "Grow")
    feature = place.item("Feature", "Sell", epic)
    story = place.item(
        "User Story",
        "Sell more",
        feature,
        **{
            "System.Tags": "shop; big",
            "System.Description": "<p>why</p>",
            "Microsoft.VSTS.Common.AcceptanceCriteria": "<p>Given</p>",
        },
    )
    for text in ("one", "two"):
        place.ask("POST", f"/Shop/_apis/wit/workItems/{story}/comments", {"text": text})
    place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open(workItemRefs=[{"id": str(story)}])
    (item,) = place.look(change).items
    assert (item.id, item.type, item.kind, item.title) == (story, "User Story", WorkItemKind.REQUIREMENT, "Sell more")
    assert (item.tags, item.body, item.acceptance) == (("shop", "big"), "<p>why</p>", "<p>Given</p>")
    assert item.comments == ("one", "two")
    assert [(one.id, one.kind) for one in item.parents] == [
        (feature, WorkItemKind.FEATURE),
        (epic, WorkItemKind.EPIC),
    ]
    assert item.url.endswith(f"/Shop/_workitems/edit/{story}")
    assert item.fields["System.AreaPath"] == "Shop"


def test_work_items_that_may_not_be_seen_are_unknown_and_deleted_ones_are_not_linked(place):
    epic = place.item("Epic", "Grow")
    story, gone = place.item("User Story", "Sell", epic), place.item("Task", "Gone")
    place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open(workItemRefs=[{"id": str(story)}, {"id": str(gone)}])
    place.ask("DELETE", f"/Shop/_apis/wit/workItems/{gone}")
    assert [one.id for one in place.look(change).items] == [story]
    hidden = place.sandbox.organization["work_items"].pop(str(epic))
    found = place.look(change).items
    assert isinstance(found, Unknown)
    assert str(epic) in found.reason
    place.sandbox.organization["work_items"][str(epic)] = hidden
    place.sandbox.organization["work_items"][str(story)]["project"] = "elsewhere"
    assert isinstance(place.look(change).items, Unknown)


def test_an_issue_is_a_requirement_only_where_the_process_says_so(place):
    basic = place.item("Issue", "Here", project="Store")
    agile = place.item("Issue", "There")
    place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open(workItemRefs=[{"id": str(basic)}, {"id": str(agile)}])
    assert {one.id: one.kind for one in place.look(change).items} == {basic: WorkItemKind.REQUIREMENT, agile: None}


@pytest.mark.parametrize(
    ("files", "target", "wanted"),
    [
        ({".azuredevops/pull_request_template.md": b"Made for it\n"}, "main", "Made for it\n"),
        (
            {
                ".azuredevops/pull_request_template.md": b"all",
                ".azuredevops/pull_request_template/branches/main.md": b"main",
            },
            "main",
            "main",
        ),
        ({".vsts/pull_request_template.txt": b"vsts"}, "main", "vsts"),
        ({"docs/pull_request_template.md": b"docs", "pull_request_template.md": b"root"}, "main", "docs"),
        ({"docs/pull_request_template/branches/main.md": b"docs main"}, "main", "docs main"),
        ({"Pull_Request_Template.md": b"root"}, "main", "root"),
        ({"docs/other.md": b"x"}, "main", ""),
    ],
)
def test_the_template_is_found_in_its_documented_places(place, files, target, wanted):
    place.push("main", files)
    place.push("feature/x", {"a.txt": b"1\n"}, onto=place.head("main"))
    assert place.look(place.open(target=target)).template == wanted


def test_a_pull_request_from_a_fork_is_told_as_one(place):
    fork = place.ask(
        "POST", "/Shop/_apis/git/repositories", {"name": "Theirs", "parentRepository": {"id": place.repository_id}}, "admin"
    )  # fmt: skip
    head = place.push("main", {"a.txt": b"1\n"}, repository="Theirs", who="bo")
    change = place.open("main", forkSource={"repository": {"id": fork["id"]}}, who="bo")
    looked = place.look(change)
    assert (looked.change.fork, looked.change.head) == (True, head)
    (file,) = place.forge.changed_files(looked.change)
    assert (file.path, file.content) == ("a.txt", "1\n")


def test_long_messages_and_many_commits_are_told_whole(place):
    long = "fix: it\n\n" + "why " * 200 + "\n\nBREAKING CHANGE: yes"
    for number in range(101):
        place.push("feature/x", {f"{number}.txt": b"1\n"}, message=long if number == 3 else f"chore: {number}")
    commits = place.look(place.open()).commits
    assert [one.message for one in commits[:5]] == ["chore: 0", "chore: 1", "chore: 2", long, "chore: 4"]
    assert len(commits) == 101


@pytest.mark.parametrize(
    ("call", "part"),
    [
        ("_branch_builds", "checks"),
        ("_statuses", "checks"),
        ("_commit_statuses", "checks"),
        ("_evaluations", "checks"),
        ("_threads", "threads"),
        ("_threads", "reviews"),
        ("_linked", "items"),
        ("_above", "items"),
        ("_template_for", "template"),
    ],
)
def test_a_refused_part_is_unknown_and_the_others_are_told(place, monkeypatch, call, part):
    def refused(*args):
        raise AccessError("Azure DevOps refused: no Build (read)", "Grant it")

    place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open(workItemRefs=[{"id": str(place.item("Task", "Do"))}])
    monkeypatch.setattr(place.forge, call, refused)
    looked = place.look(change)
    assert getattr(looked, part) == Unknown(reason="Azure DevOps refused: no Build (read)")
    assert looked.change.ref == change
    assert len(looked.commits) == 1


def test_a_throttled_part_fails_the_look_with_the_wait(place):
    place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open()
    place.sandbox.faults.add({"kind": "rate_limited", "method": "GET", "path": "/statuses", "seconds": 7})
    with pytest.raises(TransientError) as caught:
        place.forge.look_at(change)
    # The pace adds a little, so that not everybody asks again at once.
    assert 7 <= caught.value.retry_after < 9


def test_the_latest_pull_requests_come_newest_first(place):
    numbers = []
    for name in ("a", "b", "c"):
        place.push(f"feature/{name}", {f"{name}.txt": b"1\n"})
        numbers.append(place.open(f"feature/{name}").number)
    place.git("PATCH", f"pullRequests/{numbers[1]}", {"status": "abandoned"})
    everything = place.forge.changes(REPOSITORY, open_only=False, limit=10)
    assert [one.ref.number for one in everything] == numbers[::-1]
    assert everything[1].state is PullRequestState.CLOSED
    opened = place.forge.changes(REPOSITORY, open_only=True, limit=1)
    assert [one.ref.number for one in opened] == [numbers[2]]
    assert list(place.forge.changes(ref(1, "None").repository, open_only=True, limit=5)) == []


def test_a_file_is_read_at_a_branch_or_commit(place):
    head = place.push("feature/x", {"a.bin": bytes(range(256))})
    assert place.forge.file_at(REPOSITORY, "a.bin", head) == bytes(range(256))
    assert place.forge.file_at(REPOSITORY, "README.md", "feature/x") == b"# Shop\n"
    assert place.forge.file_at(REPOSITORY, "a.bin", "main") is None
    assert place.forge.file_at(REPOSITORY, "a.bin", "f" * 40) is None


def test_permissions_are_those_the_service_works_out(place):
    people = {
        "doneright@acme.example": Permission.ADMIN,
        "ADA@acme.example": Permission.WRITE,
        "rea@acme.example": Permission.READ,
        "nobody@acme.example": Permission.NONE,
        "Ada": Permission.NONE,
    }
    assert {login: place.forge.permission(REPOSITORY, login) for login in people} == people


def test_a_denied_permission_is_none_and_a_list_that_tells_nothing_leaves_it_to_the_project(place, monkeypatch):
    me = place.ask("GET", "/_apis/connectionData", who="ada")["authenticatedUser"]
    project = place.sandbox.project()["id"]
    entry = {"descriptor": me["descriptor"], "allow": 0, "deny": 4}
    body = {"token": f"repoV2/{project}/{place.repository_id}", "merge": True, "accessControlEntries": [entry]}
    place.ask("POST", "/_apis/AccessControlEntries/2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87", body, "admin")
    assert place.forge.permission(REPOSITORY, "ada@acme.example") is Permission.READ
    ask = place.forge._allowed
    monkeypatch.setattr(
        place.forge, "_allowed", lambda token, *rest: None if token.count("/") > 1 else ask(token, *rest)
    )
    assert place.forge.permission(REPOSITORY, "ada@acme.example") is Permission.WRITE


def test_many_looks_at_once_wait_for_no_place_that_they_hold_themselves(place):
    place.push("feature/x", {"a.txt": b"1\n"})
    change = place.open(workItemRefs=[{"id": str(place.item("Task", "Do"))}])

    def look(_):
        before = place.forge.calls
        return place.forge.look_at(change).change.head, place.forge.calls - before

    look(0)
    alone = look(0)
    with ThreadPoolExecutor(40) as threads:
        # Each counts its own questions.
        assert set(threads.map(look, range(40), timeout=60)) == {alone}


def test_we_are_who_the_service_says(place):
    assert place.forge.own_identity().login == "doneright@acme.example"
    before = place.forge.calls
    place.forge.own_identity()
    assert place.forge.calls == before


def test_alerts_are_no_feature_of_the_service(place):
    place.push("feature/x", {"a.txt": b"1\n"})
    alerts = place.forge.alerts(place.look(place.open()).change)
    assert isinstance(alerts, Unknown)
    assert not alerts.supported


def test_a_change_of_a_hundred_files_takes_fifteen_questions_and_one_for_its_page_of_files(place):
    place.push("main", {".azuredevops/pull_request_template.md": b"Why?\n"})
    epic = place.item("Epic", "Grow")
    story = place.item("User Story", "Sell more", place.item("Feature", "Sell", epic))
    gate = place.pipeline("Gate")
    place.policy("0609b952-1397-4640-95ec-e00a01b2c241", {"buildDefinitionId": gate})
    place.push("feature/x", {f"{number}.py": b"x = 1\n" for number in range(100)}, onto=place.head("main"))
    change = place.open(workItemRefs=[{"id": str(story)}])
    place.vote(change, 10)
    place.forge.own_identity()
    before = place.forge.calls
    looked = place.look(change)
    files = place.forge.changed_files(looked.change)
    assert place.forge.calls - before <= 15 + 1
    assert len(files) == 100
    assert len(looked.items[0].parents) == 2
    assert looked.template == "Why?\n"
