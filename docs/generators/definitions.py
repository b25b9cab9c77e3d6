"""Writes the pages of the definitions: what done means, how a ticket lives, and how strictly each criterion is taken."""

from __future__ import annotations

from collections.abc import Iterator

from docs.generators.markdown import code, page, table
from shared.definitions.load import definition_of_done, ticket_lifecycle
from shared.definitions.reading import Limits
from shared.domain.definition import (
    AppliesWhen,
    Criterion,
    GateId,
    KnownByAttestation,
    KnownByEvidence,
    KnownByGate,
    Pin,
    Stage,
)
from shared.domain.lifecycle import Board, Direction, LifecycleState, Move
from shared.domain.policy import EffectivePolicy, Enforcement
from shared.policies.parsing import POLICY_FILE, shipped_policy
from shared.policies.pinning import pin
from shared.policies.resolving import resolve

_ARROWS = {Direction.FORWARD: "-->", Direction.BACK: "-.->", Direction.ASIDE: "-->"}


def done() -> str:
    """The page ``definition-of-done.md``."""
    definition = definition_of_done()
    blocks = [_pinned(pin(definition)), _stages(), "## Gates that decide", _gates()]
    for stage in Stage:
        blocks.append(f"## {_words(stage).capitalize()}")
        blocks += [_criterion(criterion) for criterion in definition.of(stage)]
    return page(
        "Definition of done",
        "Every criterion is a statement that is true or false. A gate decides it from evidence, evidence of a kind shows it,\n"
        "or somebody in a role attests it. [Policies](policies.md) say which of them block; [coverage](coverage.md) says where\n"
        "each comes from. Reviews judge every pull request by what is asked of changes and tickets.",
        blocks,
    )


def _stages() -> str:
    definition = definition_of_done()
    rows = []
    for stage in Stage:
        criteria = definition.of(stage)
        kinds = [type(one.known_by) for one in criteria]
        counts = (kinds.count(KnownByGate), kinds.count(KnownByEvidence), kinds.count(KnownByAttestation))
        title = _words(stage).capitalize()
        rows.append((f"[{title}](#{title.lower()})", str(len(criteria)), *map(str, counts)))
    return table(("Stage", "Criteria", "By a gate", "By evidence", "By attestation"), rows)


def _gates() -> str:
    by_gate: dict[GateId, list[str]] = {gate: [] for gate in GateId}
    for criterion in definition_of_done().criteria:
        if isinstance(criterion.known_by, KnownByGate):
            by_gate[criterion.known_by.gate].append(f"[{criterion.id}](#{criterion.id})")
    return table(
        ("Gate", "Criteria"),
        [(f"[{code(gate)}](gates/{gate}.md)", ", ".join(names)) for gate, names in by_gate.items()],
    )


def _criterion(criterion: Criterion) -> str:
    rows = [
        ("Of", _words(criterion.subject)),
        ("Owner", _words(criterion.owner)),
        ("Known by", _known(criterion)),
        ("Applies", _applies(criterion.applies_when)),
        ("Severity", criterion.severity.value),
        ("Remedy", criterion.remedy),
        ("Source", ", ".join(code(f"seed {source.text}") for source in criterion.sources)),
    ]
    return "\n\n".join([f"### {criterion.id}", criterion.statement, table(("", ""), rows)])


def _known(criterion: Criterion) -> str:
    match criterion.known_by:
        case KnownByGate() as known:
            read = f", from {_words(known.evidence)}" if known.evidence else ""
            held = "; ".join(f"{_words(name)} {threshold.text}" for name, threshold in known.thresholds.items())
            return f"gate [{code(known.gate)}](gates/{known.gate}.md){read}" + (f": {held}" if held else "")
        case KnownByEvidence() as known:
            return f"{_words(known.evidence)} that shows {known.shows}"
        case KnownByAttestation() as known:
            return f"attestation by the {_words(known.by)}"


def _applies(when: AppliesWhen) -> str:
    parts = [
        f"{words} {' or '.join(code(entry) for entry in entries)}"
        for words, entries in (
            ("label", when.labels),
            ("path", when.paths),
            ("change kind", when.change_kinds),
            ("work item", when.work_item_kinds),
        )
        if entries
    ]
    return "always" if when.always else ", and ".join(parts)


