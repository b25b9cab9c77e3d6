"""A repository on either simulator, with pull requests and the adapter under test: what both forges must do alike."""

from __future__ import annotations

from itertools import count
from typing import Any

from shared.domain.change import Change, ChangedFile, ChangeRef, Part
from shared.domain.forge import ForgeName
from shared.domain.publication import OwnWord
from shared.domain.review import Remark, Reviewed
from shared.reviews.ports import ReviewForge
from shared.reviews.publishing import Published, publish
from tests.fakes.reviewed import a_reviewed
from tests.fakes.talk import Talk, a_finding

NUMBERS = count(1)
LEAKED = b"import os\n\n\ndef hail(name):\n    key = 'AKIA'\n    return f'\xf0\x9f\x98\x80 {name}'\n"
FIXED = LEAKED.replace(b"'AKIA'", b"os.environ['KEY']")
MOVED = b"# Said at the door.\n\n" + LEAKED


class Place:
    """A repository on one of the simulators."""

    def __init__(self, forge: ForgeName, made: Any) -> None:
        self.name = forge
        self.made = made
        self.sandbox = made if forge is ForgeName.GITHUB else made.sandbox
        self.ports = Talk(forge).ports
        self.branch = ""

    @property
    def forge(self) -> ReviewForge:
        found: ReviewForge = self.made.app if self.name is ForgeName.GITHUB else self.made.forge
        return found

    def push(self, content: bytes) -> str:
        if self.name is ForgeName.GITHUB:
            return str(self.made.commit({"src/door.py": content}, self.branch))
        return str(self.made.push(self.branch, {"src/door.py": content}))

    def open(self) -> ChangeRef:
        self.branch = f"feature/{next(NUMBERS)}-door"
        self.push(LEAKED)
        ref: ChangeRef = self.made.pull(self.branch) if self.name is ForgeName.GITHUB else self.made.open(self.branch)
        return ref

    def looked(self, ref: ChangeRef) -> tuple[Change, Part[tuple[ChangedFile, ...]]]:
        found = self.forge.look_at(ref)
        assert found is not None
        return found.change, self.forge.changed_files(found.change)

    def reviewed(self, change: Change, *remarks: Remark) -> Reviewed:
        findings = [a_finding("no_secrets", reason="1 secret", remarks=remarks)] if remarks else []
        return a_reviewed(*findings, forge=self.name, ref=change.ref, head=change.head, url=change.url, review="r-1")

    def tell(self, ref: ChangeRef, *remarks: Remark) -> Published:
        change, files = self.looked(ref)
        return publish(self.forge, self.ports, self.reviewed(change, *remarks), change, files)

    def words(self, ref: ChangeRef) -> list[OwnWord]:
        return list(self.forge.own_words(ref))

    def state(self, ref: ChangeRef) -> list[tuple[str, str]]:
        """Our checks on the head, by name and state, as the forge lists them."""
        found = self.forge.look_at(ref)
        assert found is not None and isinstance(found.checks, tuple)
        return [(check.name, check.state) for check in found.checks if check.ours]
