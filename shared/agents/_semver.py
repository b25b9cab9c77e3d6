"""Counts versions by Semantic Versioning 2.0.0 (https://semver.org/spec/v2.0.0.html)."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Self

from pydantic import Field

from shared.domain.forge import Frozen

_NUMBER = r"(?:0|[1-9]\d{0,8})"
_IDENTIFIER = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"v?(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER})"
    rf"(?:-(?P<pre>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?",
    re.ASCII,
)


class Bump(IntEnum):
    """Which part of a version a change counts up, the least first."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    @property
    def word(self) -> str:
        """As people write it."""
        return self.name.lower()


class Version(Frozen):
    """A version without build metadata, which has no part in precedence."""

    major: int = Field(ge=0)
    minor: int = Field(ge=0)
    patch: int = Field(ge=0)
    pre: str = Field(default="", description="Pre-release identifiers, such as `rc.1`.")

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The version that ``text`` writes, with or without a leading ``v``; ``None`` for anything else."""
        found = _VERSION.fullmatch(text.strip()[:256])
        if found is None:
            return None
        return cls(
            major=int(found["major"]), minor=int(found["minor"]), patch=int(found["patch"]), pre=found["pre"] or ""
        )

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{self.pre}" if self.pre else "")

    @property
    def core(self) -> tuple[int, int, int]:
        """Its three numbers."""
        return (self.major, self.minor, self.patch)

    def next(self, bump: Bump) -> Version:
        """The release that follows under ``bump``.

        Before 1.0.0 anything may change at any time (section 4), so a breaking change counts up the minor version there.
        A pre-release is followed by its own release where that is enough.
        """
        if bump is Bump.NONE:
            return self
        if self.major == 0 and bump is Bump.MAJOR:
            bump = Bump.MINOR
        if self.pre and self._release_is_at_least(bump):
            return Version(major=self.major, minor=self.minor, patch=self.patch)
        match bump:
            case Bump.MAJOR:
                return Version(major=self.major + 1, minor=0, patch=0)
            case Bump.MINOR:
                return Version(major=self.major, minor=self.minor + 1, patch=0)
            case _:
                return Version(major=self.major, minor=self.minor, patch=self.patch + 1)

    def step_to(self, later: Version) -> Bump:
        """Which part ``later`` counts up first, as a reader of both would say; ``NONE`` where it is not later."""
        if later.core < self.core or (later.core == self.core and (not self.pre or later.pre)):
            return Bump.NONE
        if later.major != self.major:
            return Bump.MAJOR
        if later.minor != self.minor:
            return Bump.MINOR
        return Bump.PATCH

    def _release_is_at_least(self, bump: Bump) -> bool:
        """Whether dropping the pre-release tag is a release of that kind: 2.0.0-rc.1 already counts as major."""
        if bump is Bump.MAJOR:
            return self.minor == 0 and self.patch == 0
        return bump is Bump.PATCH or self.patch == 0
