"""An epic stands once in each project's backlog, read back, linked to the others, and what people removed stays removed."""

from __future__ import annotations

import pytest

from shared.domain.audit import TENANT, AuditTag
from shared.domain.portfolio import EpicTask, PortfolioRun, PortfolioState, SeededEpic, SeedState, key_of
from shared.errors import RefusedError, TransientError
from shared.projects.portfolio import epics, running
from shared.projects.portfolio.ports import EpicForges
from tests.fakes.app import App
from tests.fakes.forges import Fault
from tests.fakes.portfolios import EPIC, MemoryReach, a_file, begin


@pytest.fixture
def app():
    made = App()
    made.connect_to()
    return made


@pytest.fixture
def reach(app):
    made = MemoryReach()
    app.reach = EpicForges(links=made, issues=made)
    return made


def started(app: App, file=None) -> PortfolioRun:
    run = begin(app, file or a_file(epics=[EPIC]))
    running.draw(app.portfolios, run)
    return run


KEY = key_of(EPIC["title"])


def task(run: PortfolioRun, project: str, reason: str = "") -> EpicTask:
    return EpicTask(run=run, epic=KEY, project=project, reason=reason)


def row(app: App, run: PortfolioRun, project: str) -> SeededEpic:
    return app.portfolios.epics.get(run.id, f"{KEY}.{project}")[0]


def items(app: App, project: str):
    return [(item.type, item.title, item.parent_id) for item in app.azure.items[project.lower()]]


@pytest.mark.parametrize(
    ("process", "below"), [("agile", "Feature"), ("scrum", "Feature"), ("cmmi", "Feature"), ("basic", "Issue")]
)
def test_the_epic_and_its_features_have_the_types_of_the_process(app, process, below):
    file = a_file(epics=[EPIC], defaults={"owner": "casey", "stack": "fastapi", "process": process})
    run = started(app, file)
    assert epics.seed(app.portfolios, task(run, "order-desk")) is SeedState.APPLIED
    (epic, feature) = app.azure.items["order desk"]
    assert (epic.type, epic.title, epic.parent_id) == ("Epic", EPIC["title"], None)
    assert (feature.type, feature.title, feature.parent_id) == (below, "Accept the shared token", epic.id)
    assert all("portfolio:shop" in item.tags for item in (epic, feature))
    assert "doneright" not in epic.tags, "the seed backlog of a project must not take it for its own"


def test_seeding_again_finds_it_by_its_tag(app):
    run = started(app)
    epics.seed(app.portfolios, task(run, "order-desk"))
    before = len(app.azure.changes())
    assert epics.seed(app.portfolios, task(run, "order-desk")) is SeedState.CONFIRMED
    assert len(app.azure.changes()) == before
    # Even where our own note of it was lost.
    app.portfolios.epics.put(run.id, f"{KEY}.order-desk", row(app, run, "order-desk").model_copy(update={"made": ()}))
    assert epics.seed(app.portfolios, task(run, "order-desk")) is SeedState.CONFIRMED
    assert len(items(app, "Order Desk")) == 2


def test_an_answer_that_is_lost_makes_no_second_item(app):
    run = started(app)
    app.azure.fail("create_work_item", Fault.LOST)
    with pytest.raises(TransientError):
        epics.seed(app.portfolios, task(run, "order-desk"))
    assert epics.seed(app.portfolios, task(run, "order-desk")) is SeedState.APPLIED
    assert len(items(app, "Order Desk")) == 2
    (event,) = [event for event in app.events("order-desk") if event.tag is AuditTag.AZURE_DEVOPS_EPIC_SEEDED]
    assert event.detail["items"] == 2


def test_what_people_removed_stays_removed_and_takes_no_new_features(app):
    run = started(app)
    epics.seed(app.portfolios, task(run, "order-desk"))
    app.azure.items["order desk"].clear()
    assert epics.seed(app.portfolios, task(run, "order-desk")) is SeedState.CONFIRMED
    assert items(app, "Order Desk") == []
    assert "removed" in row(app, run, "order-desk").reason
    assert row(app, run, "order-desk").number == 0


def test_a_changed_file_adds_the_new_feature_alone(app):
    epics.seed(app.portfolios, task(started(app), "order-desk"))
    more = EPIC | {"features": {"Order Desk": ["Accept the shared token", "Sign out everywhere"]}}
    app.portfolios.portfolios.put("portfolios", "shop", _ended(app))
    again = started(app, a_file(epics=[more]))
    assert epics.seed(app.portfolios, task(again, "order-desk")) is SeedState.APPLIED
    assert [title for _, title, _ in items(app, "Order Desk")] == [
        EPIC["title"], "Accept the shared token", "Sign out everywhere"
    ]  # fmt: skip


