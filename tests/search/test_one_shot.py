"""Searches of the spaces of NAS-Bench-1Shot1."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import OneShotSpace, search
from nb101.search.choices import ChoiceDomain, choices_of
from nb101.search.domain import domain_of
from nb101.search.folder import MANIFEST

from .conftest import OPTIONS, QUERIES, make_table

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "one-shot.md"
SPACES = {number: OneShotSpace(number) for number in (1, 2, 3)}


@pytest.fixture(scope="module")
def table() -> nb101.Table:
    return nb101.load_table()


def domain(table: nb101.Table, number: int) -> ChoiceDomain:
    found = choices_of(domain_of(table, (108,)), table, SPACES[number])
    assert isinstance(found, ChoiceDomain)
    return found


def test_each_algorithm_stays_in_the_space(name: str, table: nb101.Table) -> None:
    given: dict[str, Any] = {**OPTIONS.get(name, {}), "queries": QUERIES.get(name, 150)}
    numbers = (1, 1, 2, 3)
    traces = [search.run(name, table, seed=3, space=SPACES[number], **given) for number in numbers]
    assert traces[0].cell_ids.tolist() == traces[1].cell_ids.tolist()
    for number, trace in zip(numbers, traces, strict=True):
        assert len(trace) == given["queries"]
        assert trace.about["one_shot"] == number
        assert f"search space {number} of NAS-Bench-1Shot1" in trace._repr_html_()
        assert SPACES[number].has(trace.cell_ids).all()


@pytest.mark.parametrize("number", SPACES)
@pytest.mark.parametrize("kind", ["generator", "draws"])
def test_a_mutation_changes_one_choice(kind: str, number: int, table: nb101.Table) -> None:
    found = domain(table, number)
    space = found.one_shot
    generator = np.random.default_rng(0)
    rng = generator if kind == "generator" else search.Draws(generator)
    module = found.random(rng)
    seen = set()
    for _ in range(400):
        child = found.mutate(module, rng)
        assert child.cell_id == space.ids_of_choices[child.edges]
        assert child.edges in space.changes(np.array([module.edges]))[0]
        seen.add(child.edges)
    assert len(seen) == len(space.moves)


def test_a_mutation_of_all_changes_an_op_and_a_vertex_in_the_mean(table: nb101.Table) -> None:
    found = domain(table, 2)
    rng = np.random.default_rng(0)
    module = found.random(rng)
    old = found.vector(module)
    new = np.array([found.vector(found.mutate_all(module, rng)) for _ in range(3000)])
    changed = (new != old).mean(axis=0)
    blocks = len(found.one_shot.parents) - 1
    assert changed[:blocks].sum() == pytest.approx(1, abs=0.1)
    assert changed[blocks:].sum() == pytest.approx(1, abs=0.1)


def test_choices_are_modules(table: nb101.Table) -> None:
    found = domain(table, 1)
    rng = np.random.default_rng(1)
    choices = found.one_shot.sample_choices(50, 2)
    numbers, nothing = found.modules(choices)
    ids = [found.find(*words) for words in zip(numbers, nothing, strict=True)]
    assert ids == found.one_shot.to_ids(choices).tolist()
    for choice, cell_id in zip(choices, ids, strict=True):
        module = found.module(choice)
        assert module is not None
        assert module.cell_id == cell_id
        assert found.vector(module).tolist() == choice.tolist()
        embedded = found.embed(cell_id, rng)
        assert found.find(*embedded[:2]) == embedded.cell_id == cell_id
        named = zip(found.variables.items(), choice.tolist(), strict=True)
        values = {name: of[x] for (name, of), x in named}
        assert found.of_values(values) == module


def test_regret_is_from_the_best_of_the_space(table: nb101.Table) -> None:
    space = SPACES[1]
    trace = search.run("local-search", table, queries=400, seed=0, space=space)
    accuracies = table.mean("test_accuracy", 108)
    best = accuracies[space.ids].max()
    expected = best - accuracies[trace.best_cell_ids]
    assert trace.regret == pytest.approx(expected, abs=1e-12)


def test_the_page_has_the_best_of_each_space(table: nb101.Table) -> None:
    page = PAGE.read_text()
    errors = 100 * (1 - table.mean("test_accuracy", 108))
    for number, space in SPACES.items():
        best = f"{errors[space.ids].min():.2f}"
        assert re.search(rf"^\| {number} \| \d\.\d\d % \| {best} % \|$", page, re.MULTILINE)
    page = " ".join(page.split())
    assert f"({errors.min():.2f} % in the default table)" in page


def test_a_table_of_some_cells(table: nb101.Table) -> None:
    ids = SPACES[1].ids[::40]
    some = table.select(cells=np.union1d(ids, np.arange(300, 320)))
    for name in ("random-search", "regularized-evolution", "local-search"):
        trace = search.run(name, some, queries=200, seed=0, space=SPACES[1])
        assert set(trace.cell_ids.tolist()) <= set(ids.tolist()) | set(range(300, 320))
        assert SPACES[1].has(trace.cell_ids).all()
        assert trace.regret.min() >= 0


def test_wrong_spaces(table: nb101.Table) -> None:
    with pytest.raises(nb101.ArgumentError, match="table's cells are of SearchSpace"):
        search.run("random-search", make_table(), queries=1, space=SPACES[1])
    with pytest.raises(nb101.ArgumentTypeError, match="space must be a OneShotSpace"):
        search.run("random-search", table, queries=1, space=1)  # type: ignore[arg-type]
    outside = np.flatnonzero(~SPACES[1].has(np.arange(100)))[:3]
    with pytest.raises(nb101.MissingRunError, match="no cell of OneShotSpace"):
        search.run("random-search", table.select(cells=outside), queries=1, space=SPACES[1])


def test_a_comparison(table: nb101.Table, tmp_path: Path) -> None:
    names = ["random-search", "regularized-evolution"]

    def compare(runs: int, space: OneShotSpace | None) -> search.Comparison:
        return search.compare(
            table, tmp_path / "c", names=names, runs=runs, queries=40, jobs=1, space=space
        )

    compare(1, SPACES[2])
    first = {path: path.read_bytes() for path in (tmp_path / "c").glob("traces/*/*")}
    found = compare(2, SPACES[2])
    assert all(path.read_bytes() == content for path, content in first.items())
    assert found.plan.subspace == SPACES[2]
    assert "search space 2 of NAS-Bench-1Shot1" in found._repr_html_()
    assert search.Comparison.open(tmp_path / "c").plan == found.plan
    assert all(
        SPACES[2].has(trace.cell_ids).all() for name in names for trace in found.traces(name)
    )
    for other in (SPACES[1], None):
        with pytest.raises(nb101.SearchError, match="one_shot there: 2"):
            compare(2, other)
    if importlib.util.find_spec("matplotlib") is not None:
        from nb101.search.page import write_page

        page = write_page(found).read_text()
        assert "search space 2 of NAS-Bench-1Shot1" in page
        assert "the paper</th>" not in page
        assert json.loads((tmp_path / "c" / "numbers.json").read_text())["one_shot"] == 2


def test_what_is_no_subspace_is_written_as_before(table: nb101.Table, tmp_path: Path) -> None:
    search.compare(table, tmp_path, names=["random-search"], runs=1, queries=3, jobs=1)
    values = json.loads((tmp_path / MANIFEST).read_text())
    assert values["format"] == 4
    assert "one_shot" not in values
