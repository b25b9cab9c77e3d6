"""The palette reaches WCAG 2.2 AA contrast in light and dark, and the assets load nothing from elsewhere."""

import re
from pathlib import Path

import pytest

from local.sandbox.browser import serve
from local.sandbox.browser.cells import Icon, Tone

STATIC = Path(serve.__file__).parent / "static"
CSS = (STATIC / "style.css").read_text()
TONES = [tone.value for tone in Tone]
TEXT_ON_GROUND = [
    *[(text, ground) for text in ("text", "quiet", "link") for ground in ("ground", "surface", "sunken")],
    *[(tone, f"{tone}-ground") for tone in TONES],
    *[("text", f"{tone}-ground") for tone in ("info", "warning", "danger")],
    *[(tone, "surface") for tone in TONES],
    ("warning", "sunken"),
    ("quiet", "warning-ground"),
    *[
        (f"code-{name}", ground)
        for name in ("comment", "keyword", "string", "number", "name")
        for ground in ("surface", "sunken")
    ],
    ("on-accent", "accent"),
    ("on-bar", "bar"),
    ("on-bar-quiet", "bar"),
]
SHAPES_ON_GROUND = [("control-line", "surface"), ("accent", "surface"), ("accent", "ground"), ("danger", "surface")]


def palettes() -> dict[str, dict[str, str]]:
    light, dark = CSS.split("@media (prefers-color-scheme: dark)", 1)
    dark = dark.split("\n}\n", 1)[0]

    def read(text: str) -> list[dict[str, str]]:
        blocks = re.findall(r":root(?:\[[^\]]*\])? \{(.*?)\}", text, re.DOTALL)
        return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks]

    (light_base, light_other), (dark_base, dark_other) = read(light), read(dark)
    dark_base = light_base | dark_base
    return {
        "github light": light_base,
        "azure_devops light": light_base | light_other,
        "github dark": dark_base,
        "azure_devops dark": dark_base | dark_other,
    }


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


@pytest.mark.parametrize("palette", palettes().items(), ids=lambda item: item[0])
def test_contrast(palette: tuple[str, dict[str, str]]) -> None:
    _, colours = palette
    measured = {pair: (contrast(colours[pair[0]], colours[pair[1]]), 4.5) for pair in TEXT_ON_GROUND}
    measured |= {
        pair: (contrast(colours[pair[0]], colours[pair[1]]), 3.0) for pair in SHAPES_ON_GROUND if pair not in measured
    }
    assert not {pair: round(found, 2) for pair, (found, needed) in measured.items() if found < needed}


def test_every_icon_and_tone_has_a_drawing() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))
    wanted = {icon.value.replace(" ", "-") for icon in Icon if icon is not Icon.NONE} | {
        f"tone-{tone}" for tone in TONES
    }
    assert drawn == wanted


def test_assets_name_no_other_origin() -> None:
    for asset in STATIC.iterdir():
        addresses = re.findall(r"https?://[^\s\"')]+", asset.read_text())
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}, asset.name
    assert "url(" not in CSS
    assert "@import" not in CSS


def test_what_scrolls_holds_what_is_hidden_in_it() -> None:
    # Text for screen readers is placed absolutely: beside a wide table it would else widen the whole page.
    rule = re.search(r"^\.scroll \{([^}]*)\}", CSS, re.MULTILINE)
    assert rule
    assert {"position: relative", "overflow-x: auto"} <= {part.strip() for part in rule[1].split(";")}