def _ended(app: App):
    found = app.portfolios.portfolios.get("portfolios", "shop")[0]
    return found.model_copy(update={"state": PortfolioState.COMPLETED})


def test_a_refusal_is_told_with_its_remedy_and_tried_again(app):
    run = started(app)
    app.azure.fail("create_work_item", Fault.REFUSED)
    assert epics.seed(app.portfolios, task(run, "order-desk")) is SeedState.FAILED
    assert row(app, run, "order-desk").reason
    assert AuditTag.AZURE_DEVOPS_EPIC_FAILED in app.tags("order-desk")
    assert epics.seed(app.portfolios, task(run, "order-desk")) is SeedState.APPLIED
    assert row(app, run, "order-desk").reason == ""


def test_seeding_is_on_record_in_the_project_and_the_tenant(app):
    run = started(app)
    epics.seed(app.portfolios, task(run, "order-desk"))
    for log in ("order-desk", TENANT):
        (event,) = [event for event in app.events(log) if event.tag is AuditTag.AZURE_DEVOPS_EPIC_SEEDED]
        assert event.artifacts == (run.file,)
        assert event.detail["items"] == 2


def test_without_an_adapter_for_it_linking_is_not_supported_and_said(app):
    run = started(app)
    for project in ("order-desk", "web-shop"):
        epics.seed(app.portfolios, task(run, project))
    assert epics.link(app.portfolios, task(run, "order-desk")) is SeedState.UNSUPPORTED
    assert row(app, run, "order-desk").link_reason


def test_epics_are_related_across_projects_once_and_read_back(app, reach):
    run = started(app)
    for project in ("order-desk", "web-shop"):
        epics.seed(app.portfolios, task(run, project))
    assert epics.link(app.portfolios, task(run, "order-desk")) is SeedState.APPLIED
    # A relation shows on both sides.
    assert epics.link(app.portfolios, task(run, "web-shop")) is SeedState.CONFIRMED
    mine, other = row(app, run, "order-desk"), row(app, run, "web-shop")
    assert reach.links[mine.number] == {str(other.number)}
    assert reach.links[other.number] == {str(mine.number)}
    assert (mine.others, reach.changes) == (1, 1)
    assert AuditTag.AZURE_DEVOPS_EPIC_LINKED in app.tags("order-desk")


def test_links_that_do_not_show_yet_are_waited_for(app, reach):
    run = started(app)
    for project in ("order-desk", "web-shop"):
        epics.seed(app.portfolios, task(run, project))
    reach.unseen = 2
    with pytest.raises(TransientError, match="do not show yet"):
        epics.link(app.portfolios, task(run, "order-desk"))
    assert epics.link(app.portfolios, task(run, "order-desk")) is SeedState.CONFIRMED


def test_an_epic_alone_has_nothing_to_be_linked_to(app, reach):
    run = started(app)
    epics.seed(app.portfolios, task(run, "order-desk"))
    assert epics.link(app.portfolios, task(run, "order-desk")) is SeedState.CONFIRMED
    assert row(app, run, "order-desk").others == 0
    assert reach.changes == 0


ON_GITHUB = {"owner": "casey", "stack": "fastapi", "forges": ["github"]}


def test_on_github_alone_the_epic_is_an_issue_with_its_features_as_tasks(app, reach):
    run = started(app, a_file(epics=[EPIC], defaults=ON_GITHUB))
    assert epics.seed(app.portfolios, task(run, "order-desk")) is SeedState.APPLIED
    assert epics.seed(app.portfolios, task(run, "order-desk")) is SeedState.CONFIRMED
    (issue,) = reach.issues["acme/order-desk"]
    assert issue.labels == ("portfolio",)
    for words in ("People sign in once.", "- Signing out ends every session", "- [ ] Accept the shared token"):
        assert words in issue.body
    assert app.azure.items == {}
    assert AuditTag.GITHUB_EPIC_SEEDED in app.tags("order-desk")


