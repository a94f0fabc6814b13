"""The section "The paper, again": its pages are of its record, and that is of the table."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from nb101 import analysis
from nb101.analysis import paper as reported
from nb101.analysis.study import Study
from nb101.search import searcher
from paper import measured, numbers, pages, predicted, record, said, searches


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    """What the newest record has."""
    return record.read()


@pytest.fixture(scope="module")
def table() -> nb101.Table:
    return nb101.load_table()


def same(found: Any, expected: Any, where: str = "") -> None:
    """Compare numbers of records, which are rounded to six digits."""
    if isinstance(expected, dict):
        assert set(found) == set(expected), where
        for key, value in expected.items():
            same(found[key], value, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for i, value in enumerate(expected):
            same(found[i], value, f"{where}[{i}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=2e-5, abs=1e-9), where
    else:
        assert found == expected, where


# Pages


def test_nothing_is_stale() -> None:
    assert pages.stale() == []


def test_what_is_stale_is_found(
    kept: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    changed = json.loads(json.dumps(kept))
    changed["table"]["sha256"] = changed["searches_of"] = "0" * 64
    changed["figures"]["paper-ops.svg"] = "0" * 64
    changed["predicted"]["mini"] = 77
    (tmp_path / record.newest().name).write_text(json.dumps(changed))
    monkeypatch.setattr(record, "RECORDS", tmp_path)
    (tmp_path / f"{pages.COMPARISON}.json").write_text(
        (record.ROOT / "benches" / "record" / f"{pages.COMPARISON}.json").read_text()
    )
    found = [line.split(" ")[0] for line in pages.stale()]
    assert found[:2] == [record.newest().name] * 2
    assert set(found[2:]) == {
        "docs/paper/space.md",
        "docs/paper/search.md",
        "docs/figures/paper-ops.svg",
    }


def test_every_page_has_a_template() -> None:
    made = {path.name for path in pages.FOLDER.iterdir()}
    assert made == {path.name for path in pages.TEMPLATES.iterdir()}


def test_every_figure_is_small_and_shown(kept: dict[str, Any]) -> None:
    drawn = {path.name for path in (record.ROOT / "docs" / "figures").glob("paper-*")}
    assert drawn == set(kept["figures"])
    text = "".join(path.read_text("utf-8") for path in pages.FOLDER.iterdir())
    for name in drawn:
        assert f"../figures/{name})" in text
        assert (record.ROOT / "docs" / "figures" / name).stat().st_size < 150_000


def test_numbers_are_printed() -> None:
    assert pages.percent(0.75276) == "75.3 %"
    assert pages.points(-0.0116) == "\N{MINUS SIGN}1.16"
    assert pages.points(0.0116) == "+1.16"
    assert pages.points(-0.000001) == "+0.00"
    assert pages.points(0.00151, 3, sign=False) == "0.151"
    assert (
        pages.number(None) == pages.count(None) == pages.percent(None) == pages.points(None) == ""
    )


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    given = {"a": [1.5, 2, None], "b": {"c": [[1, 2], [3, 4]], "d": "x, [y]"}, "e": []}
    record.write(tmp_path / "x.json", given)
    text = (tmp_path / "x.json").read_text()
    assert json.loads(text) == given
    assert "[1.5, 2, null]" in text


# Numbers


def test_cells_of_the_record(kept: dict[str, Any], table: nb101.Table) -> None:
    expected = kept["predicted"]
    found = numbers.rounded(
        {
            **predicted.whole_space(table.space),
            "named": predicted.named(table),
            "extremes": predicted.extremes(table),
            "neighbors": predicted.neighbors(table),
            "pooled": predicted.pooled(table),
            "simulated": predicted.simulated(),
            **numbers.shapes(table),
        }
    )
    same(found, {name: expected[name] for name in found})


def test_statistics_of_the_record(kept: dict[str, Any], table: nb101.Table) -> None:
    """They are what `nb101.analysis` has, computed another way where there is one."""
    study, expected = Study(table), kept["predicted"]
    for row in study.budget_correlations.to_pylist():
        if row["x"] == "validation_accuracy" == row["y"]:
            pair = expected["budgets"][f"{row['x_epochs']} {row['y_epochs']}"]
            # Where cells are equal the best of them may be others.
            assert pair[str(row["top"])] == pytest.approx(row["spearman"], abs=2e-3)
    ops = {row["kind"]: row["accuracy_mean"] for row in study.op_summary.to_pylist()}
    same({kind: own["accuracy"] for kind, own in expected["ops"].items()}, numbers.rounded(ops))
    same(
        expected["volume"]["share_within"], numbers.rounded(study.peak_volume.share_within.tolist())
    )
    for epochs in numbers.BUDGETS:
        own = analysis.ecdf(table, "validation_accuracy", epochs)
        same(
            expected["validation"][str(epochs)]["above_90"],
            numbers.rounded(1 - own.share_below(0.9)),
        )
    front = analysis.pareto_front(table, ("training_time", "test_accuracy"), 108)
    for name, (time, accuracy) in front.named.items():
        lead = front.values[front.values[:, 0] <= time, 1].max()
        below = numbers.rounded(lead - accuracy)
        assert expected["named"][name]["below_front"] == pytest.approx(below, abs=1e-6)


def test_measured_numbers(kept: dict[str, Any], table: nb101.Table, test_data: Path) -> None:
    same(measured.describe(test_data / "nasbench101", table), kept["measured"])


def test_pairs_by_their_distance(table: nb101.Table) -> None:
    """The sums of the fast way are correlations, looked at pair by pair."""
    cells = table.space[np.arange(40, 100)]
    values = np.random.default_rng(0).random(60)
    found = numbers.pairs_at_distances(cells, range(60), {"x": values})
    places = np.argsort(np.argsort(values))
    z = (places - places.mean()) / places.std()
    products: dict[int, list[float]] = {}
    for i in range(60):
        for j in range(60):
            if i != j:
                distance = nb101.alignment_distance(cells[i], cells[j])
                products.setdefault(distance, []).append(z[i] * z[j])
    enough = {x: y for x, y in sorted(products.items()) if len(y) >= numbers.FEWEST}
    assert found["distance"] == list(enough)
    assert found["pairs"] == [len(x) for x in enough.values()]
    assert found["x"] == pytest.approx([np.mean(x) for x in enough.values()])


# What pages claim in words


def test_claims_of_measured_numbers(kept: dict[str, Any]) -> None:
    p, m = kept["predicted"], kept["measured"]
    for kind, given in reported.OP_TIME.items():
        own = m["ops"][" -> ".join(kind)]
        assert own["time"] == pytest.approx(given, abs=1.1e-3)
        assert own["time_low"] < given < own["time_high"]
    conv, *pools = reported.OP_ACCURACY
    own = m["ops"][" -> ".join(conv)]
    assert own["accuracy_low"] < reported.OP_ACCURACY[conv] < own["accuracy_high"]
    for kind in pools:
        name, given = " -> ".join(kind), reported.OP_ACCURACY[kind]
        own = m["ops"][name]
        assert given < own["accuracy"]
        assert given < own["predicted_accuracy"]
        assert own["accuracy_low"] < own["predicted_accuracy"] < own["accuracy_high"]
        assert own["accuracy_low"] < p["ops"][name]["accuracy"] < own["accuracy_high"]
    given = reported.TOP_TENTH_SPEARMAN[36, 108]
    assert m["budgets"]["36 108"]["0.1"] == pytest.approx(given, abs=0.02)
    assert p["budgets"]["36 108"]["0.1"] > 0.7
    assert m["predicted_budgets"]["36 108"]["0.1"] > 0.7
    assert p["simulated"]["budgets"]["0.1"] < 0.45
    assert p["simulated"]["above_90"] == pytest.approx(m["validation"]["108"]["above_90"], abs=0.01)
    for part in (p, m):
        assert pages.best(part["depth"], "accuracy") == str(reported.BEST_DEPTH)
        assert pages.best(part["width"], "time") == "1"
        assert part["width"]["5"]["time"] < part["width"]["4"]["time"]
    assert pages.best(m["width"], "accuracy") == str(reported.BEST_WIDTH)
    assert m["fitness_paper"]["mean"][6] > m["validation"]["108"]["mean"] + 0.01
    assert m["pairs"]["measured"][0] > 0.7 > 0.05 > m["pairs"]["measured"][7]
    assert abs(m["predicted_above_90"] - p["validation"]["108"]["above_90"]) < 0.01
    assert p["noise"]["12"]["median"] > p["noise"]["4"]["median"] > p["noise"]["36"]["median"]


def test_claims_of_searches(kept: dict[str, Any]) -> None:
    found = kept["searches"]
    for space in ("mini", "full"):
        death = found["death"][space]
        assert death["RE"]["median"] <= death["NRE"]["median"] < death["RS"]["median"]
        assert death["NRE"]["high"] < death["RS"]["low"]
    comparison = json.loads((record.RECORDS / f"{pages.COMPARISON}.json").read_text())
    for name, own in found["final"].items():
        # The same runs as those of the comparison.
        median = comparison["algorithms"][name]["final_regret"]["median"]
        assert pages.quantile(own, 0.5) == pytest.approx(median, rel=0.02)
        assert own["runs"] == comparison["algorithms"][name]["runs"]


def test_what_the_paper_says_is_what_our_recipe_has() -> None:
    for name, given, field in said.TABLE:
        if field:
            assert pages.ours(field, name) == given
        else:
            assert pages.ours(field, name)


# Searches


@pytest.fixture
def variant() -> Iterator[str]:
    from paper import variants

    searcher.REGISTRY.setdefault(
        searches.VARIANT,
        searcher.Entry(
            name=searches.VARIANT,
            title="",
            source="",
            differs="",
            searcher=variants.EvolutionVariant,
        ),
    )
    yield searches.VARIANT
    del searcher.REGISTRY[searches.VARIANT]


def test_the_smaller_space(table: nb101.Table) -> None:
    mini = searches.smaller(table)
    assert mini.num_cells == len(mini.space) == predicted.whole_space(table.space)["mini"]
    assert mini.provenance["kind"] == "predicted"
    last = len(mini.space) - 1
    assert mini.space[last] == table.space[last]
    assert mini.mean("test_accuracy", 4)[last] == table.mean("test_accuracy", 4)[last]


@pytest.mark.parametrize("options", [{}, {"oldest": False}, {"rate": 0.25}, {"rate": 2.0}])
def test_variants_of_evolution(
    variant: str, options: dict[str, Any], table: nb101.Table, space: nb101.SearchSpace
) -> None:
    benchmark = nb101.Benchmark(table, seed=0)
    trace = nb101.search.run(
        variant, benchmark, queries=200, seed=0, population=10, tournament=3, **options
    )
    accuracy = table.mean("validation_accuracy", 108)[trace.cell_ids]
    assert accuracy[100:].mean() > accuracy[:10].mean()
    if options.get("oldest") is False:
        # None dies that is better than the worst of those that stay.
        assert np.sort(accuracy)[-10:].mean() > accuracy[:10].mean()
    if "rate" in options:
        steps = [
            nb101.alignment_distance(space[int(a)], space[int(b)])
            for a, b in zip(trace.cell_ids[10:60], trace.cell_ids[11:61], strict=True)
        ]
        assert max(steps) > 1
