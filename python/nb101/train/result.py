"""What a run measured: one row of a `nb101.Table`."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from nb101.plain import counted, printable
from nb101.space.cell import Cell
from nb101.space.default import space_of
from nb101.space.search_space import SearchSpace
from nb101.table.schema import FIELDS, STAGES
from nb101.train.config import TrainConfig


class Evaluation(NamedTuple):
    """Accuracies at one point of a run (section 2.5 of the paper).

    Attributes
    ----------
    epoch
        Where in the budget, in epochs: 0, half of it, all of it.
    training_time
        Seconds of training until then, evaluations and checkpoints not counted, nor, as in the
        original, the last step before each evaluation: 0 at the start; a float32.
    train_accuracy, validation_accuracy, test_accuracy
        Fractions in [0, 1] of the images of all full batches; float32s. NaN where there are no
        images: see `nb101.train.augment`.
    """

    epoch: float
    training_time: float
    train_accuracy: float
    validation_accuracy: float
    test_accuracy: float


@dataclass(frozen=True, repr=False)
class Result:
    """A finished run.

    Attributes
    ----------
    cell, config, seed
        What was trained, how, and with which draws.
    evaluations
        Three: after step 0, at half of the steps, and at the end; also `start`, `halfway`, `final`.
    trainable_parameters
        Of the network.
    total_time
        Seconds of the attempt that succeeded, evaluations and checkpoints included.
    attempts
        How many it took; more than one if it diverged.
    data
        Name of the data set.
    """

    cell: Cell
    config: TrainConfig
    seed: int
    evaluations: tuple[Evaluation, Evaluation, Evaluation]
    trainable_parameters: int
    total_time: float
    attempts: int = 1
    data: str = ""

    @property
    def start(self) -> Evaluation:
        """Evaluation after step 0, which changes no weight."""
        return self.evaluations[0]

    @property
    def halfway(self) -> Evaluation:
        """Evaluation after half of the steps."""
        return self.evaluations[1]

    @property
    def final(self) -> Evaluation:
        """Evaluation at the end."""
        return self.evaluations[2]

    @property
    def epochs(self) -> int:
        """The budget."""
        return self.config.epochs

    def row(self, space: SearchSpace | None = None) -> dict[str, int | float]:
        """Return the run as a row of a `nb101.Table`, by column.

        Lists of rows become a table: ``Table.from_columns({name: [row[name] for row in rows] for
        name in rows[0]}, space=space)``.

        Parameters
        ----------
        space
            What the cell's id is of; NAS-Bench-101 by default.

        Raises
        ------
        OutOfSpaceError
            If the cell is not in the space.
        """
        space = space_of(space)
        row: dict[str, int | float] = {
            "cell_id": int(space.index(self.cell)),
            "epochs": self.epochs,
            "seed": self.seed,
        }
        for stage, evaluation in zip(STAGES, self.evaluations, strict=True):
            for field in FIELDS:
                row[f"{stage}_{field}"] = getattr(evaluation, field)
        row["trainable_parameters"] = self.trainable_parameters
        row["total_time"] = self.total_time
        return row

    def __repr__(self) -> str:
        last = self.final
        data = f" on {printable(self.data)}" if self.data else ""
        return (
            f"<Result: cell {self.cell.hash[:8]} at {counted(self.epochs, 'epoch')}{data}, seed "
            f"{self.seed}: validation accuracy {last.validation_accuracy:.4f}, test accuracy "
            f"{last.test_accuracy:.4f}, {last.training_time:,.1f} s>"
        )

    def _repr_html_(self) -> str:
        from nb101.table import views

        names = Evaluation._fields
        rows = [
            [f"{one.epoch:g}", *(views.number(x, getattr(one, x)) for x in names[1:])]
            for one in self.evaluations
        ]
        facts = [
            ("data", self.data),
            ("parameters", f"{self.trainable_parameters:,}"),
            ("seed", self.seed),
            ("total time", f"{self.total_time:,.1f} s"),
            *([("attempts", self.attempts)] if self.attempts > 1 else []),
        ]
        heads = ("epoch", "training time", "train", "validation", "test")
        body = views.grid(heads, rows) + views.facts(facts)
        title = f"Run of cell {self.cell.hash[:8]} at {counted(self.epochs, 'epoch')}"
        return views.page(title, "measured", body, self.cell)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it; NaN apart."""
        matrix, ops = self.cell.to_text()
        return {
            "cell": {"adjacency": matrix, "operations": ops, "op_names": list(self.cell.op_names)},
            "config": asdict(self.config),
            "seed": self.seed,
            "data": self.data,
            "evaluations": [dict(evaluation._asdict()) for evaluation in self.evaluations],
            "trainable_parameters": self.trainable_parameters,
            "total_time": self.total_time,
            "attempts": self.attempts,
        }