def test_issues_list_their_siblings_and_keep_what_people_wrote(app, reach):
    run = started(app, a_file(epics=[EPIC], defaults=ON_GITHUB))
    for project in ("order-desk", "web-shop"):
        epics.seed(app.portfolios, task(run, project))
    issue = reach.issues["acme/order-desk"][0]
    reach.edit_issue_body(issue.ref, 1, issue.body + "\n\nOur own notes.")
    assert epics.link(app.portfolios, task(run, "order-desk")) is SeedState.APPLIED
    body = reach.issues["acme/order-desk"][0].body
    assert "https://github.example/acme/web-shop/issues/1" in body
    assert "Our own notes." in body
    assert epics.link(app.portfolios, task(run, "order-desk")) is SeedState.CONFIRMED
    # A sibling more replaces the list instead of adding another.
    other = row(app, run, "web-shop").model_copy(update={"url": "https://github.example/acme/web-shop/issues/9"})
    app.portfolios.epics.put(run.id, f"{KEY}.web-shop", other)
    assert epics.link(app.portfolios, task(run, "order-desk")) is SeedState.APPLIED
    body = reach.issues["acme/order-desk"][0].body
    assert body.count("The same epic in other projects") == 1
    assert "issues/9" in body


def test_an_issue_that_is_gone_cannot_be_linked_and_is_told(app, reach):
    run = started(app, a_file(epics=[EPIC], defaults=ON_GITHUB))
    for project in ("order-desk", "web-shop"):
        epics.seed(app.portfolios, task(run, project))
    reach.issues["acme/order-desk"].clear()
    assert epics.link(app.portfolios, task(run, "order-desk")) is SeedState.FAILED
    assert "not there any more" in row(app, run, "order-desk").link_reason
    assert epics.seed(app.portfolios, task(run, "order-desk")) is SeedState.CONFIRMED
    assert "removed" in row(app, run, "order-desk").reason


def test_a_created_issue_that_does_not_show_yet_is_waited_for(app, reach):
    run = started(app, a_file(epics=[EPIC], defaults=ON_GITHUB))
    reach.unseen = 2
    with pytest.raises(TransientError, match="does not show yet"):
        epics.seed(app.portfolios, task(run, "order-desk"))
    assert epics.seed(app.portfolios, task(run, "order-desk")) is SeedState.CONFIRMED
    assert len(reach.issues["acme/order-desk"]) == 1


def test_boards_and_issues_are_linked_to_one_another(app, reach):
    file = a_file(epics=[EPIC])
    file["projects"][2]["forges"] = ["github"]
    run = started(app, file)
    for project in ("order-desk", "web-shop"):
        epics.seed(app.portfolios, task(run, project))
    for project in ("order-desk", "web-shop"):
        assert epics.link(app.portfolios, task(run, project)) is SeedState.APPLIED
    issue, item = row(app, run, "web-shop"), row(app, run, "order-desk")
    assert reach.links[item.number] == {issue.url}
    assert item.url in reach.issues["acme/web-shop"][0].body


def test_what_was_written_forges_no_mark_and_mentions_nobody(app, reach):
    evil = EPIC | {"description": "<!-- doneright:portfolio:shop:x --> @everyone"}
    run = started(app, a_file(epics=[evil], defaults=ON_GITHUB))
    epics.seed(app.portfolios, task(run, "order-desk"))
    body = reach.issues["acme/order-desk"][0].body
    assert body.count("<!-- doneright:portfolio:") == 1
    assert "@everyone" not in body


def test_without_an_adapter_for_issues_seeding_is_not_supported_and_said(app):
    run = started(app, a_file(epics=[EPIC], defaults=ON_GITHUB))
    assert epics.seed(app.portfolios, task(run, "order-desk")) is SeedState.UNSUPPORTED
    assert epics.link(app.portfolios, task(run, "order-desk")) is SeedState.UNSUPPORTED


def test_what_breaks_is_written_down(app):
    run = started(app)
    assert epics.end_broken(app.portfolios, task(run, "order-desk", "a defect")) is SeedState.FAILED
    assert row(app, run, "order-desk").reason == "a defect"
    epics.seed(app.portfolios, task(run, "order-desk"))
    assert epics.end_broken(app.portfolios, task(run, "order-desk", "a defect")) is SeedState.FAILED
    assert (row(app, run, "order-desk").state, row(app, run, "order-desk").linked) == (
        SeedState.APPLIED, SeedState.FAILED
    )  # fmt: skip


def test_a_connection_without_boards_any_more_is_told(app):
    run = started(app)
    app.unreachable["acme"] = RefusedError("the token expired", "Renew it.")
    assert epics.seed(app.portfolios, task(run, "order-desk")) is SeedState.FAILED
    assert row(app, run, "order-desk").remedy == "Renew it."
