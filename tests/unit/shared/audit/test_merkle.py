"""Merkle trees against the RFC's reference vectors and a naive reading of its definitions."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from shared.errors import DefectError

# The inputs, roots and proofs used by Certificate Transparency's reference implementations.
INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
LEAVES = [leaf_hash(bytes.fromhex(data)) for data in INPUTS]

leaves_of = st.lists(st.binary(max_size=4).map(leaf_hash), max_size=70)


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = naive_split(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = naive_split(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 6962 §2.1.2, word for word."""
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = naive_split(len(leaves))
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def hexes(proof: tuple[bytes, ...]) -> list[str]:
    return [node.hex() for node in proof]


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert Frontier().root() == root_of([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_reference_ones(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [(0, 1, []), (0, 8, [A, B, C]), (5, 8, [D, E, ROOTS[3]]), (2, 3, [ROOTS[1]]), (1, 5, [ROOTS[0], B, D])],
)
def test_inclusion_proofs_are_the_reference_ones(index: int, size: int, path: list[str]) -> None:
    assert hexes(inclusion_proof(LEAVES[:size], index)) == path
    nodes = [bytes.fromhex(node) for node in path]
    assert verify_inclusion(LEAVES[index], index, size, nodes, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[3]]), (2, 5, [B, D])],
)
def test_consistency_proofs_are_the_reference_ones(old: int, new: int, path: list[str]) -> None:
    assert hexes(consistency_proof(LEAVES[:new], old)) == path
    nodes = [bytes.fromhex(node) for node in path]
    assert verify_consistency(old, new, bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1]), nodes)


@given(leaves_of)
def test_the_frontier_has_the_naive_root_at_every_size(leaves: list[bytes]) -> None:
    frontier = Frontier()
    for size, leaf in enumerate(leaves):
        frontier.append(leaf)
        assert frontier.root() == naive_root(leaves[: size + 1])
    assert frontier.size == len(leaves)


@given(leaves_of.filter(bool), st.data())
def test_inclusion_proofs_are_the_naive_ones_and_verify_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, root, size = inclusion_proof(leaves, index), root_of(leaves), len(leaves)
    assert list(proof) == naive_path(index, leaves)
    assert verify_inclusion(leaves[index], index, size, proof, root)
    other = leaf_hash(b"another leaf")
    assert not verify_inclusion(other, index, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, (*proof, other), root)
    assert not verify_inclusion(leaves[index], index, size, proof, other)
    assert not verify_inclusion(leaves[index], size, size, proof, root)
    assert not verify_inclusion(leaves[index], -1, size, proof, root)
    if proof:
        assert not verify_inclusion(leaves[index], index, size, proof[:-1], root)
        flipped = bytes([proof[0][0] ^ 1]) + proof[0][1:]
        assert not verify_inclusion(leaves[index], index, size, (flipped, *proof[1:]), root)


@given(leaves_of.filter(bool), st.data())
def test_consistency_proofs_are_the_naive_ones_and_verify_nothing_else(
    leaves: list[bytes], data: st.DataObject
) -> None:
    old = data.draw(st.integers(1, len(leaves)))
    proof, new = consistency_proof(leaves, old), len(leaves)
    old_root, new_root = root_of(leaves[:old]), root_of(leaves)
    assert list(proof) == naive_subproof(old, leaves, True)
    assert verify_consistency(old, new, old_root, new_root, proof)
    other = leaf_hash(b"another leaf")
    assert not verify_consistency(old, new, other, new_root, proof)
    assert not verify_consistency(old, new, old_root, other, proof)
    assert not verify_consistency(old, new, old_root, new_root, (*proof, other))
    assert not verify_consistency(0, new, old_root, new_root, proof)
    assert not verify_consistency(new + 1, new, old_root, new_root, proof)
    if proof:
        assert not verify_consistency(old, new, old_root, new_root, proof[:-1])
        assert not verify_consistency(old, new, old_root, new_root, ())


@given(leaves_of, leaves_of)
def test_a_frontier_written_down_continues_where_it_was(before: list[bytes], after: list[bytes]) -> None:
    frontier = Frontier()
    for leaf in before:
        frontier.append(leaf)
    again = [
        Frontier.from_hex(frontier.size, frontier.to_hex()),
        Frontier.from_text(frontier.size, frontier.to_text()),
        frontier.copy(),
    ]
    for copy in again:
        for leaf in after:
            copy.append(leaf)
        assert copy.root() == root_of(before + after)
    assert frontier.root() == root_of(before), "appending to a copy leaves the original"


def test_the_largest_frontier_stays_under_three_kilobytes() -> None:
    size = 2**64 - 1
    frontier = Frontier.from_hex(size, ["ab" * 32] * 64)
    assert len(frontier.to_text()) < 3 * 1024
    frontier.append(leaf_hash(b""))
    assert (frontier.size, len(frontier.to_hex())) == (2**64, 1)


@pytest.mark.parametrize(
    ("size", "nodes"),
    [(1, []), (0, ["00" * 32]), (3, ["00" * 32]), (-1, ["00" * 32]), (1, ["00" * 31]), (1, ["zz" * 32])],
)
def test_a_frontier_that_cannot_be_is_refused(size: int, nodes: list[str]) -> None:
    with pytest.raises(DefectError):
        Frontier.from_hex(size, nodes)


@pytest.mark.parametrize("text", ["not base64!", "AAAA", "é"])
def test_a_frontier_text_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(DefectError):
        Frontier.from_text(1, text)


def test_only_hashes_are_appended() -> None:
    with pytest.raises(DefectError):
        Frontier().append(b"short")


@pytest.mark.parametrize("index", [-1, 3])
def test_no_proof_for_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(DefectError):
        inclusion_proof(LEAVES[:3], index)


@pytest.mark.parametrize("old", [0, 4])
def test_no_proof_from_a_tree_that_never_was(old: int) -> None:
    with pytest.raises(DefectError):
        consistency_proof(LEAVES[:3], old)


def test_a_leaf_is_never_a_node() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
