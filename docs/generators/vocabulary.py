"""Writes the pages of the closed vocabularies: audit tags, kinds of steps, kinds of errors."""

from __future__ import annotations

import inspect

import shared.errors
from docs.generators.markdown import code, page, prose, table
from shared.domain.audit import MEANINGS, AuditTag
from shared.errors import DonerightError
from shared.projects.steps import definitions


def audit_tags() -> str:
    """The page ``audit-tags.md``. Raises ``KeyError`` when a tag has no meaning."""
    return page(
        "Audit tags",
        "Every event on record carries one of these tags. A tag reads `source:subject:action`. The set is closed: code\n"
        "cannot record what is not in it. [The record](../explanation/the-record.md) says how events are kept and proven.",
        [table(("Tag", "Meaning"), [(code(tag.value), MEANINGS[tag]) for tag in AuditTag])],
    )


def steps() -> str:
    """The page ``steps.md``."""
    blocks = []
    for kind, step in sorted(definitions().items()):
        rows = (("Ensures", step.ensures), ("Reads back", step.reads_back), ("To reverse it", step.reverses))
        blocks += [
            f"## {step.title}",
            f"Kind {code(kind)}, in `shared/projects/steps/{kind}.py`.",
            table(("", ""), rows),
        ]
    return page(
        "Steps",
        "What a plan can hold. A step looks first, changes only what differs, and reads back what it did. [Plan, apply,\n"
        "verify](../explanation/plan-apply-verify.md) says how they run together. *To reverse it* says what undoing the step\n"
        "would take; nothing in this release undoes steps by itself.",
        blocks,
    )


def errors() -> str:
    """The page ``problems/errors.md``, from the tree that the module's docstring draws."""
    tree = inspect.cleandoc(shared.errors.__doc__ or "")
    title, _, rest = tree.partition("\n")
    classes = [
        value for value in vars(shared.errors).values() if inspect.isclass(value) and issubclass(value, DonerightError)
    ]
    missing = [value.__name__ for value in classes if value.__name__ not in tree]
    if missing:
        raise LookupError(f"the docstring of shared/errors.py leaves out {', '.join(missing)}")
    rows = [(code(value.__name__), code(value.__mro__[1].__name__), _first(value)) for value in classes]
    return page(
        "Errors",
        prose(title),
        ["## The tree", prose(rest.strip()), "## In one table", table(("Error", "Is a", "Meaning"), rows)],
    )


def _first(value: type) -> str:
    return inspect.cleandoc(value.__doc__ or "").partition("\n")[0]
