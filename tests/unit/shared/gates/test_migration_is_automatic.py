"""Infrastructure and data move by themselves on deployment; that they do has to be seen."""

from __future__ import annotations

import pytest

from shared.domain.change import CheckState
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, a_change, check, evidence, file, judged

GATE = "migration_is_automatic"
MIGRATION = file("alembic/versions/ab12_orders.py", None, "def upgrade():\n    op.add_column()\n")
DEPLOYED = {"checks": (check("deploy to staging"),)}


@pytest.mark.parametrize(
    "path",
    [
        "alembic/versions/ab12_orders.py", "shop/migrations/0002_orders.py", "db/migrations/V2__orders.sql",
        "prisma/migrations/20260302100000_orders/migration.sql", "migrations/001_orders.up.sql", "infra/main.bicep",
        "infra/main.tf", "migrations/20260302100000_orders.ts", "shop/migrations/20260302_Orders.cs",
    ],
)  # fmt: skip
def test_what_a_tool_applies_and_a_check_deployed_holds(path: str) -> None:
    found = judged(GATE, evidence(file(path, None, "a\n"), **DEPLOYED))
    assert found.outcome is Outcome.MET
    assert "deploy to staging" in found.reason


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".github/workflows/deploy.yml", "      - run: alembic upgrade head\n"),
        ("Dockerfile", "CMD python manage.py migrate && gunicorn\n"),
        ("azure-pipelines.yml", "- script: terraform apply -auto-approve\n"),
        ("Procfile", "release: npx prisma migrate deploy\n"),
    ],
)
def test_a_command_in_the_change_shows_it_as_well(path: str, text: str) -> None:
    found = judged(GATE, evidence(MIGRATION, file(path, None, text)))
    assert found.outcome is Outcome.MET
    assert path in found.reason


@pytest.mark.parametrize("path", ["migrations/fix_orders.sql", "migrations/fix.sh", "app/migrations/backfill.py"])
def test_a_migration_that_no_tool_applies_is_told(path: str) -> None:
    found = judged(GATE, evidence(file(path, None, "UPDATE orders SET a = 1\n"), **DEPLOYED))
    assert found.outcome is Outcome.UNMET
    assert (found.remarks[0].path, found.remarks[0].rule) == (path, "untooled_migration")


@pytest.mark.parametrize(
    "text",
    [
        "Then run the script manually on the server.",
        "After the deployment run `fix.sql`.",
        "Create the container by hand.",
        "Set the value in the Azure portal.",
        "Manual step: copy the file.",
        "Do not forget to run it by hand.",
    ],
)
def test_a_step_by_hand_is_told(text: str) -> None:
    said = judged(GATE, evidence(MIGRATION, change=a_change(body=text), **DEPLOYED))
    assert said.outcome is Outcome.UNMET
    written = judged(GATE, evidence(MIGRATION, file("docs/deploying.md", None, f"# Deploying\n{text}\n"), **DEPLOYED))
    assert written.outcome is Outcome.UNMET
    assert (written.remarks[0].path, written.remarks[0].line) == ("docs/deploying.md", 2)


@pytest.mark.parametrize(
    "text", ["Nothing has to be run by hand.", "It runs without manual steps.", "The manual says more.", ""]
)
def test_words_that_say_the_opposite_do_not_matter(text: str) -> None:
    assert judged(GATE, evidence(MIGRATION, change=a_change(body=text), **DEPLOYED)).outcome is Outcome.MET


def test_a_step_by_hand_that_is_taken_out_does_not_matter() -> None:
    docs = file("docs/deploying.md", "Run it manually.\n", "It runs.\n")
    assert judged(GATE, evidence(MIGRATION, docs, **DEPLOYED)).outcome is Outcome.MET


@pytest.mark.parametrize(
    "checks",
    [
        (),
        UNKNOWN,
        (check("deploy", CheckState.PENDING),),
        (check("deploy", CheckState.FAILED),),
        (check("deploy", CheckState.SKIPPED),),
        (check("tests"),),
        (check("deploy", ours=True),),
    ],
)
def test_without_a_sign_that_it_is_applied_nobody_can_tell(checks: object) -> None:
    assert judged(GATE, evidence(MIGRATION, checks=checks)).outcome is Outcome.NOT_AVAILABLE


def test_a_stage_of_a_check_shows_it() -> None:
    assert (
        judged(GATE, evidence(MIGRATION, checks=(check("ci", stages=("build", "Migrate database")),))).outcome
        is Outcome.MET
    )


@pytest.mark.parametrize(
    "changed",
    [
        file("src/a.py", None, "a"),
        file("infra/README.md", None, "a"),
        file("app/migrations/__init__.py", None, ""),
        file("infra/a.tf", "a", None),
    ],
)
def test_a_change_that_moves_nothing_is_not_asked(changed: object) -> None:
    assert judged(GATE, evidence(changed)).outcome is Outcome.NOT_APPLICABLE


def test_files_that_are_not_known_leave_it_open() -> None:
    assert judged(GATE, evidence().model_copy(update={"files": UNKNOWN})).outcome is Outcome.NOT_AVAILABLE
