"""The palette reaches WCAG 2.2 AA contrast in light and dark, every state has its icon, and nothing is loaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from functions import pages
from functions.pages.wording import PROJECT_LOOKS, STEP_LOOKS
from shared.domain.plan import StepState
from shared.domain.run import ProjectState

TEMPLATES = Path(pages.__file__).parent / "templates"
CSS = (TEMPLATES / "style.css").read_text()
LOOKS = [*STEP_LOOKS.values(), *PROJECT_LOOKS.values()]
TONES = sorted({look.tone for look in LOOKS})
TEXT_ON_GROUND = [
    *[(text, ground) for text in ("text", "quiet", "link") for ground in ("ground", "surface", "sunken")],
    *[(tone, ground) for tone in TONES for ground in (f"{tone}-ground", "surface")],
    *[("text", f"{tone}-ground") for tone in TONES],
    ("on-accent", "accent"),
    ("on-bar", "bar"),
]
SHAPES_ON_GROUND = [
    *[("control-line", ground) for ground in ("surface", "sunken", "ground")],
    *[("accent", ground) for ground in ("surface", "ground", "sunken")],
    *[(tone, "sunken") for tone in TONES],
]


def palettes() -> dict[str, dict[str, str]]:
    light, dark = CSS.split("@media (prefers-color-scheme: dark)", 1)

    def read(text: str) -> dict[str, str]:
        block = re.search(r":root \{(.*?)\}", text, re.DOTALL)
        assert block
        return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block[1]))

    return {"light": read(light), "dark": read(light) | read(dark)}


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_itself_is_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme: str) -> None:
    colours = palettes()[scheme]
    measured = [(pair, contrast(colours[pair[0]], colours[pair[1]]), 4.5) for pair in TEXT_ON_GROUND]
    measured += [(pair, contrast(colours[pair[0]], colours[pair[1]]), 3.0) for pair in SHAPES_ON_GROUND]
    assert not [(pair, round(found, 2), needed) for pair, found, needed in measured if found < needed]


def test_the_dark_palette_changes_every_colour() -> None:
    found = palettes()
    assert not [name for name in found["light"] if found["light"][name] == found["dark"][name]]


def test_every_state_has_a_look_of_its_own_and_every_look_a_drawing() -> None:
    assert set(STEP_LOOKS) == set(StepState)
    assert set(PROJECT_LOOKS) == set(ProjectState)
    assert len({look.label for look in STEP_LOOKS.values()}) == len(StepState)
    assert len({look.icon for look in STEP_LOOKS.values()}) == len(StepState)
    drawn = set(re.findall(r'<symbol id="icon-([^"]+)"', (TEMPLATES / "icons.svg").read_text()))
    assert drawn == {look.icon for look in LOOKS}
    assert all(f".tone-{tone} {{" in CSS for tone in TONES)


def test_nothing_is_loaded_from_anywhere() -> None:
    for asset in TEMPLATES.iterdir():
        text = asset.read_text()
        addresses = set(re.findall(r"https?://[^\s\"'<>)]+", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, asset.name
        assert "<script" not in text
        assert not re.search(r"\son\w+=", text)
        assert "@import" not in text
    assert "url(" not in CSS


def test_every_colour_used_is_one_of_the_palette() -> None:
    used = set(re.findall(r"var\(--([\w-]+)\)", CSS))
    assert used <= set(palettes()["light"]) | {"radius", "sans", "mono", "wide"}
    rules = CSS[CSS.index("*, *::before") :]
    assert not re.findall(r"#[0-9a-f]{3,8}\b", rules)


def test_what_scrolls_holds_what_is_hidden_in_it() -> None:
    # Text for screen readers is placed absolutely: beside a wide picture it would else widen the whole page.
    rule = re.search(r"^\.scroll \{([^}]*)\}", CSS, re.MULTILINE)
    assert rule
    assert {"position: relative", "overflow-x: auto"} <= {part.strip() for part in rule[1].split(";")}
