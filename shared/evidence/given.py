"""What the sender of a report said beside it: which tests it is of, and where the checkout was."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.evidence.paths import RepositoryPaths


@dataclass(frozen=True)
class Given:
    """What the sender said beside the report."""

    flag: str = ""
    root: str = ""
    paths: RepositoryPaths = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", RepositoryPaths(self.root))
