"""Draws a page: the only place where the page model meets HTML, with every value escaped by Jinja2."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from local.sandbox.browser.blocks import StepState
from local.sandbox.browser.cells import Tone
from local.sandbox.browser.highlight import highlight
from local.sandbox.browser.links import safe_link
from local.sandbox.browser.page import Page
from local.sandbox.browser.prose import inline_markdown, markdown

type Forge = Literal["github", "azure_devops"]

SITE_NAMES: dict[Forge, str] = {"github": "GitHub sandbox", "azure_devops": "Azure DevOps sandbox"}
TEMPLATES = Path(__file__).parent / "templates"

_STEP_TONES = {
    StepState.PENDING: Tone.NEUTRAL,
    StepState.RUNNING: Tone.ACTIVE,
    StepState.WAITING: Tone.WARNING,
    StepState.SUCCEEDED: Tone.SUCCESS,
    StepState.FAILED: Tone.DANGER,
    StepState.SKIPPED: Tone.NEUTRAL,
    StepState.CANCELLED: Tone.NEUTRAL,
    StepState.NOT_SUPPORTED: Tone.INFO,
}
_RESERVED_IDS = frozenset({"content", "title", "details", "auto-refresh"})
_SHOWN_AS_AGE = timedelta(days=7)


def spoken_age(at: datetime, now: datetime) -> str:
    """Say how long ago (or ahead) `at` is, in words, up to a week; beyond that, the UTC date."""
    distance = now - at
    if abs(distance) >= _SHOWN_AS_AGE:
        moment = at.astimezone(UTC)
        return f"{moment.day} {moment:%b %Y}"
    seconds = int(abs(distance).total_seconds())
    if seconds < 10:
        return "just now"
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        count = seconds // size
        if count:
            amount = f"{count} {unit}{'s' if count > 1 else ''}"
            return f"{amount} ago" if distance > timedelta(0) else f"in {amount}"
    return "just now"


def spoken_duration(duration: timedelta) -> str:
    """Write a duration with its two largest units: `420 ms`, `3.2 s`, `2 min 5 s`, `1 h 3 min`."""
    seconds = max(duration.total_seconds(), 0.0)
    if round(seconds, 3) < 1:
        return f"{round(seconds * 1000)} ms"
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _exact(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _initials(name: str) -> str:
    words = name.replace("-", " ").replace("_", " ").split()
    return "".join(word[0] for word in words[:2]).upper() or "?"


@pass_context
def _age(context: Context, at: datetime) -> str:
    return spoken_age(at, context["now"])


@pass_context
def _markdown(context: Context, source: str, level: int) -> Markup:
    return markdown(source, level=level, ids=context["ids"])


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    environment.filters |= {
        "age": _age,
        "duration": spoken_duration,
        "exact": _exact,
        "initials": _initials,
        "inline_markdown": inline_markdown,
        "iso": lambda at: at.astimezone(UTC).isoformat(),
        "kind": lambda value: type(value).__name__,
        "lines": highlight,
        "markdown": _markdown,
        "safe_link": safe_link,
        "step_tone": lambda state: _STEP_TONES[state],
    }
    return environment


def _taken_ids(page: Page) -> set[str]:
    """Ids of the layout and of event anchors, so that no heading of a comment takes one of them."""
    taken = set(_RESERVED_IDS)

    def collect(events: Any) -> None:
        for event in events:
            if event.anchor:
                taken.add(event.anchor)
            collect(event.replies)

    for block in (*page.blocks, *page.aside):
        if hasattr(block, "events"):
            collect(block.events)
    return taken


def render(page: Page, *, forge: Forge, now: datetime) -> str:
    """Draw `page` as a complete HTML document.

    `now` (aware) is the moment ages are counted from. The document refers to `/_browser/…` for its style, icons and script.
    """
    template = _environment().get_template("layout.html.j2")
    return template.render(page=page, forge=forge, site=SITE_NAMES[forge], now=now, ids=_taken_ids(page))
