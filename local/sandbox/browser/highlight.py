"""Turns source text into escaped, classed HTML lines; a line of output is always a line of input."""

from markupsafe import Markup, escape
from pygments import highlight as pygments_highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
from pygments.util import ClassNotFound  # type: ignore[import-untyped]

LONGEST_COLOURED = 300_000
"""Characters above which a text is shown without colours: lexers take seconds on generated files."""

_FORMATTER = HtmlFormatter(nowrap=True)


def highlight(text: str, language: str) -> list[Markup]:
    """Give each line of `text` as safe HTML, with Pygments' short token classes when `language` is one it knows.

    `diff` marks whole lines instead, by their first character. Unknown languages and very long texts come back plain.
    """
    # A final line break ends the last line, it does not begin another.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    if language == "diff":
        return [_patch_line(line) for line in lines]
    if language and len(text) <= LONGEST_COLOURED:
        try:
            lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
        except ClassNotFound:
            return [escape(line) for line in lines]
        coloured = str(pygments_highlight("\n".join([*lines, ""]), lexer, _FORMATTER)).removesuffix("\n").split("\n")
        # Lexers of console sessions and notebooks may drop or add lines; numbers must stay true, so colours yield.
        if len(coloured) == len(lines):
            return [Markup(line) for line in coloured]  # noqa: S704 - Pygments escaped it  # nosec B704
    return [escape(line) for line in lines]


def _patch_line(line: str) -> Markup:
    if line.startswith(("+++", "---", "diff ", "index ")):
        kind = "patch-head"
    elif line.startswith("@@"):
        kind = "patch-hunk"
    elif line.startswith("+"):
        kind = "patch-added"
    elif line.startswith("-"):
        kind = "patch-removed"
    else:
        return escape(line)
    return Markup('<span class="{}">{}</span>').format(kind, line)
