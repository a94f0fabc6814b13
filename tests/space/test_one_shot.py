"""The spaces of NAS-Bench-1Shot1, against plain Python that lists what choices there are."""

import pickle
from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nb101
import oracle
from nb101 import OneShotSpace

PARENTS = {1: [1, 2, 2, 2, 2], 2: [1, 1, 2, 2, 3], 3: [1, 1, 1, 2, 2, 2]}
SPACES = {number: OneShotSpace(number) for number in PARENTS}


def wirings(number: int) -> list[list[tuple[int, int]]]:
    """All ways to give each block and output its parents, as lists of edges."""
    ways = [combinations(range(i), count) for i, count in enumerate(PARENTS[number], 1)]
    return [
        [(parent, vertex) for vertex, parents in enumerate(chosen, 1) for parent in parents]
        for chosen in product(*ways)
    ]


def plain(number: int, choice: list[int]) -> oracle.Module:
    """The raw module of a choice."""
    blocks = len(PARENTS[number]) - 1
    edges = []
    for vertex, (count, which) in enumerate(zip(PARENTS[number], choice[blocks:], strict=True), 1):
        edges += [(x, vertex) for x in list(combinations(range(vertex), count))[which]]
    return oracle.from_edges(blocks + 2, edges, choice[:blocks])


def plain_hash(module: oracle.Module) -> bytes:
    pruned = oracle.prune(*module)
    assert pruned is not None
    return oracle.hash_module(*pruned).encode()


def test_published_sizes() -> None:
    """Two of them tell ops apart where a block leads anywhere, the second one always."""
    whole, leading = {}, {}
    for number, parents in PARENTS.items():
        ways = wirings(number)
        whole[number] = len(ways) * 3 ** (len(parents) - 1)
        leading[number] = sum(3 ** len({x for x, _ in edges} - {0}) for edges in ways)
    assert (leading[1], whole[2], leading[3]) == (6_240, 29_160, 363_648)
    for number, space in SPACES.items():
        assert (space.num_choices, space.num_leading) == (whole[number], leading[number])
        assert space.published in (whole[number], leading[number])
    assert [space.published for space in SPACES.values()] == [6_240, 29_160, 363_648]


def walked(number: int, edges: frozenset[tuple[int, int]], vertex: int) -> Iterator[Any]:
    """Enumerate wirings without loose ends from output on, as the authors' scripts do.

    A parent's parents are chosen before its sibling is, and what is whole by then is not gone on
    with: so they do not reach all.
    """
    counts = [0, *PARENTS[number]]
    tails, heads = ({edge[i] for edge in edges} for i in (0, 1))
    taken = [sum(head == x for _, head in edges) for x in range(len(counts))]
    full = all(n in (0, count) for n, count in zip(taken, counts, strict=True))
    if full and 0 in tails and len(tails) == len(heads) > 1:
        yield edges
        return
    old = {tail for tail, head in edges if head == vertex}
    left = combinations(sorted({*range(vertex)} - old), counts[vertex] - len(old))
    for parents in [(0,)] if vertex == 1 else left:
        grown = edges
        for parent in parents:
            grown |= {(parent, vertex)}
            yield from walked(number, grown, parent)


def test_sizes_without_loose_ends() -> None:
    """Those that were published are what the authors' walk reaches; the page has both."""
    page = (Path(__file__).parents[2] / "docs" / "guides" / "one-shot.md").read_text()
    for number, parents in PARENTS.items():
        pruned = set()
        for edges in wirings(number):
            needed = {len(parents)}
            for vertex in range(len(parents), 0, -1):
                if vertex in needed:
                    needed |= {tail for tail, head in edges if head == vertex}
            pruned.add(frozenset(edge for edge in edges if edge[1] in needed))
        reached = set(walked(number, frozenset(), len(parents)))
        assert reached < pruned
        sizes = [
            sum(3 ** len({tail for tail, _ in edges} - {0}) for edges in each)
            for each in (reached, pruned)
        ]
        published = {1: 2_487, 2: 3_609, 3: 24_066}[number]
        assert sizes[0] == published
        row = (len(reached), len(pruned), *sizes)
        assert f"| {number} | {' | '.join(f'{x:,}' for x in row)} |" in page


def test_unique_cells() -> None:
    assert [len(space) for space in SPACES.values()] == [2_685, 7_773, 55_854]
    for space in SPACES.values():
        assert len(space.multiplicity) == len(space.ids) == len(space.enumerate())
        assert space.multiplicity.sum() == space.num_choices
        assert (np.diff(space.ids) > 0).all()
        ids, counts = np.unique(space.ids_of_choices, return_counts=True)
        assert ids.tolist() == space.ids.tolist()
        assert counts.tolist() == space.multiplicity.tolist()


def test_all_of_the_first_space() -> None:
    """Each choice, by the hash as it is specified, and what is unique of them."""
    space = SPACES[1]
    hashes: dict[Any, bytes] = {}
    found = []
    for choice in product(*map(range, space.sizes)):
        module = oracle.prune(*plain(1, list(choice)))
        assert module is not None
        if module not in hashes:
            hashes[module] = plain_hash(module)
        found.append(hashes[module])
    choices = np.array(list(product(*map(range, space.sizes))))
    assert space.to_cells(choices).hashes().tolist() == found
    assert len(set(found)) == len(space)
    assert set(found) == set(space.enumerate().hashes().tolist())
    assert space.numbers_of(choices).tolist() == list(range(space.num_choices))


