"""``nb101 predict``: fit predictors to tables, and apply them; and tables to practise on."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nb101._base.files import check_writable, is_stream
from nb101.cli.arguments import find_cell
from nb101.cli.grid import Facts
from nb101.cli.options import Json
from nb101.cli.output import beside, describe_file, output_and_format, output_file
from nb101.cli.printing import print_json, print_line, print_rich
from nb101.cli.progress import progress_bar
from nb101.cli.stopping import interrupted
from nb101.cli.tables import open_scores, open_table
from nb101.errors import ArgumentError
from nb101.plain import counted
from nb101.table.files import table_format
from nb101.table.schema import METRICS

if TYPE_CHECKING:
    from nb101.predict import Predictor, Report
    from nb101.proxies import Scores

SAMPLE_EXAMPLES = """[bold]Examples[/bold]

nb101 predict sample -o sample.arrow

nb101 predict fit sample.arrow -o practice.npz --folds 2 --networks 1

nb101 predict apply practice.npz 28cfc7874f6d200472e1a9dcd8650aa0"""
FIT_EXAMPLES = """[bold]Examples[/bold]

nb101 predict fit official-full -o official.npz

nb101 predict fit campaign.arrow -o mine.npz --cells 5000 --networks 3

nb101 predict fit own.arrow -o own.npz --metric latency --metric validation_accuracy

nb101 predict fit campaign.arrow -o mine.npz --proxies scores

The table of the package is predicted itself: nb101 predict sample makes one to practise on."""
APPLY_EXAMPLES = """[bold]Examples[/bold]

nb101 predict apply mine.npz 28cfc7874f6d200472e1a9dcd8650aa0

nb101 predict apply mine.npz -o predicted.arrow

nb101 predict apply mine.npz -o predicted.arrow --proxies scores"""

AGAIN = "nothing was written, and the same command begins anew"

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="What nb101 predict fit wrote.")]


def sample(
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="TABLE", help="The file to write: .arrow, .parquet or .csv."
        ),
    ],
    cells: Annotated[
        int, typer.Option("--cells", "-n", metavar="N", help="Cells, chosen at random.")
    ] = 2000,
    repeats: Annotated[
        int, typer.Option(metavar="N", help="Runs of each cell at each budget.")
    ] = 3,
    seed: Annotated[int, typer.Option(metavar="N", help="Of everything that is random.")] = 0,
) -> None:
    """Write a table of simulated runs, to practise fitting on.

    Runs of random cells are drawn about the predictions of surrogate-v1, the table of the package,
    each with a deviation of its own. None was made: the table says that it is predicted, and
    simulated, and so does what is fitted to it.
    """
    from nb101 import predict

    path = output_file(output)
    if table_format(path) == "tfrecord":
        raise ArgumentError("simulated runs cannot be written as official records", field="output")
    check_writable(path)
    table = predict.sample(cells, repeats=repeats, seed=seed)
    table.save(path)
    with beside(path):
        said = f"{len(table):,} simulated runs of {table.num_cells:,} cells"
        print_line(f"{describe_file(path)}: {said}, drawn about predictions: for practice")


def fit(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="A table: a file, or a name.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="MODEL", help="The file to write, .npz; - for stdout."
        ),
    ],
    cells: Annotated[
        int, typer.Option(metavar="N", help="Most cells to learn from, chosen at random.")
    ] = 20_000,
    folds: Annotated[int, typer.Option(metavar="N", help="Parts of the cross-validation.")] = 5,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            "-m",
            metavar="NAME",
            help="A metric to learn, a column of your own too; repeat for more. By default times, "
            "accuracies, and own columns of which the table says whether less is better.",
        ),
    ] = None,
    proxies: Annotated[
        Path | None,
        typer.Option(
            "--proxies",
            metavar="SCORES",
            help="Scores of zero-cost proxies to learn from as well: a folder of nb101 proxies "
            "run, a table of it, or NASLib's JSON.",
        ),
    ] = None,
    networks: Annotated[
        int, typer.Option(metavar="N", help="Networks whose mean predicts accuracies.")
    ] = 5,
    seed: Annotated[int, typer.Option(metavar="N", help="Of everything that is random.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Processes; one a core if left out.")
    ] = None,
    json: Json = False,
) -> None:
    """Fit a predictor to a table, and print its errors by cross-validation.

    It predicts the mean over repeats of every metric at every budget of the table. With 20,000
    cells on two cores that takes about a quarter of an hour; fewer cells, folds or networks take
    less. A table that is predicted itself is refused, but for simulated runs of nb101 predict
    sample.
    """
    from nb101 import predict

    output = output_file(output, "npz")
    _check_output(output)
    opened, scores = open_table(table), open_scores(proxies)
    settings = predict.Settings(networks=networks)
    few = min(networks, predict.TIME_SETTINGS.networks)
    time_settings = replace(predict.TIME_SETTINGS, networks=few)
    with interrupted(AGAIN), progress_bar("fitting networks", None) as show:
        predictor = predict.fit(
            opened,
            metrics=metric or None,
            proxies=scores,
            seed=seed,
            cells=cells,
            folds=folds,
            settings=settings,
            time_settings=time_settings,
            jobs=jobs,
            progress=show,
        )
    predictor.save(output)
    with beside(output):
        if json:
            print_json({"about": predictor.about, **predictor.report.to_dict()})
            return
        facts = [
            ("predictor", describe_file(output)),
            ("learnt from", _learnt_from(predictor)),
            ("folds", str(folds)),
        ]
        print_rich(Facts(facts), _errors(predictor.report))


def apply(
    model: Model,
    module: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CELL", help="A cell: its hash, its id, ADJACENCY OPS, JSON, or - for stdin."
        ),
    ] = None,
    id: Annotated[  # noqa: A002
        int | None, typer.Option("--id", metavar="N", help="The cell with this id.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="TABLE",
            help="Predict the whole space into this file: .arrow, .parquet or .csv; - for stdout.",
        ),
    ] = None,
    format: Annotated[  # noqa: A002
        str | None,
        typer.Option("--format", metavar="FORMAT", help="Of TABLE; by its ending if left out."),
    ] = None,
    proxies: Annotated[
        Path | None,
        typer.Option(
            "--proxies",
            metavar="SCORES",
            help="Scores of the cells, for a predictor that was fitted with some; TABLE then has "
            "the cells that have scores.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Predict a cell, or the whole space into a table.

    ± is what holds 68 % of cells, by cross-validation. Times are seconds, accuracies fractions.
    """
    from nb101 import predict

    if output is not None:
        if module or id is not None:
            raise ArgumentError("give a cell, or -o for the whole space, and not both")
        output, format = output_and_format(output, format, table_format)  # noqa: A001
        if format == "tfrecord":
            raise ArgumentError("predictions cannot be written as official records", field="output")
        check_writable(output)
    predictor = predict.load(model)
    scores = open_scores(proxies)
    if output is not None:
        with interrupted(AGAIN), progress_bar("predicting cells", len(predictor.space)) as show:
            table = predictor.table(proxies=scores, progress=show)
        table.save(output, format=format)
        with beside(output):
            print_line(f"{counted(len(table), 'predicted run')} to {describe_file(output)}")
        return
    cell = find_cell(list(module or []), id, predictor.space)
    rows = _rows(predictor, cell, scores)
    facts: dict[str, Any] = {
        "hash": cell.hash,
        "kind": "predicted",
        "learnt from": _learnt_from(predictor),
    }
    if json:
        facts["learnt_from"] = facts.pop("learnt from")
        print_json({**facts, "predictions": rows})
        return
    print_rich(Facts(list(facts.items())), _predictions(rows))


