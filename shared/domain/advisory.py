"""What a collection of known vulnerabilities says of one."""

from __future__ import annotations

from pydantic import Field

from shared.domain.forge import Frozen


class Advisory(Frozen):
    """One known vulnerability, as it concerns one package."""

    id: str
    aliases: tuple[str, ...] = Field(default=(), description="Its names in other collections, such as a CVE.")
    summary: str = ""
    score: float | None = Field(default=None, ge=0, le=10, description="CVSS base score; None: nobody scored it.")
    scale: str = Field(default="", description="Which version of CVSS the score is of.")
    word: str = Field(default="", description="How bad its collection calls it, where there is no score.")
    fixed: tuple[str, ...] = Field(default=(), description="Versions of the package in which it is mended.")
    url: str = ""