@settings(max_examples=60)
@given(st.sampled_from([1, 2, 3]), st.data())
def test_a_choice_is_its_cell(number: int, data: st.DataObject) -> None:
    space = SPACES[number]
    choice = [data.draw(st.integers(0, size - 1)) for size in space.sizes]
    module = plain(number, choice)
    matrices, codes = space.to_modules([choice])
    assert matrices[0].tolist() == list(map(list, module[0]))
    assert codes[0].tolist() == list(module[1])
    cell = space.to_cells([choice])[0]
    assert cell.hash.encode() == plain_hash(module)
    assert cell in space
    assert space.to_ids([choice]).tolist() == [space.space.index(cell)]
    first = space.to_choices(cell)
    assert space.to_cells(first)[0] == cell
    assert space.numbers_of(first)[0] <= space.numbers_of(np.array([choice]))[0]
    values = space.to_values(choice)
    assert space.from_values(values).tolist() == choice
    assert list(values) == list(space.variables)
    parents = [values[f"choice_block_{i}_parents"] for i in range(1, len(space.parents) + 1)]
    assert tuple(map(len, parents)) == space.parents


def changes_of(number: int, choice: tuple[int, ...]) -> list[list[int]]:
    """The choices that differ in one op, or in one parent."""
    blocks = len(PARENTS[number]) - 1
    found = []
    for i, value in enumerate(choice):
        for other in range(SPACES[number].sizes[i]):
            near = other != value
            if i >= blocks:
                count = PARENTS[number][i - blocks]
                sets = list(combinations(range(i - blocks + 1), count))
                near = len(set(sets[value]) - set(sets[other])) == 1
            if near:
                found.append([*choice[:i], other, *choice[i + 1 :]])
    return found


@pytest.mark.parametrize("number", [1, 2, 3])
def test_neighbors(number: int) -> None:
    space = SPACES[number]
    rng = np.random.default_rng(number)
    few = np.flatnonzero(space.multiplicity < 9)
    for cell_id in space.ids[rng.choice(few, 12)].tolist():
        numbers = np.flatnonzero(space.ids_of_choices == cell_id)
        assert space.numbers(cell_id).tolist() == numbers.tolist()
        near: set[int] = set()
        for choice in space.choices_of(numbers).tolist():
            changed = changes_of(number, tuple(choice))
            assert len(changed) == len(space.moves)
            near |= set(space.to_ids(changed).tolist())
        found = space.neighbors(space.space[cell_id])
        assert space.space.index(found).tolist() == sorted(near - {cell_id})
        # Being next to each other goes both ways.
        assert all(cell_id in space.near(other) for other in near)


def test_membership() -> None:
    space = SPACES[2]
    whole = nb101.SearchSpace()
    ids = np.arange(0, len(whole), 997)
    assert space.has(ids).tolist() == [x in set(space.ids.tolist()) for x in ids.tolist()]
    assert whole[len(whole) - 1] not in SPACES[1]
    assert space.enumerate()[5].hash in space
    assert nb101.SearchSpace(8, 9)[500_000] not in space
    assert "no hash" not in space
    assert 7 not in space


def test_samples() -> None:
    space = SPACES[1]
    for method in ("unique", "raw"):
        cells = space.sample(4000, 3, method=method)
        assert cells == space.sample(4000, 3, method=method)
        ids = space.space.index(cells)
        assert space.has(ids).all()
    # The cell of most choices is drawn as often as these are.
    most = space.multiplicity.argmax()
    share = (ids == space.ids[most]).mean()
    assert share == pytest.approx(space.multiplicity[most] / space.num_choices, rel=0.4)
    assert space.sample_choices(0, 0).shape == (0, len(space.sizes))


def test_one_hot() -> None:
    space = SPACES[3]
    choices = space.sample_choices(50, 1)
    flags = space.to_one_hot(choices)
    assert flags.shape == (50, sum(space.sizes))
    parts = np.split(flags, np.cumsum(space.sizes)[:-1], axis=1)
    assert all((part.sum(axis=1) == 1).all() for part in parts)
    assert np.stack([part.argmax(axis=1) for part in parts], 1).tolist() == choices.tolist()


def test_spaces_are_values() -> None:
    assert OneShotSpace(2) == SPACES[2] != OneShotSpace(3)
    assert len({OneShotSpace(2), SPACES[2]}) == 1
    again = pickle.loads(pickle.dumps(SPACES[2]))
    assert again == SPACES[2]
    assert repr(again) == "OneShotSpace(2)"
    assert SPACES[1] != 1


def test_wrong_input() -> None:
    space = SPACES[2]
    for number in (0, 4, "1", None):
        with pytest.raises(nb101.ArgumentError):
            OneShotSpace(number)  # type: ignore[arg-type]
    for choices in ([1, 2], [[1.0] * 9], [[0] * 8], [[0], [0, 1]], None):
        with pytest.raises(nb101.ArgumentError, match="shape"):
            space.to_cells(choices)
    with pytest.raises(nb101.ArgumentError, match="choice_block_2_parents has the values 0 to 1"):
        space.to_cells([[0] * 9, [0, 0, 0, 0, 0, 2, 0, 0, 0]])
    outside = nb101.Cell([[0, 1], [0, 0]], ["input", "output"])
    with pytest.raises(nb101.OutOfSpaceError, match="cell 1: cell 0 is not of search space 2"):
        space.to_choices([space.enumerate()[0], outside])
    with pytest.raises(nb101.OutOfSpaceError):
        space.neighbors(outside)
    values = space.to_values([0] * 9)
    with pytest.raises(nb101.ArgumentError, match="no value of choice_block_3_op"):
        space.from_values({k: v for k, v in values.items() if k != "choice_block_3_op"})
    with pytest.raises(nb101.UnknownNameError, match="choice_block_3_parents is one of"):
        space.from_values(values | {"choice_block_3_parents": (0, 3)})
    given = values | {"choice_block_3_parents": [1, 0]}
    del given["choice_block_1_parents"]
    assert space.from_values(given).tolist() == [0] * 9