def lifecycle() -> str:
    """The page ``ticket-lifecycle.md``."""
    life = ticket_lifecycle()
    states = [
        (code(one.id), one.means, code(life.name_of(one.id)), code("#" + one.color), _words(one.issue))
        for one in life.states
    ]
    moves = [
        (
            code(move.origin),
            code(move.to),
            move.direction.value,
            move.when,
            ", ".join(_words(role) for role in move.by) or "Doneright",
            ", ".join(f"[{guard}](definition-of-done.md#{guard})" for guard in move.guards) or "none",
        )
        for move in life.moves
    ]
    return page(
        "Ticket lifecycle",
        "The states of a ticket, the moves between them, and the criteria that must hold for each move. A move that is not in\n"
        "the table is refused with the moves that are legal from there and the shortest way; a move whose criteria do not hold\n"
        "is refused with each that is missing and its remedy.",
        [
            _pinned(pin(life)),
            _drawing(life.moves),
            "Solid arrows bring a ticket on, dashed ones send it back. From every open state it can be rejected.",
            "## States",
            "GitHub shows a state as a label, and open or closed; Azure Boards as a tag of the same name.",
            table(("State", "Means", "Label and tag", "Colour", "Issue"), states),
            "## Moves",
            table(("From", "To", "Direction", "When", "By", "Criteria"), moves),
            "## Board states",
            "Boards have fewer states than the lifecycle: a tag tells apart what shares one. Where tag and board disagree,\n"
            "somebody moved the card by hand, and it is said.",
            _boards(life.boards),
        ],
    )


def _drawing(moves: tuple[Move, ...]) -> str:
    rejectable = [move.origin for move in moves if move.to is LifecycleState.REJECTED]
    lines = ["```mermaid", "flowchart TD", "  subgraph open [Open]", "    direction TB"]
    inside = [move for move in moves if move.origin in rejectable and move.to in rejectable]
    lines += [f"    {_arrow(move)}" for move in inside]
    lines += ["  end", "  open --> rejected"]
    lines += [f"  {_arrow(move)}" for move in moves if move not in inside and move.direction is not Direction.ASIDE]
    return "\n".join([*lines, "```"])


def _arrow(move: Move) -> str:
    return f"{move.origin}[{_words(move.origin)}] {_ARROWS[move.direction]} {move.to}[{_words(move.to)}]"


def _boards(boards: tuple[Board, ...]) -> str:
    heads = ("Process", "Types", *(_words(state) for state in LifecycleState))
    rows = [
        (board.process.value, ", ".join(board.types), *(board.states[state] for state in LifecycleState))
        for board in boards
    ]
    return table(heads, rows)


def policies() -> str:
    """The page ``policies.md``."""
    resolved = resolve(definition_of_done(), shipped_policy()).policy
    limits = Limits()
    blocks = [
        "## Levels",
        "An organisation may set anything in place of the shipped policy. A project is held to its organisation's, and a\n"
        "repository to both: each may tighten, and none may weaken. What would weaken is refused, named by criterion, and\n"
        "has no effect.",
        table(
            ("What", "From mild to strict"),
            [
                ("Enforcement", " < ".join(code(one) for one in Enforcement)),
                ("`at_least`", "a larger figure is stricter"),
                ("`at_most`", "a smaller figure is stricter"),
                ("`allowed`", "fewer entries are stricter"),
                ("`required`", "more entries are stricter"),
            ],
        ),
        "`off` asks nothing, `advisory` remarks, `enforced` blocks. A criterion that no policy names is advisory.",
        "## The file",
        f"A repository's policy is {code(POLICY_FILE)} on the branch a change goes to, never on the change's own.",
        "```yaml\nversion: 1\nstages:\n  integration:\n    change_is_described: enforced\n    overall_coverage_holds:\n"
        "      enforcement: enforced\n      thresholds:\n        overall: 90\n```",
        f"It is UTF-8 of at most {limits.size // 1024} KiB, {limits.depth} levels and {limits.values:,} values. Anchors,\n"
        "aliases, tags, merge keys, second documents and keys given twice are refused. Words are read as YAML 1.2 reads them:\n"
        "`off` is a word. Every field at fault is named with its line.",
        "## The shipped policy",
        *_shipped(resolved),
    ]
    return page(
        "Policies",
        "How strictly each criterion of the [definition of done](definition-of-done.md) is taken, by stage. Reviews act\n"
        "by them: what is enforced and unmet blocks the merge, on connections that do not advise only.",
        blocks,
    )


def _shipped(policy: EffectivePolicy) -> Iterator[str]:
    for stage in Stage:
        rows = [
            (
                f"[{rule.criterion}](definition-of-done.md#{rule.criterion})",
                code(rule.enforcement),
                "; ".join(f"{code(name)} {threshold.text}" for name, threshold in rule.thresholds.items()),
            )
            for rule in policy.rules
            if rule.stage is stage
        ]
        yield f"### {_words(stage).capitalize()}"
        yield table(("Criterion", "Enforcement", "Thresholds"), rows)


def _pinned(pinned: Pin) -> str:
    return f"Version {pinned.version}, pinned as {code(pinned.digest)}."


def _words(name: str) -> str:
    return name.replace("_", " ")
