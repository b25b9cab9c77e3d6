"""Infrastructure and data move by themselves on deployment: by a tool, in order, without anybody typing anything.

Three things are looked at. Words that ask somebody to do it by hand make it unmet. So does a migration that no tool applies, by
the names that migration tools give. That the deployment does run them has to be seen: in a workflow or start-up command that
the change brings, or in a check of the head that deploys or migrates and passed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from shared.domain.change import ChangedFile, ChangeEvidence, CheckState, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.changes.kinds import FileKind
from shared.evidence.changes.lines import added
from shared.evidence.changes.versions import after
from shared.gates import Asked, Gate
from shared.gates._concerns import named, of_kind

_PROSE = frozenset({".md", ".rst", ".adoc", ".txt", ".markdown"})
_DEED = r"(?:run|ran|appl(?:y|ied)|execut\w*|migrat\w*|deploy\w*|cop(?:y|ied)|paste\w*|creat\w*|updat\w*|delet\w*|insert\w*|set|add|typ(?:e|ed)|chang\w*)"
_BY_HAND = re.compile(
    rf"\b{_DEED}\b[^.\n]{{0,60}}\b(?:manually|by hand|in the (?:portal|console|azure portal|aws console))\b"
    rf"|\b(?:manually|by hand)\b[^.\n]{{0,20}}\b{_DEED}\b|\bmanual (?:steps?|migrations?|interventions?|actions?)\b"
    r"|\bafter (?:the )?(?:deploy(?:ment|ing)?|release|merge|merging)\b[^.\n]{0,30}\b(?:run|execute|apply)\b[^.\n]{0,10}(?:`|the (?:script|command|sql))",
    re.IGNORECASE,
)
_NOBODY = re.compile(r"\b(?:no|not|never|nothing|nobody|without|instead of|rather than|avoid\w*|none)\b", re.IGNORECASE)
_LONGEST = 2_000
"""Characters of a line; whoever asks somebody for something asks in fewer."""
_REMINDS = re.compile(r"\bforget|\bremember", re.IGNORECASE)
_ORDERED = (
    re.compile(r"(?:^|/)alembic/versions/[^/]+\.py$|(?:^|/)migrations/versions/[^/]+\.py$"),
    re.compile(r"(?:^|/)migrations/\d{3,}_[^/]+\.py$"),  # Django
    re.compile(r"(?:^|/)[VUR]\d*(?:[._]\d+)*__[^/]+\.(?:sql|java|py)$"),  # Flyway
    re.compile(r"(?:^|/)migrations/\d{8,}_[^/]+/migration\.sql$"),  # Prisma
    re.compile(
        r"(?:^|/)\d{3,}[-_.][^/]+\.(?:sql|rb|[jt]s|php|exs|py|go|cs)$"
    ),  # Rails, Knex, TypeORM, Laravel, sqlx, EF, goose
    re.compile(r"(?:^|/)Migrations/[^/]*(?:ModelSnapshot)\.cs$"),
    re.compile(r"(?:^|/)\d+_?[^/]*\.(?:up|down)\.sql$"),  # golang-migrate
    re.compile(r"(?:^|/)db\.?changelog[^/]*\.(?:xml|ya?ml|json|sql)$", re.IGNORECASE),  # Liquibase
)
"""How tools name the migrations that they apply in order."""
_BESIDE = re.compile(
    r"(?:^|/)(?:__init__\.py|env\.py|script\.py\.mako|alembic\.ini|migration_lock\.toml|_journal\.json|\.gitkeep)$"
)
_DECLARED = frozenset({".bicep", ".bicepparam", ".tf", ".tfvars", ".yaml", ".yml", ".json", ".tpl", ".hcl", ".toml"})
"""Descriptions of infrastructure, which a tool makes true."""
_APPLIES = re.compile(
    r"\balembic\s+upgrade\b|manage\.py\s+migrate\b|\bflask\s+db\s+upgrade\b|\bprisma\s+migrate\s+deploy\b|\bflyway\b[^\n]{0,200}\bmigrate\b|\bliquibase\b[^\n]{0,200}\bupdate\b"
    r"|\bdotnet\s+ef\s+database\s+update\b|\brails\s+db:migrate\b|\bknex\s+migrate:latest\b|\btypeorm\b[^\n]{0,200}migration:run|\bsqlx\s+migrate\s+run\b|\bmigrate\b[^\n]{0,200}\bup\b"
    r"|\bterraform\s+apply\b|\btofu\s+apply\b|\baz\s+deployment\b[^\n]{0,200}\bcreate\b|\bazd\s+(?:up|provision)\b|azure/arm-deploy|AzureResourceManagerTemplateDeployment|\bhelm\s+(?:upgrade|install)\b|\bkubectl\s+apply\b|\bpulumi\s+up\b|\bcdk\s+deploy\b",
    re.IGNORECASE,
)
_CHECK = re.compile(r"\b(?:deploy|migrat|provision|infra|terraform|bicep|rollout|release to|apply)", re.IGNORECASE)


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether what the change moves is moved by the deployment.

    Words that ask for a step by hand, in the description or in documents, make it unmet; so does a migration without a
    name by which a tool applies it (Alembic, Django, Flyway, Liquibase, Prisma, Rails, EF …). It is met where a workflow
    or start-up command of the change applies it, or a check of the head that deploys or migrates passed. Else nobody
    can tell from here.
    """
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    files = [
        file
        for file in of_kind(evidence, FileKind.MIGRATION, FileKind.INFRASTRUCTURE)
        if PurePosixPath(file.path).suffix.lower() not in _PROSE and not _BESIDE.search(file.path)
    ]
    if not files:
        return Judgement.not_applicable("migration: the change moves no data and no infrastructure")
    remarks = [*_by_hand(evidence), *_untooled(files)]
    measured = {"moved": len(files), "by_hand": len(remarks)}
    if remarks:
        return Judgement.unmet(remarks[0].message[:500], remarks=remarks, measured=measured)
    if where := _applied(evidence):
        return Judgement.met(f"{named(files)}: applied by {where}", measured=measured)
    gap = f"the checks are not known: {evidence.checks.reason}" if isinstance(evidence.checks, Unknown) else ""
    return Judgement.not_available(
        gap or f"nothing that could be seen applies {named(files)} on deployment", measured=measured,
        remedy="Let the pipeline deploy or migrate in a stage that is named so, or attest that the deployment does it.",
    )  # fmt: skip


