"""Tables of simulated runs, so that there is something to fit a predictor to after installation."""

import numpy as np

from nb101._base.checks import check_whole
from nb101.datasets import load_table
from nb101.errors import ArgumentError
from nb101.table.benchmark import Benchmark
from nb101.table.embedded import EMBEDDED
from nb101.table.schema import metric_column
from nb101.table.table import Table

METRICS = ("training_time", "validation_accuracy", "test_accuracy")
"""What the table of the package predicts."""


def sample(n: int = 2000, *, repeats: int = 3, seed: int = 0) -> Table:
    """Draw runs of random cells about the predictions of ``surrogate-v1``, for practice.

    The table has the shape of one that was measured: some cells at each of the four budgets, every
    run with a deviation of its own (see `nb101.Benchmark`, ``noise``). But no run was made: its
    provenance has the kind ``"predicted"``, and ``simulated``. What is fitted to it comes near to
    ``surrogate-v1`` at best.

    Parameters
    ----------
    n
        Cells, drawn uniformly from the space.
    repeats
        Runs of each cell at each budget; at most 128.
    seed
        The same seed draws the same table.

    Raises
    ------
    ArgumentError
        If there are not so many cells, or a number is not whole.

    Examples
    --------
    >>> import nb101
    >>> table = nb101.predict.sample(100)
    >>> len(table), table.num_cells, table.provenance["kind"], table.provenance["simulated"]
    (1200, 100, 'predicted', True)
    """
    base = load_table()
    for name, value, least, most in (
        ("n", n, 1, len(base.space)),
        ("repeats", repeats, 1, 128),
    ):
        if check_whole(name, value, least) > most:
            raise ArgumentError(f"{name} must be at most {most:,}, not {value:,}", field=name)
    rng = np.random.default_rng(check_whole("seed", seed, 0))
    ids = np.sort(rng.choice(len(base.space), n, replace=False))
    bench = Benchmark(base, seed=seed, noise=True)
    runs = [bench.query_many(np.repeat(ids, repeats), epochs=epochs) for epochs in base.epochs]
    columns = {
        "cell_id": np.concatenate([part.cell_id for part in runs]),
        "epochs": np.concatenate([part.epochs for part in runs]),
    }
    for metric in METRICS:
        columns[metric_column(metric)] = np.concatenate([getattr(part, metric) for part in runs])
    cells, each = "1 cell" if n == 1 else f"{n:,} cells", "run" if repeats == 1 else "runs"
    provenance = {
        "kind": "predicted",
        "simulated": True,
        "source": f"{repeats} simulated {each} of {cells}, drawn about predictions of {EMBEDDED}",
        "note": "for practice: no run was made, and no number was measured",
        "seed": int(seed),
    }
    return Table.from_columns(columns, space=base.space, provenance=provenance, copy=False)
