"""What people see in each state, that hostile words stay words, and that the pages can be used by everyone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from functions import pages
from functions.problems import page
from shared.connections import manifest
from shared.connections.keeping import ForgeCheck
from shared.domain.audit import MEANINGS
from shared.domain.connection import Connection
from shared.domain.forge import ForgeName, PermissionFinding
from shared.domain.plan import StepState
from shared.domain.project import RequestOrigin
from shared.domain.run import ProjectRecord, ProjectState
from shared.projects.links import Links
from shared.projects.status import StatusView
from tests.unit.functions.pages import portfolios
from tests.unit.functions.pages.connections import REGISTERED, a_check
from tests.unit.functions.pages.parsed import Page

REFUSAL = {
    "title": "Bad Request",
    "status": 400,
    "detail": "1 field is missing or wrong",
    "correlation": "c-1",
    "remedy": "Correct it.",
    "errors": [
        {"field": "owner", "problem": "is missing", "example": "octocat"},
        {"field": "x", "problem": "is not one"},
    ],
}
LINKS = Links("https://doneright.example", b"key")
EVIL = "</title></style></svg><script>alert(1)</script>\"' onload=alert(1) x='\u202e{{ 7*7 }}"


def records(*views: StatusView) -> list[ProjectRecord]:
    shared = set(ProjectRecord.model_fields) & set(StatusView.model_fields)
    return [
        ProjectRecord.model_validate({name: getattr(view, name) for name in shared} | {"subject": "s"})
        for view in views
    ]


@pytest.fixture
def every_page(examples: dict[str, Callable[[], StatusView]], connection: Connection) -> dict[str, str]:
    views = {name: make() for name, make in examples.items()}
    return {name: pages.project(view) for name, view in views.items()} | {
        "projects": pages.projects(records(*views.values()), LINKS),
        "no projects": pages.projects([], LINKS),
        "portfolio": pages.portfolio(portfolios.running()),
        "partly failed portfolio": pages.portfolio(portfolios.partly_failed()),
        "portfolios": pages.portfolios(portfolios.rows()),
        "no portfolios": pages.portfolios([]),
        "not found": pages.not_found("nothing"),
        "refusal": pages.refusal(REFUSAL),
        "check": pages.connection_check(connection, a_check()),
        "app": pages.github_app(connection, manifest.form(connection, LINKS, "state")),
        "registered": pages.github_app_registered(connection, REGISTERED),
    }


def test_every_page_has_landmarks_headings_and_names(every_page: dict[str, str]) -> None:
    for html in every_page.values():
        seen = Page(html)
        assert seen.one("html")["lang"] == "en"
        assert seen.title.endswith("· Doneright")
        assert [len(seen.all(tag)) for tag in ("header", "main", "footer", "h1")] == [1, 1, 1, 1]
        assert seen.one("a", class_="skip")["href"] == "#" + seen.one("main")["id"]
        levels = [int(e.tag[1]) for e in seen.elements if e.tag in {"h1", "h2", "h3", "h4"}]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        ids = [e["id"] for e in seen.elements if "id" in e.attributes]
        assert len(ids) == len(set(ids))
        for element in seen.elements:
            for name in element.attributes.get("aria-labelledby", "").split():
                assert name in ids
            if element.tag == "use" or element.attributes.get("href", "").startswith("#"):
                assert element["href"].removeprefix("#") in ids
        for link in [*seen.all("a"), *seen.all("button"), *seen.all("th")]:
            assert link.text.strip()


def test_every_table_is_scoped_and_stays_one_when_stacked(every_page: dict[str, str]) -> None:
    seen = [Page(html) for html in every_page.values()]
    tables = [table for one in seen for table in one.all("table")]
    assert len(tables) > 5
    roles = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}
    for one in seen:
        for element in one.elements:
            if element.tag in roles:
                assert element["role"] == roles[element.tag]
            if element.tag == "th":
                assert element["role"] == {"col": "columnheader", "row": "rowheader"}[element["scope"]]
            if element.tag == "table":
                assert element.attributes.keys() & {"aria-label", "aria-labelledby"}


def test_pages_keep_to_their_content_security_policy(every_page: dict[str, str]) -> None:
    for html in every_page.values():
        policy = page(html).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        for element in Page(html).elements:
            assert element.tag not in {"script", "iframe", "object", "embed", "img", "base"}
            assert not [name for name in element.attributes if name.startswith("on")]
            if element.tag == "link":
                assert element["href"].startswith("data:")


def test_pictures_are_named_and_described(examples: dict[str, Callable[[], StatusView]]) -> None:
    view = examples["failed"]()
    seen = Page(pages.project(view))
    pictures = seen.all("svg", role="img")
    assert len(pictures) == 2
    for picture in pictures:
        assert [e.tag for e in seen.elements if e.attributes.get("id") in picture["aria-labelledby"].split()] == [
            "title",
            "desc",
        ]
    plan = next(e for e in seen.elements if e.attributes.get("id") == "plan-desc").text
    assert "Scaffold (fastapi) in one commit (Azure DevOps): Failed, needs Repository Payments gateway." in plan
    assert "Rules of main (GitHub): Not supported" in plan
    hidden = [
        e for e in seen.all("svg") if e.attributes.get("role") != "img" and e.attributes.get("aria-hidden") != "true"
    ]
    assert all(any(around in pictures for around in e.inside()) for e in hidden)
    region = seen.one("div", role="region")
    assert region["tabindex"] == "0"


@pytest.mark.parametrize("name", ["running", "drawing", "compensating"])
def test_a_running_project_renews_itself(name: str, examples: dict[str, Callable[[], StatusView]]) -> None:
    (refresh,) = Page(pages.project(examples[name]())).all("meta", **{"http-equiv": "refresh"})
    assert refresh["content"] == "2"


RENEWED = {ProjectState.RUNNING, ProjectState.COMPENSATING, ProjectState.REMOVING}


@pytest.mark.parametrize("state", sorted(set(ProjectState) - RENEWED))
def test_an_ended_project_does_not(state: ProjectState, view_of: Callable[..., StatusView]) -> None:
    assert not Page(pages.project(view_of(state))).all("meta", **{"http-equiv": "refresh"})


def test_no_other_page_renews_itself(every_page: dict[str, str]) -> None:
    renewing = {name for name, html in every_page.items() if Page(html).all("meta", **{"http-equiv": "refresh"})}
    assert renewing == {"running", "drawing", "compensating", "portfolio"}


def test_a_failure_says_what_failed_why_and_what_to_do(examples: dict[str, Callable[[], StatusView]]) -> None:
    view = examples["failed"]()
    seen = Page(pages.project(view))
    assert seen.title == "Failed: Payments gateway · Doneright"
    assert "1 step failed, so 2 steps were not tried." in seen.text
    failure, unsupported = seen.all("li", class_="notice tone-danger") + seen.all("li", class_="notice tone-special")
    assert "TF401027" in failure.text
    assert "What to do: Give the identity of the connection Contribute" in failure.text
    assert "Take a plan that protects branches" in unsupported.text
    row = seen.one("tr", id="step-azure_devops.scaffold")
    assert " ".join(row.text.split()).startswith(
        "Scaffold (fastapi) in one commitazure_devops.scaffold Azure DevOps Failed 2.4 s 1"
    )
    assert "What to do: Give the identity" in " ".join(row.text.split())
    progress = {"value": str(view.total - 3), "max": str(view.total), "aria-label": "Steps done"}
    assert seen.one("progress").attributes.items() >= progress.items()


ACTION = "/api/projects/payments-gateway/decision?code=k%26y"


def test_whoever_holds_a_key_finds_a_button_for_each_decision(examples: dict[str, Callable[[], StatusView]]) -> None:
    shown = Page(pages.project(examples["awaiting"](), decide=ACTION))
    forms = shown.all("form", method="post")
    assert [form["action"] for form in forms] == [ACTION] * 3
    assert [field["value"] for field in shown.all("input", name="decision")] == ["retry", "compensate", "accept"]
    described = {button["aria-describedby"] for button in shown.all("button")}
    assert all(shown.all("span", id=name) for name in described)
    assert "by 2026-03-05 09:30:00 UTC it is compensated" in " ".join(shown.all("main")[0].text.split())


def test_whoever_may_only_read_is_told_how_to_decide(examples: dict[str, Callable[[], StatusView]]) -> None:
    shown = Page(pages.project(examples["awaiting"]()))
    assert not shown.all("form")
    told = shown.all("main")[0].text
    for choice in ("retry", "compensate", "accept"):
        assert f"/doneright {choice}" in told
    assert "POST /api/projects/payments-gateway/decision" in told


@pytest.mark.parametrize("name", ["running", "failed", "completed", "accepted", "compensating", "compensated"])
def test_there_is_nothing_to_decide_where_nobody_asks(name: str, examples: dict[str, Callable[[], StatusView]]) -> None:
    assert not Page(pages.project(examples[name](), decide=ACTION)).all("form")


def test_what_was_decided_is_told(examples: dict[str, Callable[[], StatusView]]) -> None:
    told = " ".join(Page(pages.project(examples["compensated"]())).all("main")[0].text.split())
    assert "Decided by p-7c1f0a on 2026-03-02 09:30:00 UTC: remove again what this run itself made" in told


def test_a_project_that_was_taken_back_claims_nothing_that_is_gone(
    examples: dict[str, Callable[[], StatusView]],
) -> None:
    told = pages.project(examples["compensated"]())
    assert "Removed again" in told
    assert ">Made<" not in told
    assert "What needs attention" not in told


def test_what_could_not_be_removed_needs_attention_with_its_remedy(
    examples: dict[str, Callable[[], StatusView]],
) -> None:
    shown = Page(pages.project(examples["not taken back"]()))
    (notice,) = [item for item in shown.all("li") if "notice" in item.attributes.get("class", "")]
    assert "Still there" in notice.text
    assert "You may not delete projects." in notice.text
    assert "Ask an administrator of the organisation." in notice.text


def test_a_running_project_says_how_far_it_is(examples: dict[str, Callable[[], StatusView]]) -> None:
    view = examples["running"]()
    seen = Page(pages.project(view))
    assert f"Running 2/{view.total}" in seen.title
    assert "The project is being set up; 1 step waits for something outside." in seen.text
    assert f"2 of {view.total} steps done" in seen.text
    assert "4.2 s so far" in seen.text
    assert "What is waited for" in seen.text
    assert "Azure DevOps project: not there yet" in seen.text
    assert [a["href"] for a in seen.all("a", class_="external button")] == [
        "https://github.com/contoso/payments-gateway", "https://github.com/contoso/requests/issues/42",
    ]  # fmt: skip


def test_a_completed_project_shows_its_places_and_proof(examples: dict[str, Callable[[], StatusView]]) -> None:
    view = examples["completed"]()
    seen = Page(pages.project(view))
    assert "The project stands as planned; every step was read back." in seen.text
    assert "14 s from start to end" in seen.text
    assert "attention" not in seen.text
    assert {view.links["github"], view.links["azure_devops"], view.links["issue"]} <= {a["href"] for a in seen.all("a")}
    whole = [e.text for e in seen.all("code", class_="whole")]
    assert view.record.root in whole
    assert f"curl -H 'x-functions-key: …' '{view.record.verify_url}'" in whole
    assert "9f2c4d1e9f2c…2c4d1e" in seen.text
    numbers = [int(e.text) for e in seen.all("td", **{"data-label": "Number"})]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == view.record.size
    for event in view.record.latest:
        assert event.tag in seen.text
        assert MEANINGS[event.tag] in seen.text


def test_unsupported_alone_is_no_failure(view_of: Callable[..., StatusView]) -> None:
    view = view_of(ProjectState.COMPLETED, {"github.branch_rules": StepState.UNSUPPORTED})
    assert "as planned and was read back; 1 step is not supported here." in Page(pages.project(view)).text


def test_advice_and_a_failure_without_steps_are_told(
    examples: dict[str, Callable[[], StatusView]], view_of: Callable[..., StatusView]
) -> None:
    assert "This is what would be done. Nothing was changed." in Page(pages.project(examples["advised"]())).text
    bare = view_of(ProjectState.FAILED, reason="the connection is gone").model_copy(update={"steps": (), "total": 0})
    text = Page(pages.project(bare)).text
    assert "The project could not be set up." in text
    assert "the connection is gone" in text
    assert "No plan was drawn." in text


def test_before_the_plan_there_is_nothing_to_verify(examples: dict[str, Callable[[], StatusView]]) -> None:
    seen = Page(pages.project(examples["drawing"]()))
    assert "The plan is being drawn." in seen.text
    assert "curl" not in seen.text
    assert not seen.all("progress")


def test_the_request_is_shown_as_asked(examples: dict[str, Callable[[], StatusView]]) -> None:
    text = Page(pages.project(examples["completed"]())).text
    for said in (
        "contoso/payments",
        "fastapi",
        "agile",
        "private",
        "Azure DevOps, GitHub",
        "Refund in part",
        "no force pushes",
    ):
        assert said in text
    assert "contoso/requests#42" in text


def hostile(view: StatusView) -> StatusView:
    step = view.steps[2].model_copy(
        update={"title": EVIL, "reason": EVIL, "remedy": EVIL, "url": "javascript:alert(1)", "state": StepState.FAILED}
    )
    request = view.request.model_copy(
        update={"name": EVIL, "owner": EVIL, "description": EVIL, "backlog": (EVIL, "x" * 255)}
    )
    origin = RequestOrigin(subject=EVIL, requester=EVIL, repository=EVIL, issue=1, url="javascript:alert(1)")
    event = view.record.latest[0].model_copy(update={"subject": EVIL, "step": EVIL})
    return view.model_copy(
        update={
            "name": EVIL, "reason": EVIL, "request": request, "origin": origin, "instance": EVIL,
            "steps": (*view.steps[:2], step, *view.steps[3:]),
            "links": {"github": "javascript:alert(1)", "azure_devops": "data:text/html,x", "issue": "https://a.example/'\"><script>"},
            "record": view.record.model_copy(
                update={"latest": (event,), "verify_url": "https://a.example/';rm -rf ~;'", "events_url": EVIL}
            ),
        }
    )  # fmt: skip


def assert_harmless(html: str) -> None:
    seen = Page(html)
    assert not seen.all("script")
    assert "49" not in seen.one("h1").text
    for element in seen.elements:
        assert not [name for name in element.attributes if name.startswith("on")]
        for name in ("href", "action"):
            if (value := element.attributes.get(name)) is not None and element.tag != "link":
                assert value.startswith(("https://", "http://", "#", "../"))


@pytest.mark.parametrize("name", ["running", "failed", "completed", "advised"])
def test_hostile_words_stay_words_on_the_status_page(name: str, examples: dict[str, Callable[[], StatusView]]) -> None:
    html = pages.project(hostile(examples[name]()))
    assert_harmless(html)
    seen = Page(html)
    assert EVIL in seen.one("h1").text
    assert "\u202e" not in seen.title
    assert "javascript:alert(1)" in seen.text
    assert not [a for a in seen.all("a") if "javascript" in a["href"]]
    assert "'https://a.example/'\\'';rm -rf ~;'\\'''" in seen.text


def test_hostile_words_stay_words_elsewhere(
    examples: dict[str, Callable[[], StatusView]], connection: Connection
) -> None:
    check = a_check(
        forges=(
            ForgeCheck(
                forge=ForgeName.GITHUB, reachable=True,
                permissions=(PermissionFinding(permission=EVIL, needed_for=EVIL, present=None, remedy=EVIL),),
            ),
            ForgeCheck(forge=ForgeName.AZURE_DEVOPS, reachable=False, reason=EVIL, remedy=EVIL),
        )
    )  # fmt: skip
    evil_github = connection.github.model_copy(update={"organization": EVIL, "web_url": 'https://a.example/"><script>'})
    evil = connection.model_copy(update={"github": evil_github})
    form = manifest.form(evil, LINKS, "s")
    registered = REGISTERED.model_copy(update={"slug": EVIL, "install_url": "javascript:alert(1)"})
    for html in (
        pages.projects(records(hostile(examples["failed"]())), LINKS),
        pages.not_found(EVIL),
        pages.connection_check(evil, check),
        pages.github_app_registered(evil, registered),
        pages.github_app(evil, form.model_copy(update={"action": "https://a.example/x"})),
    ):
        assert_harmless(html)
        assert EVIL.partition("{{")[0].rstrip() in Page(html).one("body").text


def test_projects_link_to_their_pages(examples: dict[str, Callable[[], StatusView]]) -> None:
    rows = records(examples["running"](), examples["failed"]())
    seen = Page(pages.projects(rows, LINKS))
    assert [a["href"] for a in seen.all("a") if "class" not in a.attributes] == [LINKS.status(row.id) for row in rows]
    assert "2 projects, the latest first." in seen.text
    assert "14 s" in seen.text
    assert "azure_devops.scaffold failed" in seen.text
    assert "There is no project yet." in Page(pages.projects([], LINKS)).text


def test_a_project_that_is_not_there_is_named() -> None:
    seen = Page(pages.not_found("paymnets"))
    assert "There is no project paymnets" in seen.one("h1").text
    assert "../projects" in [a["href"] for a in seen.all("a")]
