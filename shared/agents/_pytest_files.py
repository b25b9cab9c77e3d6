"""Writes proposed cases as a pytest file that runs as it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from shared.agents._cases import Proposal, ProposedCase
from shared.agents._dependencies import module_names
from shared.agents._values import MODULE
from shared.domain.test_case import CaseNature

_LONGEST_ID = 80
_DELIBERATE = ("ValueError", "TypeError")
"""What Python's own functions raise for arguments they do not take."""


def test_path(path: str, proposal: Proposal) -> str:
    """Where the proposed tests of a function of the module at ``path`` go; never a file that people wrote."""
    stem = PurePosixPath(path).stem.strip("_")
    name = re.sub(r"\W+", "_", proposal.declaration.name).strip("_").lower()
    return f"tests/unit/test_{stem}_{name}_proposed.py"


def import_name(path: str) -> str:
    """The name by which tests import the module; empty where its path is none."""
    names = module_names(path)
    if not names:
        return ""
    # `src` and the like are never part of a name; `app` and `backend` usually are.
    return names[0] if path.split("/", maxsplit=1)[0] in {"src", "lib", "python"} else names[-1]


def pytest_file(path: str, proposal: Proposal) -> str:
    """The text of the file; empty where no case can be run."""
    module = import_name(path)
    if not module or proposal.blocked or not proposal.cases:
        return ""
    declaration = proposal.declaration
    blocks = [block for nature in CaseNature for block in _test(proposal, nature)]
    imports = set(proposal.imports) | ({"asyncio"} if proposal.asynchronous else set())
    head = [
        f'"""Cases proposed for `{declaration.name}` of {path}: correct what is wrong, say what is right, keep what helps."""',
        "",
        *(f"import {name}" for name in sorted(imports)),
        *([""] if imports else []),
        "import pytest",
        "",
        f"import {module} as {MODULE}",
    ]
    text = "\n".join([*head, "", "", "\n\n\n".join(blocks)]) + "\n"
    # What does not compile is never proposed, whatever a signature held.
    ast.parse(text)
    return text


def _test(proposal: Proposal, nature: CaseNature) -> Iterator[str]:
    cases = [one for one in proposal.cases if one.nature is nature]
    if not cases:
        return
    name = re.sub(r"\W+", "_", proposal.declaration.name).strip("_").lower()
    call = _call(proposal)
    negative = nature is CaseNature.NEGATIVE
    ids = _ids(cases)
    sets = []
    for case, id in zip(cases, ids, strict=True):
        positional = "".join(f"{one.code}, " for key, one in case.arguments.items() if key in proposal.positional)
        named = ", ".join(
            f'"{key}": {one.code}' for key, one in case.arguments.items() if key not in proposal.positional
        )
        error = f", {case.error}" if negative else ""
        sets.append(f"        pytest.param(({positional}), {{{named}}}{error}, id={id!r}),")
    values = '("given", "named", "error")' if negative else '("given", "named")'
    arguments = "given, named, error" if negative else "given, named"
    title = {CaseNature.POSITIVE: "answers", CaseNature.NEGATIVE: "refuses", CaseNature.EDGE: "holds_at_its_limits"}[
        nature
    ]
    yield "\n".join(
        [
            "@pytest.mark.parametrize(",
            f"    {values},",
            "    [",
            *sets,
            "    ],",
            ")",
            f"def test_{name}_{title}({arguments}):",
            *_body(proposal, nature, call),
        ]
    )


def _body(proposal: Proposal, nature: CaseNature, call: str) -> list[str]:
    if nature is CaseNature.NEGATIVE:
        return ["    with pytest.raises(error):", f"        {call}"]
    if nature is CaseNature.POSITIVE:
        return [f"    answer = {call}", *_claim(proposal, "    ")]
    refusals = ", ".join(dict.fromkeys([*_DELIBERATE, *proposal.refusals]))
    return [
        '    """An answer, or a refusal that says what is wrong; never a crash of another kind."""',
        "    try:",
        f"        answer = {call}",
        f"    except ({refusals}) as refusal:",
        '        assert str(refusal), "a refusal says what is wrong"',
        "    else:",
        *_claim(proposal, "        "),
    ]


def _claim(proposal: Proposal, indent: str) -> list[str]:
    if proposal.answer and not proposal.generates:
        types = proposal.answer[0] if len(proposal.answer) == 1 else f"({', '.join(proposal.answer)})"
        return [f"{indent}assert isinstance(answer, {types})"]
    return [f'{indent}pytest.skip(f"it answered {{answer!r}}: say here what is right")']


def _call(proposal: Proposal) -> str:
    call = f"{proposal.call}(*given, **named)"
    if proposal.asynchronous:
        return f"asyncio.run({call})"
    return f"list({call})" if proposal.generates else call


def _ids(cases: Sequence[ProposedCase]) -> list[str]:
    found: list[str] = []
    for case in cases:
        plain = case.says.encode("ascii", "ignore").decode()
        id = " ".join(re.sub(r"[^\w<>=!.+%' -]+", " ", plain).split())[:_LONGEST_ID] or "case"
        found.append(id if id not in found else f"{id} {len(found)}")
    return found
