"""Groups are joined as if each were held against each, only sooner."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agents._neighbours import Neighbours

FOLDERS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=3).map("/".join)


@st.composite
def apart(draw):
    """Groups of paths that have none in common, with the lines of each path."""
    paths = draw(st.lists(st.tuples(FOLDERS, st.integers(0, 9)), min_size=1, max_size=14, unique=True))
    names = [str(PurePosixPath(folder, f"{number}.py")) for folder, number in paths]
    groups = {}
    for name in names:
        groups.setdefault(draw(st.integers(0, 6)), set()).add(name)
    return list(groups.values()), {name: draw(st.integers(0, 9)) for name in names}


def nearness(group, other):
    def common(one, two):
        count = 0
        for mine, theirs in zip(PurePosixPath(one).parts[:-1], PurePosixPath(two).parts[:-1], strict=False):
            if mine != theirs:
                break
            count += 1
        return count

    return max(common(mine, theirs) for mine in group for theirs in other), min(other)


def each_against_each(groups, lines, least, most):
    groups = [set(group) for group in groups]
    while len(groups) > 1:
        smallest = min(groups, key=lambda group: (sum(lines[path] for path in group), min(group)))
        if sum(lines[path] for path in smallest) >= least and len(groups) <= most:
            break
        groups.remove(smallest)
        max(groups, key=lambda one: nearness(smallest, one)).update(smallest)
    return groups


@given(apart(), st.integers(0, 12), st.integers(1, 4))
def test_the_small_go_where_they_would_go_if_each_were_held_against_each(made, least, most):
    groups, lines = made
    found = Neighbours(groups).without_small(lines, least=least, most=most)
    assert sorted(map(sorted, found)) == sorted(map(sorted, each_against_each(groups, lines, least, most)))


@given(apart(), FOLDERS)
def test_the_nearest_shares_the_most_folders_and_has_the_last_first_path(made, folder):
    groups, _ = made
    one = {str(PurePosixPath(folder, "README.md"))}
    neighbours = Neighbours(groups)
    assert groups[neighbours.nearest(one)] == max(groups, key=lambda other: nearness(one, other))


def test_what_joined_is_near_as_well():
    neighbours = Neighbours([{"a/x.py"}, {"b/x.py"}])
    assert neighbours.nearest({"c/d/README.md"}) == 1
    neighbours.join(0, {"c/d/other.md"})
    assert neighbours.nearest({"c/d/README.md"}) == 0
    assert neighbours.groups() == [{"a/x.py", "c/d/other.md"}, {"b/x.py"}]


def test_where_there_is_no_group_nothing_is_near():
    with pytest.raises(ValueError, match="no other group"):
        Neighbours([]).nearest({"a.py"})


def test_of_thousands_of_groups_no_file_is_lost():
    groups = [{f"src/p{n % 50}/m{n}.py"} for n in range(3_000)]
    found = Neighbours(groups).without_small(dict.fromkeys(set().union(*groups), 10), least=1_500, most=6)
    assert sum(map(len, found)) == 3_000
    assert len(found) <= 6
