"""Turns Markdown written by users into HTML that holds no raw HTML, no remote image, no unsafe link and no skipped heading."""

import re
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

from local.sandbox.browser.highlight import highlight
from local.sandbox.browser.links import Reach, safe_link

_NOT_IN_SLUG = re.compile(r"[^\w\- ]")
_ALIGNED = re.compile(r"text-align:\s*(left|center|right)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_FOLD = re.compile(r"<details>\s*<summary>(?P<title>[^<>]{1,200})</summary>", re.IGNORECASE)
_UNFOLD = re.compile(r"</details>", re.IGNORECASE)
_DEEPEST_HEADING = 6


class _Renderer(RendererHTML):
    """The library's renderer, with the accessible forms of task items, tables, code and images."""

    def list_item_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        opening = str(self.renderToken(tokens, idx, options, env))
        meta = tokens[idx].meta or {}
        if "checked" not in meta:
            return opening
        # A picture with a name rather than a disabled input: nothing here can be ticked, and an input needs a label.
        mark, name = ("☑", "done") if meta["checked"] else ("☐", "not done")
        return f'{opening}<span class="task-mark" role="img" aria-label="{name}">{mark}</span> '

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        return '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table class="grid">'

    def table_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        return "</table></div>"

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        return str(_pre(tokens[idx].content, ""))

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        info = tokens[idx].info.split()
        return str(_pre(tokens[idx].content, info[0] if info else ""))

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        fold = (tokens[idx].meta or {}).get("fold")
        if fold is not None:
            return f"<details><summary>{escape(fold)}</summary>\n" if fold else "</details>\n"
        text = _COMMENT.sub("", tokens[idx].content).strip()
        return f"<p>{escape(text)}</p>\n" if text else ""

    def html_inline(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        if _BREAK.fullmatch(tokens[idx].content):
            return "<br>"
        # Raw HTML is shown as text; a comment is what its writer did not want seen, and the forges hide it.
        return str(escape(_COMMENT.sub("", tokens[idx].content)))

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        token = tokens[idx]
        alt = self.renderInlineAsText(token.children or [], options, env)
        link = safe_link(str(token.attrGet("src") or ""))
        if link is None:
            return str(escape(alt))
        if link.reach is Reach.EXTERNAL:
            # Pages load nothing from elsewhere: a remote picture becomes its description. No link, since a picture may
            # already stand inside one.
            return str(Markup('<span class="remote-image">[image: {}]</span>').format(alt or link.href))
        return str(Markup('<img src="{}" alt="{}">').format(link.href, alt))


def _pre(text: str, language: str) -> Markup:
    lines = highlight(text.rstrip("\n"), language)
    return Markup('<pre class="code-inline" tabindex="0"><code>{}</code></pre>\n').format(Markup("\n").join(lines))


def _slug(text: str) -> str:
    return _NOT_IN_SLUG.sub("", text.strip().lower()).replace(" ", "-") or "section"


def _fit_headings(state: StateCore) -> None:
    """Renumber headings so that the first sits at the wanted level and none skips a level; give each an id unique on the page."""
    base: int = state.env.get("level", 2)
    ids: set[str] = state.env.setdefault("ids", set())
    open_levels: list[int] = []
    for position, token in enumerate(state.tokens):
        if token.type not in {"heading_open", "heading_close"}:
            continue
        if token.type == "heading_open":
            written = int(token.tag[1:])
            while open_levels and open_levels[-1] >= written:
                open_levels.pop()
            open_levels.append(written)
            stem = candidate = _slug(state.tokens[position + 1].content)
            suffix = 0
            while candidate in ids:
                suffix += 1
                candidate = f"{stem}-{suffix}"
            ids.add(candidate)
            token.attrSet("id", candidate)
        token.tag = f"h{min(base + len(open_levels) - 1, _DEEPEST_HEADING)}"


def _fold(state: StateCore) -> None:
    """Let folded parts fold, as both forges do, where each has its beginning and its end; all else stays as typed."""
    begun: list[Token] = []
    for token in state.tokens:
        if token.type != "html_block" or token.level:
            continue
        text = _COMMENT.sub("", token.content).strip()
        if _FOLD.fullmatch(text):
            begun.append(token)
        elif _UNFOLD.fullmatch(text) and begun:
            opened = begun.pop()
            title = _FOLD.fullmatch(_COMMENT.sub("", opened.content).strip())
            opened.meta["fold"] = title["title"] if title else ""
            token.meta["fold"] = ""


def _mark_tables(state: StateCore) -> None:
    """Scope header cells, and turn alignment into classes: the content security policy allows no style attribute."""
    for token in state.tokens:
        if token.type in {"th_open", "td_open"}:
            aligned = _ALIGNED.search(str(token.attrs.pop("style", "")))
            if aligned:
                token.attrSet("class", f"align-{aligned[1]}")
            if token.type == "th_open":
                token.attrSet("scope", "col")


def _mark_links(state: StateCore) -> None:
    for token in state.tokens:
        for child in token.children or []:
            if child.type != "link_open":
                continue
            link = safe_link(str(child.attrGet("href") or ""))
            if link is not None and link.reach is Reach.EXTERNAL:
                child.attrSet("rel", link.rel)
                child.attrSet("class", "external")


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    options = {"html": True, "tasklists": True, "alerts": True, "strikethrough_single_tilde": True}
    parser = MarkdownIt("commonmark", options, renderer_cls=_Renderer).enable(["table", "strikethrough"])
    parser.validateLink = lambda url: safe_link(url) is not None  # type: ignore[method-assign]
    parser.core.ruler.push("fold", _fold)
    parser.core.ruler.push("fit_headings", _fit_headings)
    parser.core.ruler.push("mark_tables", _mark_tables)
    parser.core.ruler.push("mark_links", _mark_links)
    return parser


def markdown(source: str, *, level: int = 2, ids: set[str] | None = None) -> Markup:
    """Render GitHub-flavoured Markdown (tables, task lists, strikethrough, alerts) to safe HTML.

    `level` is the level of its topmost heading; `ids` are the element ids already taken on the page, extended in place.
    """
    env = {"level": level, "ids": set() if ids is None else ids}
    return Markup(_parser().render(source, env))  # noqa: S704 - the renderer escapes all text  # nosec B704


def without_comments(source: str) -> str:
    """What a reader sees of a short text that is shown as it was typed."""
    return _COMMENT.sub("", source).strip()


def inline_markdown(source: str) -> Markup:
    """Render emphasis, code and links of one short text; block syntax stays as typed."""
    return Markup(_parser().renderInline(source, {}))  # noqa: S704 - as above  # nosec B704
