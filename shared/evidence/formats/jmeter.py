"""Reads JMeter's results (JTL), CSV or XML, as a stream: https://jmeter.apache.org/usermanual/listeners.html"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from typing import Any

from shared.errors import RefusedError
from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.numbers import count
from shared.evidence.opening import XmlReader
from shared.evidence.statistics import measure, of_times

_SAMPLES = frozenset({"sample", "httpSample"})
_NEEDED = ("timeStamp", "elapsed", "label", "success")
_MOST_LABELS = 10_000
_REMEDY = "Let JMeter write timeStamp, elapsed, label and success."


def from_text(text: str, given: Given) -> dict[str, Any]:
    """Requests, errors and response times by label."""
    samples = _Samples()
    reader = csv.reader(io.StringIO(text))
    try:
        header = next(reader)
        missing = [name for name in _NEEDED if name not in header]
        if missing:
            raise RefusedError(f"the results lack the column {missing[0]}", _REMEDY)
        stamp, elapsed, label, success = (header.index(name) for name in _NEEDED)
        for row in reader:
            if len(row) < len(header):
                raise RefusedError(f"line {reader.line_num} of the results has too few columns", _REMEDY)
            samples.add(row[label], row[elapsed], row[stamp], row[success])
    except csv.Error as error:
        raise RefusedError(f"line {reader.line_num} of the results is no CSV: {error}", _REMEDY) from error
    return {"tool": "JMeter", "measures": list(samples.measures())}


def from_xml(content: bytes, given: Given) -> dict[str, Any]:
    """The same from XML; of a transaction its own time counts, and not that of its parts again."""
    samples = _Samples()
    version = ""
    open_samples = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal open_samples, version
        if name in _SAMPLES:
            if not open_samples:
                get = attributes.get
                samples.add(get("lb", ""), get("t", ""), get("ts", ""), get("s", ""))
            open_samples += 1
        elif name == "testResults":
            version = attributes.get("version", "")

    def end(name: str) -> None:
        nonlocal open_samples
        open_samples -= name in _SAMPLES

    reader = XmlReader(start)
    reader.listen(None, end)
    reader.read(content)
    return {
        "tool": "JMeter",
        "tool_version": f"results {version}" if version else "",
        "measures": list(samples.measures()),
    }


class _Samples:
    """Samples counted as they pass, so that a million of them take no more than their different times."""

    def __init__(self) -> None:
        self._times: dict[str, Counter[float]] = {}
        self._errors: Counter[str] = Counter()
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._kept = 0

    def add(self, label: str, elapsed: str, stamp: str, success: str) -> None:
        took, at = count(elapsed), count(stamp)
        times = self._times.setdefault(label, Counter())
        self._kept += took not in times
        if len(self._times) > _MOST_LABELS or self._kept > LIMITS.items * 4:
            raise RefusedError(
                f"the results hold more than {_MOST_LABELS} labels or {LIMITS.items * 4} different times", _REMEDY
            )
        times[took] += 1
        self._errors[label] += success.strip().lower() != "true"
        self._first[label] = min(self._first.get(label, at), at)
        self._last[label] = max(self._last.get(label, at), at + took)

    def measures(self) -> Iterable[dict[str, Any]]:
        for label, times in sorted(self._times.items()):
            requests = times.total()
            yield measure(label, "requests", requests)
            yield measure(label, "failures", self._errors[label])
            yield measure(label, "error_rate", self._errors[label] / requests)
            if (milliseconds := self._last[label] - self._first[label]) > 0:
                yield measure(label, "rate", requests * 1000 / milliseconds, "1/s")
            yield from of_times(label, times)
