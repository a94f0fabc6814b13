"""``nb101 report`` and ``nb101 plot``: the paper's analysis of a table."""

from pathlib import Path
from typing import Annotated

import typer

from nb101._base.checks import check_whole
from nb101._base.runtime import set_threads
from nb101.cli import complete
from nb101.cli.options import Threads
from nb101.cli.output import beside, describe_file, file_size, output_and_format
from nb101.cli.printing import print_line
from nb101.cli.progress import progress_bar
from nb101.cli.stopping import interrupted
from nb101.cli.tables import open_scores, open_table
from nb101.errors import ArgumentError
from nb101.plain import counted

REPORT_EXAMPLES = """[bold]Examples[/bold]

nb101 report -o report

nb101 report official-full -o report

nb101 report runs.arrow -o report --epochs 36

nb101 report official-full -o report --proxies scores"""
PLOT_EXAMPLES = """[bold]Examples[/bold]

nb101 plot --list

nb101 plot pareto-time -o front.png

nb101 plot op-accuracy official-108 -o ops.pdf"""

Epochs = Annotated[
    int | None,
    typer.Option("--epochs", metavar="N", help="The budget; the largest if not given."),
]


Proxies = Annotated[
    Path | None,
    typer.Option(
        "--proxies",
        metavar="SCORES",
        help="Scores of zero-cost proxies to compare: a folder of nb101 proxies run, a table of "
        "it, or NASLib's JSON.",
    ),
]


def report(
    table: Annotated[
        str | None,
        typer.Argument(
            metavar="TABLE", help="A table: a file, or a name.", autocompletion=complete.tables
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Folder to write to; made if need be."),
    ] = None,
    epochs: Epochs = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the random walks.")] = 0,
    proxies: Proxies = None,
    threads: Threads = None,
) -> None:
    r"""Analyse a table as the paper does, and write it as one page.

    The folder gets index.html, which needs nothing else, with all figures and the paper's numbers
    beside those of the table; and the numbers as numbers.json and a Parquet file a statistic. What
    the table has too little for is left out, and the page says why. Needs matplotlib: pip install
    'nb101\[report]'.
    """
    if output is None or output == Path("-"):
        raise ArgumentError(
            "a report is a folder of files: name the one to write to, -o DIR", field="output"
        )
    check_whole("--seed", seed, 0)
    if threads is not None:
        set_threads(threads)
    opened, scores = open_table(table), open_scores(proxies)
    from nb101.analysis.parts import PARTS
    from nb101.analysis.report import write

    with (
        interrupted("the same command begins the report anew"),
        progress_bar("analysing", len(PARTS)) as advance,
    ):
        written = write(
            opened,
            output,
            epochs=epochs,
            seed=seed,
            scores=scores,
            progress=lambda done, _: advance(done),
        )
    print_line(f"{written.page}  {file_size(written.page.stat().st_size)}")
    print(f"{counted(len(written.files) - 1, 'file')} of numbers beside it")
    for title, reasons in written.missing.items():
        for reason in reasons:
            print_line(f"note: {title}: {reason}")


def plot(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Which figure; --list has them all.",
            autocompletion=complete.figures,
        ),
    ] = None,
    table: Annotated[
        str | None,
        typer.Argument(
            metavar="TABLE", help="A table: a file, or a name.", autocompletion=complete.tables
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A .png, .svg or .pdf; NAME.png if not given; - for stdout.",
        ),
    ] = None,
    format: Annotated[  # noqa: A002
        str | None,
        typer.Option("--format", metavar="FORMAT", help="png, svg or pdf; by the ending of FILE."),
    ] = None,
    epochs: Epochs = None,
    proxies: Proxies = None,
    list_: Annotated[bool, typer.Option("--list", help="List all figures and exit.")] = False,
) -> None:
    r"""Draw one figure of a table to a file.

    Needs matplotlib: pip install 'nb101\[report]'.
    """
    from nb101.analysis.figures import FIGURES, figure_format, find, save

    if list_:
        widest = max(map(len, FIGURES))
        for key, figure in FIGURES.items():
            where = f" (figure {figure.paper} of the paper)" if figure.paper else ""
            print(f"{key:{widest}}  {figure.title}{where}")
        return
    if name is None:
        raise ArgumentError("name a figure: nb101 plot --list has them all", field="name")
    find(name)
    wanted = Path(f"{name}.{format or 'png'}") if output is None else output
    target, chosen = output_and_format(wanted, format, figure_format)
    scores = open_scores(proxies)
    from nb101.analysis.study import Study

    study = Study(open_table(table), epochs, scores=scores)
    save(study, name, target, format=chosen)
    with beside(target):
        print_line(describe_file(target))
