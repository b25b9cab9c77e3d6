"""Reads JUnit XML as pytest, Maven Surefire, Gradle, Jest, Go and others write it, as a stream.

No body owns the format; https://github.com/testmoapp/junitxml describes what tools write.
"""

from __future__ import annotations

from typing import Any

from shared.domain.evidence import Outcome
from shared.errors import RefusedError
from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.numbers import seconds
from shared.evidence.opening import Start, XmlReader, check_depth

_OUTCOMES = {"failure": Outcome.FAILED, "error": Outcome.ERRORED, "skipped": Outcome.SKIPPED}
_RERUNS = frozenset({"flakyFailure", "flakyError", "rerunFailure", "rerunError"})
_FLAKY = frozenset({"flakyFailure", "flakyError"})


def from_xml(content: bytes, given: Given) -> dict[str, Any]:
    """Every test case, in order. Raises ``RefusedError`` for what is no JUnit XML."""
    return _Cases(given).read(content)


class _Cases:
    def __init__(self, given: Given) -> None:
        self._paths = given.paths
        self._tests: list[dict[str, Any]] = []
        self._suite = ""
        self._tool = ""
        self._text: list[str] = []
        ended: list[str] = []
        self._reader = XmlReader(self._starting(ended), ended=ended)

    def read(self, content: bytes) -> dict[str, Any]:
        self._reader.read(content)
        return {"tool": self._tool, "tests": self._tests}

    def _starting(self, ended: list[str]) -> Start:
        """A closure: nearly every element is a test case, so what is done for one decides how fast a report is read.

        Limits are looked at with every other element and every hundredth case.
        """
        tests, paths, other = self._tests, self._paths, self._started
        others = 0
        files: dict[str | None, str | None] = {None: None, "": None}

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal others
            if name != "testcase":
                others += 1
                check_depth(others + len(tests) - len(ended))
                other(name, attributes)
                return
            get = attributes.get
            file, took = get("file"), get("time")
            if file not in files:
                files[file] = paths(file or "")
            tests.append(
                {
                    "name": get("name", ""),
                    "suite": get("classname") or self._suite,
                    "seconds": seconds(took) if took else 0.0,
                    "path": files[file],
                }
            )
            if not len(tests) % 100:
                check_depth(others + len(tests) - len(ended))
                if len(tests) > LIMITS.items:
                    raise RefusedError(f"the report holds more than {LIMITS.items} test cases", "Send it in parts.")

        return start

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        if name in _OUTCOMES:
            self._ended(_OUTCOMES[name], attributes)
        elif name in _RERUNS:
            self._again(name, attributes)
        elif name == "testsuite":
            self._suite = attributes.get("name", "")
        elif name == "testsuites":
            self._tool = attributes.get("name", "")

    def _ended(self, outcome: Outcome, attributes: dict[str, str]) -> None:
        if not self._tests:
            return  # some tools put a failure of the whole suite before its first case
        test = self._tests[-1]
        before = test.get("outcome")
        test["outcome"] = outcome
        message = attributes.get("message", "")
        if before is not None and before is not Outcome.SKIPPED:
            # pytest writes a failure and an error of one test as two children; the first is why.
            test["outcome"] = before
            return
        if message:
            test["message"] = message[: LIMITS.text]
        else:
            self._text.clear()
            self._reader.listen(self._text.append, self._texted)

    def _texted(self, name: str) -> None:
        if name in _OUTCOMES:
            self._reader.listen(None)
            self._tests[-1]["message"] = "".join(self._text).strip()[: LIMITS.text]

    def _again(self, name: str, attributes: dict[str, str]) -> None:
        """Surefire tells of each further try: https://maven.apache.org/surefire/maven-surefire-plugin/examples/rerun-failing-tests.html"""
        if not self._tests:
            return
        test = self._tests[-1]
        test["retries"] = test.get("retries", 0) + 1
        if name in _FLAKY:
            test["flaky"] = True
            test.setdefault("message", attributes.get("message", "")[: LIMITS.text])
