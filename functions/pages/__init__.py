"""The HTML people see, rendered from the same views that scripts get as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from functions.pages import graph, portfolio_wording, review_wording, timeline, wording
from shared.agents.health import AgentsView
from shared.connections.keeping import ConnectionCheck
from shared.connections.manifest import ManifestForm, Registered
from shared.domain.activity import IdleListing
from shared.domain.audit import MEANINGS
from shared.domain.backlog import BacklogFinding, BacklogView
from shared.domain.connection import Connection
from shared.domain.decision import MEANS
from shared.domain.review import Reviewed, ReviewRecord
from shared.domain.run import ProjectRecord
from shared.projects.adopting.showing import AdoptionView
from shared.projects.links import Links
from shared.projects.portfolio.viewing import PortfolioRow, PortfolioView
from shared.projects.status import StatusView
from shared.reviews.verdicts import attestable, sorted_findings, verdict

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> Environment:
    # Imported on the first page: webhooks, which come far more often, never need it.
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("functions.pages"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "agent_look": review_wording.agent_look,
        "attestable": attestable,
        "counted": wording.counted,
        "mark_look": wording.mark_look,
        "value": wording.value,
        "duration": wording.duration,
        "finding_look": review_wording.finding_look,
        "from_json": wording.from_json,
        "in_words": review_wording.words,
        "instant": wording.instant,
        "iso": wording.iso,
        "lines": wording.lines,
        "links_in_words": portfolio_wording.links_in_words,
        "look": wording.look,
        "plain": wording.plain,
        "portfolio_look": portfolio_wording.portfolio_look,
        "remark_place": review_wording.place,
        "review_look": review_wording.review_look,
        "rules_in_words": wording.rules_in_words,
        "seed_look": portfolio_wording.seed_look,
        "ticked": review_wording.ticked,
        "step_look": wording.step_look,
        "shell_quoted": wording.shell_quoted,
        "web_address": wording.web_address,
    }
    environment.globals |= {"FORGES": wording.FORGES, "MEANINGS": MEANINGS, "CHOICES": MEANS}
    return environment


def project(view: StatusView, *, decide: str = "", reviews: str = "") -> str:
    """The status page of a project; ``decide`` is where its holder may send a decision, ``reviews`` where its reviews are.

    Both are empty for who may only read the page.
    """
    return (
        _environment()
        .get_template("project.html.j2")
        .render(
            view=view,
            decide=decide,
            reviews=reviews,
            headline=wording.headline(view),
            attention=wording.attention(view),
            elapsed=timeline.elapsed(view),
            timeline=timeline.timeline(view),
            graph=graph.layout(view.steps, list(wording.FORGES)),
            box=(graph.BOX_WIDTH, graph.BOX_HEIGHT),
            row_height=timeline.ROW_HEIGHT,
        )
    )


def projects(rows: Sequence[ProjectRecord], links: Links) -> str:
    """Every project, the latest first."""
    return _environment().get_template("projects.html.j2").render(rows=[(row, links.status(row.id)) for row in rows])


def portfolio(view: PortfolioView) -> str:
    """The page of a portfolio: each project and each epic, with what failed and why."""
    template = _environment().get_template("portfolio.html.j2")
    return template.render(view=view, headline=portfolio_wording.portfolio_headline(view))


def portfolios(rows: Sequence[PortfolioRow], code: str = "") -> str:
    """Every portfolio, the latest first; ``code`` is the function key the page itself was opened with."""
    query = f"?{urlencode({'code': code})}" if code else ""
    return _environment().get_template("portfolios.html.j2").render(rows=rows, query=query)


def adoption(view: AdoptionView, *, consent: str = "", status: str = "") -> str:
    """An adoption's plan; ``consent`` is where its holder may send consent, empty for who may only read."""
    return _environment().get_template("adoption.html.j2").render(view=view, consent=consent, status=status)


def stale(listing: IdleListing, *, remove: Callable[[str], str]) -> str:
    """The empty and stale projects; ``remove`` tells where the removal of a project is asked for, empty for nowhere."""
    return _environment().get_template("stale.html.j2").render(listing=listing, remove=remove)


def backlog(view: BacklogView) -> str:
    """A project's backlogs as trees, with what is wrong in them beside each item."""
    by_item: dict[str, dict[int, list[BacklogFinding]]] = {}
    for one in view.backlogs:
        for finding in one.findings:
            by_item.setdefault(one.forge, {}).setdefault(finding.item, []).append(finding)
        by_item.setdefault(one.forge, {})
    return _environment().get_template("backlog.html.j2").render(view=view, by_item=by_item)


def review(
    record: ReviewRecord,
    reviewed: Reviewed | None,
    heads: Sequence[ReviewRecord],
    address: Callable[[str], str] | None = None,
) -> str:
    """A review: verdict, criteria by what they mean for the merge, agents, evidence, and the reviews before it.

    ``address`` tells where the review of that id can be read; ``None`` where the reader may read no other.
    """
    found = sorted_findings(reviewed.findings) if reviewed else None
    return (
        _environment()
        .get_template("review.html.j2")
        .render(
            record=record,
            verdict=reviewed,
            headline=review_wording.headline(record, reviewed, verdict(reviewed) if reviewed else ""),
            groups=review_wording.groups(found, advisory=reviewed.advisory) if reviewed and found else [],
            heads=review_wording.newest_first(heads),
            addresses={one.id: address(one.id) for one in heads} if address else {},
            running=review_wording.under_way(record),
            most_remarks=review_wording.MOST_REMARKS,
        )
    )


def reviews(name: str, rows: Sequence[ReviewRecord], code: str = "") -> str:
    """The newest review of each pull request of a project; ``code`` is the function key the page was opened with."""
    query = f"?{urlencode({'code': code})}" if code else ""
    return _environment().get_template("reviews.html.j2").render(name=name, rows=rows, query=query)


def agents(view: AgentsView) -> str:
    """How the agents are, and whether their model can be asked."""
    return _environment().get_template("agents.html.j2").render(view=view)


def not_found(project_id: str) -> str:
    """There is no such project, and where to look instead."""
    return _environment().get_template("not_found.html.j2").render(project=project_id)


def refusal(said: Mapping[str, Any]) -> str:
    """A refusal as a page: ``said`` is the body of the RFC 9457 problem that a script would get."""
    return _environment().get_template("refusal.html.j2").render(said=said, phrase=said["title"])


def connection_check(connection: Connection, check: ConnectionCheck) -> str:
    """What a connection may do, permission by permission."""
    return _environment().get_template("connection_check.html.j2").render(connection=connection, check=check)


def github_app(connection: Connection, form: ManifestForm) -> str:
    """The page whose button registers the GitHub App."""
    return _environment().get_template("github_app.html.j2").render(connection=connection, form=form)


def github_app_registered(connection: Connection, registered: Registered) -> str:
    """The App is registered; where to install it."""
    template = _environment().get_template("github_app_registered.html.j2")
    return template.render(connection=connection, registered=registered)
