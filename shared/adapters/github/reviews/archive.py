"""Reads wanted files out of the archive of a commit while it arrives, within bounds that no archive can break.

https://docs.github.com/rest/repos/contents#download-a-repository-archive-tar
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Collection
from typing import IO, TYPE_CHECKING, Any

from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.errors import translated
from shared.adapters.github.repositories import repository_path
from shared.domain.forge import RepositoryRef
from shared.errors import TransientError

if TYPE_CHECKING:
    import requests

MOST_SENT = 200 * 1024 * 1024
"""Bytes of an archive that are read."""
MOST_UNPACKED = 2 * 1024 * 1024 * 1024
"""Bytes that an archive may unpack to; what comes after is not looked at."""


class _EnoughError(Exception):
    """A bound was met; what was read until then counts."""


class _Bounded(io.RawIOBase):
    """A stream that ends with ``_EnoughError`` after ``most`` bytes."""

    def __init__(self, source: IO[bytes], most: int) -> None:
        self._source = source
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """As ``io.RawIOBase`` has it."""
        found = self._source.read(len(buffer))
        self._left -= len(found)
        if self._left < 0:
            raise _EnoughError
        buffer[: len(found)] = found
        return len(found)


def files_of(
    client: GitHubClient, repository: RepositoryRef, commit: str, wanted: Collection[str], *, largest: int, total: int
) -> dict[str, bytes | None]:
    """Path → content of the ``wanted`` files at ``commit``; ``None`` for one over ``largest`` bytes.

    Files are left out that the archive does not hold, or that come after ``total`` bytes or a bound.
    Raises as any call does.
    """
    from urllib3.exceptions import HTTPError

    found: dict[str, bytes | None] = {}
    with client.download(repository_path(repository) + path("/tarball/{}", commit)) as answer:
        _check(answer, client)
        answer.raw.decode_content = False
        try:
            sent = io.BufferedReader(_Bounded(answer.raw, MOST_SENT))
            unpacked = io.BufferedReader(_Bounded(gzip.GzipFile(fileobj=sent), MOST_UNPACKED))  # type: ignore[arg-type]
            with tarfile.open(fileobj=unpacked, mode="r|") as archive:
                for member in archive:
                    name = member.name.partition("/")[2]
                    if name not in wanted or not member.isfile():
                        continue
                    if member.size > largest:
                        found[name] = None
                    elif (total := total - member.size) < 0:
                        break
                    elif (held := archive.extractfile(member)) is not None:
                        found[name] = held.read()
                    if len(found) == len(wanted):
                        break
        except _EnoughError:
            return found
        # What the connection raises while it is read comes from urllib3, and is an OSError or none.
        except (tarfile.TarError, zlib.error, EOFError, OSError, HTTPError) as error:
            raise TransientError(f"GitHub's archive of {commit[:12]} broke off ({error})") from error
    return found


def _check(answer: requests.Response, client: GitHubClient) -> None:
    if answer.status_code == 200:
        return
    headers = {name.lower(): value for name, value in answer.headers.items()}
    raise translated(answer.status_code, headers, {}, action="GET tarball", now=client.now())
