"""Artifacts in Blob storage under the digest of their content: what is read is what was written, or an error."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from shared.adapters.storage.failures import storage_errors
from shared.errors import DefectError, RefusedError

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient

    from shared.adapters.storage.account import StorageAccount

DEFAULT_LIMIT = 256 * 1024 * 1024
"""Bytes; what one worker can hold in memory beside its other work."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CLAIMED = "application/octet-stream"


def digest_of(content: bytes) -> str:
    """The name of ``content``: ``sha256:`` and 64 hex digits."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def check_digest(digest: str) -> None:
    """Refuse what is no digest. Raises ``RefusedError``."""
    if not _DIGEST.fullmatch(digest):
        raise RefusedError(f"{digest[:80]!r} is no artifact digest", "give sha256: and 64 lower-case hex digits")


def blob_name(digest: str) -> str:
    """Where the artifact of ``digest`` lies: two digits are a folder, so that listings stay small."""
    algorithm, _, value = digest.partition(":")
    return f"{algorithm}/{value[:2]}/{value[2:]}"


class BlobArtifactStore:
    """``ports.ArtifactStore`` in one blob container.

    Args:
        account: the storage account.
        container: the container's name.
        limit: the largest artifact taken, in bytes.
    """

    def __init__(self, account: StorageAccount, container: str = "artifacts", limit: int = DEFAULT_LIMIT) -> None:
        self._account = account
        self._container = container
        self._limit = limit

    def put(self, content: bytes, media_type: str) -> str:
        """Store ``content`` (again without effect; the first media type stays) and return its digest.

        Raises:
            RefusedError: it is larger than the limit, or storage denies access.
            TransientError: storage does not answer.
        """
        from azure.core.exceptions import ResourceExistsError
        from azure.storage.blob import ContentSettings

        if len(content) > self._limit:
            raise RefusedError(
                f"an artifact of {len(content)} bytes is over the limit of {self._limit}",
                "store less, or raise the artifact limit in the settings",
            )
        digest = digest_of(content)
        with storage_errors(f"store artifact {digest}"):
            try:
                self._blob(digest).upload_blob(
                    content, overwrite=False, content_settings=ContentSettings(content_type=media_type)
                )
            except ResourceExistsError:
                return digest
        return digest

    def claim(self, content: bytes) -> str:
        """Store a message too large for a queue and return the digest to send instead (the claim check pattern)."""
        return self.put(content, _CLAIMED)

    def get(self, digest: str) -> bytes:
        """The bytes of ``digest``.

        Raises:
            RefusedError: it is no digest, or nothing is stored under it.
            DefectError: what is stored was altered.
            TransientError: storage does not answer.
        """
        from azure.core.exceptions import ResourceNotFoundError

        check_digest(digest)
        with storage_errors(f"read artifact {digest}"):
            try:
                content: bytes = self._blob(digest).download_blob().readall()
            except ResourceNotFoundError as error:
                raise _absent(digest) from error
        if digest_of(content) != digest:
            raise DefectError(f"artifact {digest} was altered in storage")
        return content

    def media_type(self, digest: str) -> str:
        """The media type ``digest`` was first stored with. Raises as ``get`` does."""
        from azure.core.exceptions import ResourceNotFoundError

        check_digest(digest)
        with storage_errors(f"read artifact {digest}"):
            try:
                properties: Any = self._blob(digest).get_blob_properties()
            except ResourceNotFoundError as error:
                raise _absent(digest) from error
        return str(properties.content_settings.content_type or _CLAIMED)

    def _blob(self, digest: str) -> BlobClient:
        return self._account.container(self._container).get_blob_client(blob_name(digest))


def _absent(digest: str) -> RefusedError:
    return RefusedError(f"there is no artifact {digest}", "check the digest; it may be past its retention")
