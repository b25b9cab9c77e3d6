"""The acts about a change: offered careless on either forge, blocked with remedies, mended, approved, merged by itself."""

from __future__ import annotations

from typing import Any

from local.story import discount
from local.story.changes import SUMMARY, AzureTeam, GitHubTeam, Opened, OwnCheck, Team
from local.story.request import PROJECT, PROJECT_ID
from local.story.stage import Stage

POLICY = """\
# What holds for every project of the organisation, beside what ships with Doneright.
stages:
  integration:
    changelog_has_entry: enforced
"""
FORGES = {"github": "GitHub", "azure_devops": "Azure DevOps"}
FAULTS = {
    "no_secrets": "the key",
    "unit_tests_accompany_code": "the missing test",
    "changelog_has_entry": "the missing line of the changelog",
}
"""What is wrong with the first push, and what a person would call it."""


class ReviewActs(Stage):
    """What happens to a change."""

    def want_reviews(self) -> None:
        """Before the project: reviews shall block here, and what passed shall be merged."""
        with self.act("Mona lets reviews block, and has the changelog asked for in the whole organisation"):
            changed = self.api.patch(
                f"/api/connections/{self.ready.connection}", json={"review_mode": "enforced", "merge_on_green": True}
            )
            if changed.status_code != 200:
                self.fail(f"the connection was not changed: {changed.status_code} {changed.text[:300]}")
            kept = self.api.put(
                f"/api/connections/{self.ready.connection}/policy",
                content=POLICY.encode(),
                headers={"content-type": "application/yaml"},
            )
            if kept.status_code not in {200, 201}:
                self.fail(f"the policy was not kept: {kept.status_code} {kept.text[:300]}")
            self.say("new connections only advise; this one blocks from now on")

    def review(self) -> None:
        """A change on each forge."""
        for team in (GitHubTeam(self.ready, PROJECT_ID), AzureTeam(self.ready, PROJECT)):
            self._review(team)

    def _review(self, team: Team) -> None:
        name = FORGES[team.forge]
        with self.act(f"Casey offers a change on {name}: a key in the code, no test, no line in the changelog"):
            item = team.item(discount.BUG, discount.BUG_BODY)
            branch = discount.BRANCH.format(item=item)
            key = discount.leaked_key()
            pull = team.open(
                branch,
                discount.careless(key),
                f"{discount.TITLE} (#{item})",
                title=discount.TITLE,
                body=discount.BODY,
                item=item,
            )
            self._report(pull.head, base=team.base())
            team.run_checks(pull.head, pull.number)
            review = self._blocked(team, pull, pull.head, set(FAULTS))
            if any(key in comment for comment in team.comments(pull.number)):
                self.fail("the key was repeated in a comment")
            for criterion, words in FAULTS.items():
                found = next(one for one in review["findings"] if one["criterion"] == criterion)
                self.say(f"blocked by {words}: {found['remedy']}")
        with self.act("Casey takes the key out and adds tests; then the changelog gets its line"):
            head = team.push(branch, discount.mended(), f"test: hold discounts to whole cents (#{item})")
            self._report(head)
            team.run_checks(head, pull.number)
            self._blocked(team, pull, head, {"changelog_has_entry"}, gone={"no_secrets", "unit_tests_accompany_code"})
            self.say("what was mended is settled; the changelog is still asked for")
            head = team.push(
                branch, discount.told(team.text(discount.CHANGELOG)), f"docs: tell of whole cents (#{item})"
            )
            self._report(head)
            team.run_checks(head, pull.number)
            self._blocked(team, pull, head, {"change_is_approved"}, gone=set(FAULTS))
            self.say("nothing is missing but somebody else's approval")
        with self.act("Mona reads it and approves; the check turns green, and Doneright merges"):
            team.approve(
                pull.number, "Both ends of the percentage are covered, and rounding down favours the customer."
            )
            self.until(f"the merge on {name}", lambda: team.state(pull.number) == "merged")
            check = team.own_check(pull.number, head)
            if check is None or check.state != "success":
                self.fail(f"it was merged, and its check is {check}")
            summaries = [one for one in team.comments(pull.number) if SUMMARY in one]
            if len(summaries) != 1:
                self.fail(f"there are {len(summaries)} summary comments")
            self.say(f"{check.title}")
            self.facts.append((f"Change on {name}", pull.url))

    def _blocked(
        self, team: Team, pull: Opened, head: str, missing: set[str], *, gone: set[str] | None = None
    ) -> dict[str, Any]:
        """The verdict about ``head`` once it names all that is ``missing`` and nothing that is ``gone``."""

        def look() -> dict[str, Any] | None:
            review = self._verdict(team, pull.number, head)
            if review is None:
                return None
            blocking = {
                one["criterion"]
                for one in review["findings"]
                if one["enforcement"] == "enforced" and one["outcome"] == "unmet" and not one["waiver"]
            }
            return review if missing <= blocking and not blocking & (gone or set()) else None

        review: dict[str, Any] = self.until(f"a verdict that names {', '.join(sorted(missing))}", look)
        check: OwnCheck = self.until(
            "the check that blocks",
            lambda: (found := team.own_check(pull.number, head)) and found.state == "failure" and found,
        )
        self.say(f"[dim]{check.title}[/dim]")
        return review

    def _verdict(self, team: Team, number: int, head: str) -> dict[str, Any] | None:
        for record in self.get(f"/api/reviews?project={PROJECT_ID}")["reviews"]:
            ref = record["ref"]
            if (ref["forge"], ref["number"], record["head"]) == (team.forge, number, head) and record["reviewed"]:
                found: dict[str, Any] | None = self.get(f"/api/reviews/{record['id']}")["verdict"]
                return found
        return None

    def _report(self, head: str, *, base: str = "") -> None:
        """What the pipeline sends about a commit; about the base as it did when that was pushed."""
        sent = [(head, discount.junit(), "unit")]
        sent += [(head, discount.cobertura(with_change=True), flag) for flag in ("", "unit", "critical")]
        if base:
            sent += [(base, discount.cobertura(with_change=False), flag) for flag in ("", "unit", "critical")]
        for commit, report, flag in sent:
            answer = self.api.post(
                f"/api/evidence/{PROJECT_ID}/{commit}", params={"flag": flag} if flag else {}, content=report.encode()
            )
            if answer.status_code not in {200, 201}:
                self.fail(f"a report was not taken: {answer.status_code} {answer.text[:300]}")
