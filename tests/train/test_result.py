"""A result is a row of a table."""

import json
import pickle

import pytest

import nb101
from nb101.table.schema import EVALUATIONS
from nb101.train import Evaluation, Result, TrainConfig

CELL = nb101.Cell("011001000", "input,conv3x3-bn-relu,output")


def result(seed: int = 7, accuracy: float = 0.5) -> Result:
    evaluations = (
        Evaluation(0.0, 0.25, 0.125, 0.125, 0.125),
        Evaluation(2.0, 10.5, 0.25, 0.25, 0.25),
        Evaluation(4.0, 21.0, accuracy, 0.5, 0.5),
    )
    return Result(CELL, TrainConfig(epochs=4), seed, evaluations, 11_051_402, 33.25)


def test_rows_become_a_table(space: nb101.SearchSpace) -> None:
    rows = [result(7).row(), result(8, 0.75).row(space)]
    assert set(rows[0]) == {
        *("cell_id", "epochs", "seed", "trainable_parameters", "total_time"),
        *EVALUATIONS,
    }
    table = nb101.Table.from_columns({name: [row[name] for row in rows] for name in rows[0]})
    assert table.column("repeat").tolist() == [0, 1]
    assert table.column("seed").tolist() == [7, 8]
    assert table.values("train_accuracy").tolist() == [[0.5, 0.75]]
    assert table.values("validation_accuracy", halfway=True).tolist() == [[0.25, 0.25]]
    assert table.column("start_epoch").tolist() == [0, 0]
    assert table.column("final_epoch").tolist() == [4, 4]
    assert table.cells[0] == CELL
    assert nb101.Benchmark(table).query(CELL, epochs=4).test_accuracy == 0.5


def test_ids_are_of_the_space() -> None:
    small = nb101.SearchSpace(3, 3, ["maxpool3x3", "conv3x3-bn-relu"])
    assert result().row(small)["cell_id"] == small.index(CELL)
    with pytest.raises(nb101.NB101Error):
        result().row(nb101.SearchSpace(2, 1))


def test_names() -> None:
    one = result()
    assert (one.start, one.halfway, one.final) == one.evaluations
    assert one.epochs == 4
    assert one.final.training_time == 21.0


def test_pickle_and_json() -> None:
    assert pickle.loads(pickle.dumps(result())) == result()
    found = json.loads(json.dumps(result().to_dict()))
    assert found["config"]["epochs"] == 4
    assert found["evaluations"][2]["training_time"] == 21.0
    assert found["cell"]["operations"] == "input,conv3x3-bn-relu,output"


def test_views_are_short() -> None:
    one = result()
    assert repr(one) == (
        f"<Result: cell {CELL.hash[:8]} at 4 epochs, seed 7: validation accuracy 0.5000, "
        "test accuracy 0.5000, 21.0 s>"
    )
    shown = one._repr_html_()
    for words in ("11,051,402", "21.0 s", "0.5000", "measured", "<svg"):
        assert words in shown
