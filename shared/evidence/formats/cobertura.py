"""Reads Cobertura XML as coverage.py, Coverlet, gcovr, JaCoCo converters and Istanbul write it, as a stream.

The format: https://github.com/cobertura/cobertura/blob/master/cobertura/src/site/htdocs/xml/coverage-04.dtd
"""

from __future__ import annotations

import re
from typing import Any

from shared.errors import RefusedError
from shared.evidence.covered import FileLines, totals
from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.numbers import count
from shared.evidence.opening import XmlReader

_CONDITIONS = re.compile(r"\(([0-9]{1,9})/([0-9]{1,9})\)")


def from_xml(content: bytes, given: Given) -> dict[str, Any]:
    """Lines and branches by file. Raises ``RefusedError`` for what is no Cobertura."""
    return _Coverage(given).read(content)


class _Coverage:
    def __init__(self, given: Given) -> None:
        self._given = given
        self._text: list[str] = []
        self._sources: list[str] = []
        self._files: dict[str, FileLines] = {}
        self._at: FileLines | None = None
        self._version = ""
        self._rated = False
        self._reader = XmlReader(self._start)

    def read(self, content: bytes) -> dict[str, Any]:
        self._reader.read(content)
        if not self._rated:
            raise RefusedError("the report is no Cobertura: its root has no line-rate", "Let the tool write Cobertura.")
        files: dict[str, FileLines] = {}
        for name, lines in self._files.items():
            path = self._given.paths.below(name, self._sources)
            if path is not None:
                files.setdefault(path, FileLines()).add(lines)
        return {"tool_version": self._version, "coverage": totals(files, self._given.flag)}

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "line":
            self._line(attributes)
        elif name == "class":
            file = attributes.get("filename", "")
            self._at = self._files.setdefault(file, FileLines()) if file else None
            if len(self._files) > LIMITS.items:
                raise RefusedError(f"the report holds more than {LIMITS.items} files", "Send it in parts.")
        elif name == "coverage":
            self._rated = "line-rate" in attributes
            self._version = attributes.get("version", "")
        elif name == "source":
            self._text.clear()
            self._reader.listen(self._text.append, self._end)

    def _end(self, name: str) -> None:
        if name == "source":
            self._reader.listen(None)
            if source := "".join(self._text).strip():
                self._sources.append(source)

    def _line(self, attributes: dict[str, str]) -> None:
        if self._at is None:
            return
        number = count(attributes.get("number", ""))
        # gcovr leaves hits above 2^53 as they are; that a line was run is all that counts.
        hits = attributes.get("hits", "0")
        self._at.line(number, hit=hits.strip("0") not in {"", "-"} and not hits.startswith("-"))
        if found := _CONDITIONS.search(attributes.get("condition-coverage", "")):
            covered, valid = int(found[1]), int(found[2])
            self._at.branch(number, min(covered, valid), valid)