def _check_output(path: Path) -> None:
    """Refuse what could not be written, before the work and not after it."""
    if path.suffix != ".npz" and not is_stream(path):
        raise ArgumentError(f"{path}: the name of a predictor ends in .npz", field="output")
    check_writable(path)


def _learnt_from(predictor: "Predictor") -> str:
    """Say what a predictor was fitted to; above all if that was no measurement."""
    about = predictor.about
    cells = about.get("cells_learnt_from")
    text = f"{cells:,} cells" if isinstance(cells, int) else "an unknown number of cells"
    source = about.get("learnt_from")
    if isinstance(source, dict) and source.get("simulated"):
        text += ", runs of which were simulated: for practice"
    return text


def _rows(
    predictor: "Predictor", cell: Any, scores: "Scores | None" = None
) -> list[dict[str, Any]]:
    return [
        {
            "epochs": epochs,
            "metric": metric,
            "predicted": float(values[0]),
            "uncertainty": float(predictor.half_width((metric, epochs), values)[0]),
        }
        for (metric, epochs), values in predictor.predict_all(cell, proxies=scores).items()
    ]


def _predictions(rows: list[dict[str, Any]]) -> Any:
    from rich import box
    from rich.table import Table as RichTable

    grid = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
    grid.add_column("epochs", justify="right")
    grid.add_column("metric")
    grid.add_column("predicted", justify="right")
    for row in sorted(rows, key=lambda row: (row["epochs"], row["metric"])):
        digits = {"training_time": ",.2f"}.get(row["metric"], ".4f")
        if row["metric"] not in METRICS:
            digits = ",.4g"
        text = f"{row['predicted']:{digits}} ± {row['uncertainty']:{digits}}"
        grid.add_row(str(row["epochs"]), row["metric"].replace("_", " "), text)
    return grid


def _errors(report: "Report") -> Any:
    from rich import box
    from rich.table import Table as RichTable

    title = "on cells that were not learnt from; errors of time are shares of it"
    grid = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    # In two lines, so that the table fits 80 columns.
    for head in ("metric", "epochs", "cells", "Spearman", "Kendall", "mean\nerror", "within\n68 %"):
        grid.add_column(head, justify="left" if head == "metric" else "right")
    others = ["none" if x.spearman is None else f"{x.spearman:.4f}" for x in report.without_proxies]
    if others:
        grid.add_column("Spearman\nwithout\nproxies", justify="right")
    for number, errors in enumerate(report.errors):
        grid.add_row(
            errors.metric.replace("_", " "),
            str(errors.epochs),
            f"{errors.cells:,}",
            *("none" if x is None else f"{x:.4f}" for x in (errors.spearman, errors.kendall)),
            f"{errors.mean_absolute_error:.4f}",
            f"{errors.covered_68:.1%}".replace("%", " %"),
            *others[number : number + 1],
        )
    return grid
