"""The layout of NASLib's scores: genuine rows of it, there and back, and damage."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nb101
from nb101.proxies import NAMES, Scores, read_naslib, write_naslib
from nb101.proxies.naslib import module_key, module_of

# Rows of NASLib's naslib/data/zc_nasbench101.json (Apache License 2.0), of its first layout.
FIRST = (
    "(0, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, "
    "0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 4, 4, 4, 1)"
)
SECOND = (
    "(0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, "
    "0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 4, 4, 3, 2, 1)"
)
ROWS: dict[str, dict[str, Any]] = {
    FIRST: {"flops": 624.55808, "params": 4.095778, "snip": 112.05493927001953}
    | {"jacov": -32.1920146137777, "grad_norm": 17.992109298706055, "epe_nas": 494.24246295487643}
    | {"synflow": 88.08498394991342, "val_accuracy": 92.578125},
    SECOND: {"flops": 140.416, "params": 0.88257, "snip": 19.409626007080078}
    | {"grasp": -0.013477146625518799, "val_accuracy": 83.58373641967773},
}
SPACE = nb101.SearchSpace()


def test_the_first_layout(tmp_path: Path) -> None:
    path = tmp_path / "zc.json"
    path.write_text(json.dumps({"nasbench101": {"cifar10": ROWS}}))
    scores = read_naslib(path)
    assert len(scores.cells) == 2
    # The numbers of ops are known by this: so many parameters the cell has of no other ones.
    assert scores["params"].tolist() == scores.cells.parameters().tolist() == [4095778, 882570]
    assert scores["flops"].tolist() == [624558080, 140416000]
    assert scores["epe-nas"][0] == 494.24246295487643
    assert np.isnan(scores["epe-nas"][1])
    assert set(scores) == {
        *("epe-nas", "flops", "grad-norm", "grasp", "jacov", "params", "snip", "synflow"),
    }
    assert list(scores) == [name for name in NAMES if name in scores]
    assert scores.accuracies is not None
    np.testing.assert_allclose(scores.accuracies, [0.92578125, 0.8358373641967773])
    assert np.isnan(scores.seconds["snip"]).all()
    table = scores.to_arrow()
    assert table["cell_id"].to_pylist() == SPACE.index(scores.cells).tolist()
    assert "validation_accuracy" in table.column_names


def test_there_and_back(tmp_path: Path) -> None:
    cells = SPACE.sample(40, seed=2) + SPACE[:8]
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=48) for name in NAMES}
    columns["params"], columns["flops"] = (
        cells.parameters().astype(float),
        cells.flops().astype(float),
    )
    columns["nwot"][3], columns["jacov"][4] = -np.inf, np.nan
    seconds = {name: rng.random(48) for name in NAMES}
    scores = Scores(cells=cells, columns=columns, seconds=seconds, accuracies=rng.random(48))
    write_naslib(scores, tmp_path / "zc.json")
    found = json.loads((tmp_path / "zc.json").read_text())["cifar10"]
    entry = found[module_key(cells[0])]
    assert entry["epe_nas"] == {
        "score": columns["epe-nas"][0],
        "time": seconds["epe-nas"][0],
    }
    assert found[module_key(cells[3])]["nwot"]["score"] == -1e8
    back = read_naslib(tmp_path / "zc.json")
    assert back.cells == cells
    columns["nwot"][3] = np.nan
    for name in NAMES:
        np.testing.assert_allclose(back[name], columns[name], rtol=1e-12, err_msg=name)
        np.testing.assert_array_equal(back.seconds[name], seconds[name])
    assert back.accuracies is not None
    assert scores.accuracies is not None
    np.testing.assert_allclose(back.accuracies, scores.accuracies)


@given(number=st.integers(0, len(SPACE) - 1))
@settings(max_examples=50, deadline=None)
def test_each_cell_has_a_module(number: int) -> None:
    key = module_key(SPACE[number])
    assert len(json.loads(key.replace("(", "[").replace(")", "]"))) == 56
    assert module_of(key) == SPACE[number]


def test_larger_cells() -> None:
    cell = nb101.Cell(np.eye(9, k=1), [-1, *[0] * 7, -2])
    assert module_of(module_key(cell)) == cell
    foreign = nb101.Cell("010001000", "input,x,output", op_names=["x"])
    with pytest.raises(nb101.UnknownOpError, match="'x'"):
        module_key(foreign)


@pytest.mark.parametrize(
    "values",
    [
        [],
        3,
        {},
        {"cifar10": []},
        {"cifar10": {"x": {}}},
        {"cifar10": {FIRST: []}},
        {"cifar10": {FIRST: {"snip": "x"}}},
        {"cifar10": {FIRST: {"snip": None}}},
        {"cifar10": {FIRST: {"snip": {}}}},
        {"cifar10": {FIRST: {"snip": {"score": True}}}},
        {"cifar10": {FIRST: {"snip": {"score": 1, "time": []}}}},
        {"cifar10": {FIRST: {"snip": 10**400}}},
        {"cifar10": {FIRST: {"val_accuracy": {}}}},
        {"cifar10": {FIRST.replace("4", "9"): {}}},
        {"cifar10": {"(0, 1, 0, 0, 0)": {}}},
        {"cifar10": {"(0, 0, 0, 0, 0, 1)": {}}},
        {"cifar10": {"(" + "0, " * 500 + "0)": {}}},
    ],
)
def test_what_is_none_of_it(values: Any, tmp_path: Path) -> None:
    path = tmp_path / "zc.json"
    path.write_text(json.dumps(values))
    with pytest.raises(nb101.NB101Error) as caught:
        read_naslib(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"9" * 5000])
def test_what_is_no_json(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "zc.json"
    path.write_bytes(text)
    with pytest.raises(nb101.DatasetError):
        read_naslib(path)


def test_names_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(nb101.MissingFileError):
        read_naslib(tmp_path / "none.json")
    path = tmp_path / "zc.json"
    path.write_text(json.dumps({"cifar10": ROWS}))
    with pytest.raises(nb101.UnknownNameError, match="did you mean 'cifar10'"):
        read_naslib(path, "cifar100")
    with pytest.raises(nb101.ArgumentError):
        read_naslib(3)  # type: ignore[arg-type]