def _by_hand(evidence: ChangeEvidence) -> Iterator[Remark]:
    """Words of the change that ask somebody to do it."""
    for said in evidence.change.body.split("\n"):
        if _asks(said):
            yield Remark(
                message=f"The description asks for a step by hand: {said.strip()[:500]}",
                severity=Harm.HIGH,
                rule="step_by_hand",
            )
    for file in of_kind(evidence, FileKind.MIGRATION, FileKind.INFRASTRUCTURE, FileKind.DOCUMENTATION):
        if re.search(r"changelog|history", file.path, re.IGNORECASE):
            continue
        for line in added(file):
            if _asks(line.text):
                yield Remark(
                    message=f"This asks for a step by hand: {line.text.strip()[:500]}",
                    path=file.path,
                    line=line.number,
                    severity=Harm.HIGH,
                    rule="step_by_hand",
                )


def _asks(text: str) -> bool:
    text = text[:_LONGEST]
    found = _BY_HAND.search(text)
    if not found:
        return False
    # "Nothing has to be run by hand" says the opposite, "do not forget to run it by hand" does not.
    return bool(_REMINDS.search(text)) or not _NOBODY.search(text[: found.end()])


def _untooled(files: Iterable[ChangedFile]) -> Iterator[Remark]:
    for file in files:
        suffix = PurePosixPath(file.path).suffix.lower()
        if suffix in _DECLARED or any(pattern.search(file.path) for pattern in _ORDERED):
            continue
        if suffix in {".sql", ".sh", ".ps1", ".py", ".js", ".ts"} and _is_migration(file):
            yield Remark(
                message=f"{file.path} has no name by which a migration tool would apply it, and when.",
                path=file.path,
                line=1,
                severity=Harm.HIGH,
                rule="untooled_migration",
            )


def _is_migration(file: ChangedFile) -> bool:
    return bool(re.search(r"(?:^|/)(?:migrations|alembic/versions)/", file.path))


def _applied(evidence: ChangeEvidence) -> str:
    """What was seen to apply it; empty: nothing."""
    for file in of_kind(evidence, FileKind.WORKFLOW, FileKind.CONTAINER, FileKind.OTHER):
        text = after(file)
        if isinstance(text, str) and _APPLIES.search(text):
            return file.path
    if isinstance(evidence.checks, Unknown):
        return ""
    for check in evidence.checks:
        if check.ours or check.state is not CheckState.PASSED:
            continue
        if found := next((name for name in (check.name, *check.stages) if _CHECK.search(name)), ""):
            return f"the check {found!r}"
    return ""


GATE = Gate(
    id=GateId.MIGRATION_IS_AUTOMATIC,
    motivation="A step that somebody has to remember is forgotten on the day it matters, and cannot be rolled back in order.",
    reads=("files", "checks"),
    effort=Effort.HOURS,
    remedy="Put the step into a migration that a tool applies in order, and let the pipeline run it on deployment.",
    evaluate=evaluate,
)
