"""A scaffold as one artifact: a ZIP whose bytes depend on nothing but the files, with git's own digest of each file."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.domain.blobs import blob_sha

MEDIA_TYPE = "application/zip"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a ZIP can hold
_FILE, _EXECUTABLE = 0o100644, 0o100755


@dataclass(frozen=True)
class Bundle:
    """Files by path, and which of them may be executed."""

    files: Mapping[str, bytes]
    executable: frozenset[str]

    def git_digests(self) -> dict[str, str]:
        """Path → git blob SHA-1, which both forges report: SHA-1 over ``blob <size>NUL<content>``."""
        return {path: blob_sha(content) for path, content in self.files.items()}


def pack(files: Mapping[str, bytes], executable: Iterable[str] = ()) -> bytes:
    """The bundle's bytes; equal files give equal bytes."""
    runnable = frozenset(executable)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(files):
            info = zipfile.ZipInfo(path, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = (_EXECUTABLE if path in runnable else _FILE) << 16
            archive.writestr(info, files[path])
    return buffer.getvalue()


def unpack(content: bytes) -> Bundle:
    """The bundle that ``pack`` made."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        infos = archive.infolist()
        return Bundle(
            files={info.filename: archive.read(info) for info in infos},
            executable=frozenset(i.filename for i in infos if (i.external_attr >> 16) & 0o111),
        )


def digest_of(packed: bytes) -> str:
    """The name the packed bundle gets in the artifact store."""
    return "sha256:" + hashlib.sha256(packed).hexdigest()
