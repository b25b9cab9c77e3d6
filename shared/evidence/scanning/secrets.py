"""Finds secrets in lines a change adds, by detect-secrets, without ever telling one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.domain.change import ChangedFile, Scan
from shared.domain.evidence import Finding, Severity
from shared.evidence.apart.secrets import LOCK, SAMPLES
from shared.evidence.changes.kinds import FileKind, kind_of
from shared.evidence.scanning.answers import answered, fingerprint
from shared.evidence.scanning.job import Job
from shared.evidence.scanning.libraries import look
from shared.evidence.scanning.placing import Placed, place, suffix_of
from shared.evidence.scanning.ports import ScanLimits

NAME = "detect-secrets"

_TEXT = "text"
_CARE = {FileKind.LOCK: LOCK, FileKind.TEST: SAMPLES, FileKind.DOCUMENTATION: SAMPLES}
"""How closely a file is guessed about. Lock files are full of digests that look random; tests and documents, of made-up
passwords with telling names."""

_OFTEN_SAMPLES = frozenset({"Basic Auth Credentials", "JSON Web Token"})
"""Of the detectors by shape, those whose finds are often samples; they weigh less."""

_TEXT_SUFFIXES = frozenset(
    [
        ".py", ".js", ".jsx", ".ts", ".tsx", ".java", ".go", ".cs", ".rb", ".php", ".swift", ".c", ".cpp", ".h", ".m",
        ".yaml", ".yml", ".json", ".ini", ".cfg", ".properties", ".config", ".toml", ".conf", ".pem", ".pom", ".tf", ".xml",
    ]
)  # fmt: skip
"""Ends by which the library reads a file in its own way. It passes over files with some other ends unread, so those are
written as ``.txt``."""

BINARY_SUFFIXES = frozenset(
    [
        ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".ico", ".icns", ".webp", ".avif", ".tif", ".tiff", ".psd", ".svgz",
        ".woff", ".woff2", ".ttf", ".otf", ".eot", ".mp3", ".mp4", ".mov", ".avi", ".webm", ".ogg", ".wav", ".flac",
        ".pdf", ".zip", ".gz", ".bz2", ".xz", ".7z", ".tar", ".tgz", ".rar", ".jar", ".war", ".whl", ".nupkg",
        ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".odt", ".ods", ".exe", ".dll", ".so", ".dylib", ".class",
        ".pyc", ".o", ".a", ".lib", ".wasm", ".parquet", ".npy", ".npz", ".onnx", ".pt", ".bin", ".dat", ".mo",
    ]
)  # fmt: skip
"""Ends of files in which nobody looks for secrets. A binary file of another end is told as not looked at: a line in
``.gitattributes`` makes any text look like one."""


def scan(job: Job) -> tuple[Scan, ...]:
    """What detect-secrets finds in added lines. It concerns every change."""
    files = [file for file in job.known_files if not _is_media(file)]
    with job.folder() as folder:
        placed, unseen = place(files, folder, job.ports.limits, _named, sparse=True, most=_largest(job.ports.limits))
        looked = look("secrets", placed, folder, job.ports, job.deadline, job.waiting)
    job.secrets.update(each["value"] for _, found in looked.found for each in found)
    findings = [
        finding for one, found in looked.found for each in found if (finding := _finding(one, each, job.ports.key))
    ]
    media = sum(_is_media(file) for file in job.known_files)
    return answered(
        NAME,
        looked.version,
        findings,
        job.ports.limits,
        seen=(one.file.path for one, _ in looked.found),
        unseen=[*unseen, *looked.unseen],
        figures={"files": len(looked.found), "binary_files": media},
    )


def _is_media(file: ChangedFile) -> bool:
    return file.binary and suffix_of(file.path) in BINARY_SUFFIXES


def _largest(limits: ScanLimits) -> Callable[[ChangedFile], int]:
    """Shapes are looked for quickly: lock files of several MiB are ordinary, and nothing is guessed in them."""

    def largest(file: ChangedFile) -> int:
        return limits.file_bytes * (16 if kind_of(file.path) is FileKind.LOCK else 4)

    return largest


def _named(number: int, file: ChangedFile) -> str:
    end = suffix_of(file.path.lower().removesuffix(".jinja").removesuffix(".j2").removesuffix(".tmpl"))
    kept = end if end in _TEXT_SUFFIXES else ".txt"
    return f"{_CARE.get(kind_of(file.path), _TEXT)}{number:05d}{kept}"


def _finding(one: Placed, found: dict[str, Any], key: bytes) -> Finding | None:
    line, kind = one.line(found["line"]), found["kind"]
    if not one.touched.is_added(line):
        return None
    guessed = found["guessed"]
    return Finding(
        rule=kind,
        severity=Severity.HIGH if guessed or kind in _OFTEN_SAMPLES else Severity.CRITICAL,
        source_severity="guessed" if guessed else "by its shape",
        message=f"{'This looks like a secret' if guessed else 'This is a secret'} ({kind}).",
        path=one.file.path,
        line=line,
        fingerprint=fingerprint(key, NAME, kind, one.file.path, found["value"]),
    )
