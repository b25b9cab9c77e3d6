"""RFC 6962 Merkle trees: hashing, an append-only frontier, and the proofs anyone can check without us.

Hashes are SHA-256 with the domain separation of RFC 6962 §2.1 (``0x00`` before a leaf, ``0x01`` before a node); the
proofs are those of §2.1.1 and §2.1.2. RFC 9162 §2.1.3.2 and §2.1.4.2 give the verification algorithms.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence

from shared.errors import DefectError

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The hash of the empty tree: SHA-256 of nothing."""

_HASH_BYTES = 32


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf's data, 32 bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children, 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of a tree's complete subtrees, left to right: all that appending and the root need.

    There is one node for each set bit of ``size``, so a log of 2^64 events keeps at most 64 hashes.
    """

    __slots__ = ("_nodes", "_size")

    def __init__(self) -> None:
        self._size = 0
        self._nodes: list[bytes] = []

    @classmethod
    def from_hex(cls, size: int, nodes: Iterable[str]) -> Frontier:
        """Continue a tree of ``size`` leaves.

        Raises:
            DefectError: the nodes are not hashes, or their number cannot belong to ``size``.
        """
        try:
            raw = [bytes.fromhex(node) for node in nodes]
        except ValueError as error:
            raise DefectError("a frontier holds something that is not hexadecimal") from error
        return cls._of(size, raw)

    @classmethod
    def from_text(cls, size: int, text: str) -> Frontier:
        """Continue a tree from what ``to_text`` wrote. Raises ``DefectError`` as ``from_hex`` does."""
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise DefectError("a frontier's text is not base64") from error
        return cls._of(size, [raw[i : i + _HASH_BYTES] for i in range(0, len(raw), _HASH_BYTES)])

    @classmethod
    def _of(cls, size: int, nodes: list[bytes]) -> Frontier:
        if size < 0 or len(nodes) != size.bit_count():
            raise DefectError(f"a frontier of {len(nodes)} nodes cannot belong to a tree of {size} leaves")
        if any(len(node) != _HASH_BYTES for node in nodes):
            raise DefectError(f"a frontier's node is not a hash of {_HASH_BYTES} bytes")
        frontier = cls()
        frontier._size = size
        frontier._nodes = nodes
        return frontier

    @property
    def size(self) -> int:
        """How many leaves were appended."""
        return self._size

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash, amortised O(1): merge as many complete subtrees as ``size`` has trailing one bits."""
        if len(leaf) != _HASH_BYTES:
            raise DefectError(f"a leaf hash is {_HASH_BYTES} bytes, not {len(leaf)}")
        node, size = leaf, self._size
        while size & 1:
            node = node_hash(self._nodes.pop(), node)
            size >>= 1
        self._nodes.append(node)
        self._size += 1

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves so far, 32 bytes, O(log size)."""
        if not self._nodes:
            return EMPTY_ROOT
        node = self._nodes[-1]
        for left in reversed(self._nodes[:-1]):
            node = node_hash(left, node)
        return node

    def to_hex(self) -> tuple[str, ...]:
        """The nodes, left to right, as an audit head carries them."""
        return tuple(node.hex() for node in self._nodes)

    def to_text(self) -> str:
        """The nodes as one base64 text: at most 2,732 characters, so it fits one table property."""
        return base64.b64encode(b"".join(self._nodes)).decode("ascii")

    def copy(self) -> Frontier:
        """An independent frontier of the same tree."""
        return self._of(self._size, list(self._nodes))


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of leaf hashes, 32 bytes."""
    return _subtree(leaves, 0, len(leaves))


def _subtree(leaves: Sequence[bytes], start: int, end: int) -> bytes:
    frontier = Frontier()
    for i in range(start, end):
        frontier.append(leaves[i])
    return frontier.root()


def _split(size: int) -> int:
    """The largest power of two smaller than ``size`` (RFC 6962's k), for ``size`` > 1."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The audit path of leaf ``index`` in the tree over ``leaves`` (RFC 6962 §2.1.1), O(n).

    Raises:
        DefectError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise DefectError(f"a tree of {len(leaves)} leaves has no leaf {index}")
    path: list[bytes] = []
    start, end = 0, len(leaves)
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(leaves, middle, end))
            end = middle
        else:
            path.append(_subtree(leaves, start, middle))
            start = middle
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``proof`` shows that ``leaf`` stands at ``index`` of the tree with ``size`` leaves and ``root``."""
    if not 0 <= index < size:
        return False
    position, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and node == root


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """The proof that the tree over the first ``old_size`` leaves is a prefix of ``leaves`` (RFC 6962 §2.1.2), O(n).

    Raises:
        DefectError: ``old_size`` is not between 1 and the number of leaves.
    """
    if not 0 < old_size <= len(leaves):
        raise DefectError(f"no consistency proof from {old_size} to {len(leaves)} leaves")
    path: list[bytes] = []
    start, end, whole = 0, len(leaves), True
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(_subtree(leaves, middle, end))
            end = middle
        else:
            path.append(_subtree(leaves, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(_subtree(leaves, start, end))
    return tuple(reversed(path))


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows that the tree of ``old_size`` leaves is a prefix of the tree of ``new_size`` leaves."""
    if not 0 < old_size <= new_size:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    path = list(proof)
    if old_size.bit_count() == 1:
        path.insert(0, old_root)
    if not path:
        return False
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and old == old_root and new == new_root
