"""Correlations of proxies with accuracies, against SciPy; where they are shown."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

import nb101
from nb101 import analysis
from nb101.analysis import figures, report
from nb101.analysis.findings import findings
from nb101.analysis.study import Study
from nb101.proxies import Scores
from test_errors import WRONG

SPACE = nb101.SearchSpace(5)


def make_scores(n: int = 300, seed: int = 0, space: nb101.SearchSpace = SPACE) -> Scores:
    """Scores of the first cells in another order, with what proxies may lack."""
    rng = np.random.default_rng(seed)
    cells = space.enumerate()[rng.permutation(n)]
    columns = {
        "params": cells.parameters().astype(np.float64),
        "snip": rng.normal(size=n),
        "nwot": np.where(rng.random(n) < 0.05, -np.inf, rng.normal(size=n)),
        "jacov": np.where(rng.random(n) < 0.3, np.nan, rng.integers(0, 9, n)),
    }
    return Scores(cells=cells, columns=columns, space=space, about={"images": "random"})


def make_table(n: int = 250, seed: int = 1) -> nb101.Table:
    rng = np.random.default_rng(seed)
    columns = {
        "cell_id": np.tile(np.arange(n), 2),
        "epochs": np.repeat([12, 108], n),
        "final_validation_accuracy": np.round(rng.random(2 * n), 2),
        "final_test_accuracy": np.where(rng.random(2 * n) < 0.5, np.nan, rng.random(2 * n)),
    }
    provenance = {"kind": "measured", "recipe": "NAS-Bench-101"}
    return nb101.Table.from_columns(columns, space=SPACE, provenance=provenance)


def test_against_scipy() -> None:
    scores, table = make_scores(), make_table()
    found = analysis.proxy_correlations(table, scores)
    assert found.schema.metadata[b"kind"] == b"measured"
    rows = {
        tuple(row[x] for x in ("metric", "epochs", "part", "proxy")): row
        for row in found.to_pylist()
    }
    ids = SPACE.index(scores.cells).tolist()
    expected = set()
    for metric in ("validation_accuracy", "test_accuracy"):
        for epochs in (12, 108):
            values = table.mean(metric, epochs)
            for name, column in scores.items():
                triples = [
                    (float(x), float(values[i]), SPACE[i])
                    for x, i in zip(column.tolist(), ids, strict=True)
                    if i < 250 and not np.isnan(x) and not np.isnan(values[i])
                ]
                ranked = sorted(triples, key=lambda one: -one[1])
                parts = {"all": triples, "best 10 %": ranked[: round(len(ranked) / 10)]}
                for number in (2, 3, 4, 5):
                    own = [one for one in triples if one[2].vertices == number]
                    parts[f"{number} vertices"] = own
                for op in SPACE.ops:
                    parts[f"no {op}"] = [one for one in triples if op not in one[2].ops]
                for part, own in parts.items():
                    if len(own) < 20:
                        continue
                    key = (metric, epochs, part, name)
                    expected.add(key)
                    x, y, _ = zip(*own, strict=True)
                    row = rows[key]
                    assert row["cells"] == len(own)
                    # Of equal accuracies other cells may be among the best.
                    if part != "best 10 %":
                        for method, by in (
                            ("spearman", stats.spearmanr),
                            ("kendall", stats.kendalltau),
                        ):
                            ranks = stats.rankdata(x)
                            assert row[method] == pytest.approx(by(ranks, y)[0], abs=1e-12)
    assert set(rows) == expected


def test_the_first_of_a_cell_counts_and_other_spaces_are_left_out() -> None:
    space = nb101.SearchSpace(7)
    own = SPACE.enumerate()[:40]
    cells = nb101.Cells([*own, *own, space[400_000]])
    column = np.concatenate([np.arange(40.0), np.arange(40.0)[::-1], [7.0]])
    scores = Scores(cells=cells, columns={"snip": column})
    columns = {
        "cell_id": np.arange(40),
        "epochs": [108] * 40,
        "final_validation_accuracy": np.linspace(0, 1, 40),
    }
    table = nb101.Table.from_columns(columns, space=SPACE)
    row = analysis.proxy_correlations(table, scores).to_pylist()[0]
    assert (row["cells"], row["spearman"], row["kendall"]) == (40, 1.0, 1.0)


def test_too_little() -> None:
    table = make_table()
    few = make_scores()
    few = Scores(cells=few.cells[:5], columns={name: few[name][:5] for name in few})
    with pytest.raises(
        nb101.DatasetError, match=r"^3 cells of the table have an acc.*: at least 20"
    ):
        analysis.proxy_correlations(table, few)
    none = Scores(cells=few.cells[:0], columns={"snip": np.zeros(0)})
    with pytest.raises(nb101.DatasetError, match="0 cells"):
        analysis.proxy_correlations(table, none)
    with pytest.raises(nb101.DatasetError, match="0 cells"):
        analysis.proxy_correlations(table, Scores(cells=few.cells, columns={}))
    with pytest.raises(nb101.DatasetError, match="--proxies"):
        _ = Study(table).proxies


@pytest.mark.parametrize("wrong", [x for x in WRONG if x is not None])
def test_what_is_no_scores(wrong: Any) -> None:
    with pytest.raises(nb101.NB101Error):
        analysis.proxy_correlations(make_table(), wrong)
    with pytest.raises(nb101.NB101Error):
        Study(make_table(), scores=wrong)


def test_report(tmp_path: Path) -> None:
    """The part is there where scores are, and goes where they are not."""
    table, scores = make_table(), make_scores()
    written = report.write(table, tmp_path / "r", scores=scores)
    text = written.page.read_text()
    assert 'id="figure-proxies"' in text
    assert 'id="figure-proxies-parts"' in text
    numbers = json.loads((tmp_path / "r" / "numbers.json").read_text())
    part = numbers["parts"]["proxies"]
    assert part["facts"]["cells with scores"] == 300
    assert {row["source"] for row in part["compared"]} == {"Krishnakumar et al. 2022, figure 2"}
    assert len(part["rows"]) == analysis.proxy_correlations(table, scores).num_rows
    assert "zero-cost proxies" in numbers["findings"][-1]["text"]
    assert (tmp_path / "r" / "proxies.parquet").exists()
    again = report.write(table, tmp_path / "r")
    assert 'id="proxies"' not in again.page.read_text()
    assert "Zero-cost proxies" not in again.missing
    assert not (tmp_path / "r" / "proxies.parquet").exists()


def test_a_test_accuracy_that_is_computed_is_left_out() -> None:
    table = nb101.load_table()
    space = table.space
    cells = space[np.arange(0, len(space), 5000)]
    scores = Scores(cells=cells, columns={"params": cells.parameters().astype(float)})
    study = Study(table, scores=scores)
    assert set(study.proxies["metric"].to_pylist()) == {"validation_accuracy"}
    assert findings(study)
    one = figures.draw(study, "proxies")
    assert [label.get_text() for label in one.axes[0].get_yticklabels()] == ["params"]


def test_predictions_are_said_to_be_some() -> None:
    n = 60
    columns = {
        "cell_id": np.arange(n),
        "epochs": [108] * n,
        "final_validation_accuracy": np.linspace(0.1, 0.9, n),
    }
    table = nb101.Table.from_columns(columns, space=SPACE, provenance={"kind": "predicted"})
    found = analysis.proxy_correlations(table, make_scores())
    assert isinstance(found, pa.Table)
    assert found.schema.metadata[b"kind"] == b"predicted"
