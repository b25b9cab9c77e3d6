"""Drafts a docstring from what a function's text says: its name, parameters, answer, and when it refuses."""

from __future__ import annotations

import re

from shared.agents._conditions import Function, conditions
from shared.domain.change import ChangedFile
from shared.evidence.changes.declared import Declaration, ParameterKind
from shared.evidence.changes.lines import reaches


def draft(declaration: Declaration, node: Function, indent: str) -> str:
    """The docstring's lines, indented; whoever takes it puts in what the text cannot say."""
    lines = [f'"""{_sentence(declaration)}']
    given = [one for one in declaration.parameters if one.kind not in {ParameterKind.VARIADIC, ParameterKind.KEYWORDS}]
    if given:
        lines += ["", "Args:"]
        for one in given:
            kind = one.annotation or "of any type"
            lines.append(
                f"    {one.name}: {kind}" + (f"; {one.default} unless given." if one.default is not None else ".")
            )
    if declaration.returns not in {"", "None"}:
        lines += ["", "Returns:", f"    {declaration.returns}."]
    raised = {one.error: one.text for one in conditions(node, [one.name for one in given]) if one.error}
    if declaration.raises:
        lines += ["", "Raises:"]
        lines += [f"    {name}: " + (f"if `{raised[name]}`." if name in raised else "…") for name in declaration.raises]
    if len(lines) == 1:
        return f'{indent}{lines[0]}"""'
    # A docstring ends at its first three quotes, and a backslash in one means something else.
    body = "\n".join(f"{indent}{line}".rstrip() for line in lines).replace("\\", "\\\\")
    return f'{body}\n{indent}"""'


def suggestion(file: ChangedFile, text: str, declaration: Declaration, node: Function) -> tuple[int, int, str] | None:
    """First and last line of the function's head, and the text that would stand in its place.

    ``None`` where the head shares a line with the body, or the diff does not show all of it.
    """
    first, last = node.lineno, node.body[0].lineno - 1
    lines = text.split("\n")
    head = lines[first - 1 : last]
    while head and (not head[-1].strip() or head[-1].lstrip().startswith("#")):
        head.pop()
    last = first + len(head) - 1
    if last < first or not head[-1].rstrip().endswith(":") or not all(reaches(file, n) for n in range(first, last + 1)):
        return None
    indent = re.match(r"\s*", lines[node.body[0].lineno - 1])
    drafted = draft(declaration, node, indent[0] if indent else "    ")
    if drafted.count('"""') != 2:
        return None
    return first, last, "\n".join([*head, drafted])


def _sentence(declaration: Declaration) -> str:
    name = declaration.name.rpartition(".")[2]
    words = " ".join(part for part in re.split(r"_+|(?<=[a-z0-9])(?=[A-Z])", name) if part).lower()
    told = words[:1].upper() + words[1:]
    return f"{told}." if told else "…"
