"""Cells as graphs of PyTorch Geometric: against a plain version, and a network learns of them."""

import pickle
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import nb101

with warnings.catch_warnings():
    # It compiles functions in a way that its torch has given up.
    warnings.simplefilter("ignore")
    pytest.importorskip("torch", reason="torch is not installed: pip install 'nb101[train]'")
    pytest.importorskip(
        "torch_geometric", reason="torch_geometric is not installed: pip install 'nb101[pyg]'"
    )
    import torch
    from torch_geometric.data import Batch, Data, InMemoryDataset
    from torch_geometric.loader import DataLoader
    from torch_geometric.nn import GraphConv, global_add_pool

SPACE = nb101.SearchSpace()
CELLS = SPACE[:120] + SPACE.sample(300, seed=0)


def plain(cell: nb101.Cell) -> tuple[list[list[float]], set[tuple[int, int]]]:
    labels = ["input", *cell.op_names, "output"]
    return [[float(op == label) for label in labels] for op in cell.ops], set(cell.edge_list())


def check(data: Any, cell: nb101.Cell) -> None:
    flags, edges = plain(cell)
    assert data.x.dtype == torch.float32
    assert data.x.tolist() == flags
    assert data.edge_index.dtype == torch.int64
    found = list(map(tuple, data.edge_index.t().tolist()))
    assert len(found) == len(edges)
    assert set(found) == edges
    assert found == sorted(found, key=lambda edge: edge[::-1])
    data.validate()


def test_a_data_set() -> None:
    y = np.arange(len(CELLS)) / 7
    dataset = CELLS.to_pyg(y)
    assert isinstance(dataset, InMemoryDataset)
    assert len(dataset) == len(CELLS)
    for data, cell, target in zip(dataset, CELLS, y, strict=True):
        check(data, cell)
        assert isinstance(data, Data)
        assert data.cell_id.tolist() == [SPACE.index(cell)]
        assert data.y.tolist() == [np.float32(target)]
    assert dataset.num_features == 5
    # It is sliced, and goes to other processes.
    part = pickle.loads(pickle.dumps(dataset[100:110]))
    assert [data.cell_id.item() for data in part] == SPACE.index(CELLS[100:110]).tolist()


def test_a_batch() -> None:
    targets = np.arange(2.0 * len(CELLS)).reshape(-1, 2)
    batch = CELLS.to_pyg(targets, batch=True)
    assert isinstance(batch, Batch)
    theirs = Batch.from_data_list(list(CELLS.to_pyg(targets)))
    assert batch.keys() == theirs.keys()
    for name in batch.keys():  # noqa: SIM118  It is no dict.
        assert torch.equal(batch[name], theirs[name]), name
    assert batch.num_graphs == theirs.num_graphs == len(CELLS)
    for place in (0, 7, len(CELLS) - 1):
        check(batch[place], CELLS[place])
    for mine, other in zip(batch.to_data_list(), theirs.to_data_list(), strict=True):
        assert torch.equal(mine.edge_index, other.edge_index)
        assert torch.equal(mine.y, other.y)


def test_one_cell() -> None:
    cell = SPACE[359_715]
    data = cell.to_pyg(0.5)
    check(data, cell)
    assert data.cell_id.tolist() == [359_715]
    assert data.y.tolist() == [0.5]
    assert cell.to_pyg([1, 2]).y.tolist() == [[1, 2]]
    assert "y" not in cell.to_pyg()
    check(nb101.Cells([cell]).to_pyg()[0], cell)


def test_other_spaces() -> None:
    space = nb101.SearchSpace(9, 11, ops=["a", "b"])
    cells = space.sample(50, seed=1)
    for data, cell in zip(cells.to_pyg(), cells, strict=True):
        check(data, cell)
        assert "cell_id" not in data
    assert cells.to_pyg(space=space, batch=True).cell_id.tolist() == space.index(cells).tolist()
    assert cells[3].to_pyg(space=space).cell_id.item() == space.index(cells[3])
    assert "cell_id" not in cells[3].to_pyg()
    for outside in (cells, cells[3]):
        with pytest.raises(nb101.NB101Error):
            outside.to_pyg(space=SPACE)
    assert len(cells[:0].to_pyg()) == 0
    assert cells[:0].to_pyg(batch=True).num_nodes == 0


def test_the_whole_space_in_parts() -> None:
    """More cells than are looked at at once: where parts meet nothing is lost."""
    from nb101.space import graphs

    cells = SPACE.enumerate()
    whole = graphs.graphs_of(*cells.words, 3)
    assert whole.first_nodes[-1] == cells.vertices.sum(dtype=np.int64)
    assert whole.first_edges[-1] == cells.num_edges.sum(dtype=np.int64)
    assert (whole.nodes.sum(1) == 1).all()
    for place in (0, 65_535, 65_536, 131_071, 131_072, 200_000, 423_623):
        flags, edges = plain(cells[place])
        nodes = whole.nodes[whole.first_nodes[place] : whole.first_nodes[place + 1]]
        ends = whole.edges[:, whole.first_edges[place] : whole.first_edges[place + 1]]
        assert nodes.tolist() == flags
        assert set(map(tuple, ends.T.tolist())) == edges


@pytest.mark.parametrize("y", [np.zeros(3), np.zeros((420, 2, 2)), 5.0])
def test_targets_that_do_not_fit(y: npt.ArrayLike) -> None:
    with pytest.raises(nb101.ArgumentError, match="y must have shape"):
        CELLS.to_pyg(y)
    with pytest.raises(nb101.ArgumentTypeError, match="numbers"):
        CELLS.to_pyg(["a"] * len(CELLS))


def test_targets_that_are_no_float32() -> None:
    n = len(CELLS)
    for kind in (1 + 1j, None):
        with pytest.raises(nb101.ArgumentTypeError, match="numbers"):
            CELLS.to_pyg([kind] * n)
    with pytest.raises(nb101.ArgumentError, match="float32"):
        CELLS.to_pyg([1e300] * n)
    assert CELLS[:2].to_pyg([np.inf, np.nan])[0].y.tolist() == [np.inf]
    with pytest.raises(nb101.ArgumentTypeError, match="batch must be"):
        CELLS.to_pyg(batch="a")  # type: ignore[call-overload]


class Predictor(torch.nn.Module):
    """Two rounds of messages, summed up."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = GraphConv(5, 32), GraphConv(32, 32)
        self.last = torch.nn.Linear(32, 1)

    def forward(self, data: Any) -> Any:
        x = self.first(data.x, data.edge_index).relu()
        x = self.second(x, data.edge_index).relu()
        return self.last(global_add_pool(x, data.batch)).squeeze(1)


def test_a_network_learns_of_them() -> None:
    """By the library's own loader; of the predicted accuracies of cells it has not seen."""
    table = nb101.load_table()
    ids = np.random.default_rng(0).permutation(len(SPACE))[:600]
    accuracies = table.mean("validation_accuracy", 108)[ids]
    y = np.clip((accuracies - 0.9) / 0.03, -1, 2)
    dataset = SPACE[ids].to_pyg(y)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Predictor()
        optimizer = torch.optim.Adam(model.parameters(), 1e-2)
        for _ in range(10):
            for data in DataLoader(dataset[:450], batch_size=50, shuffle=True):
                optimizer.zero_grad()
                loss = torch.nn.functional.mse_loss(model(data), data.y)
                torch.autograd.backward(loss)
                optimizer.step()
    with torch.no_grad():
        rest = SPACE[ids[450:]].to_pyg(y[450:], batch=True)
        found = model(rest).numpy()
    assert np.corrcoef(found, y[450:])[0, 1] > 0.5
