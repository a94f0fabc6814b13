"""``nb101 search``: run one search, or compare many."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from nb101.cli import complete
from nb101.cli.common import (
    Dask,
    Json,
    beside,
    cluster,
    facts_table,
    import_modules,
    note,
    output_file,
    print_json,
    print_line,
    print_rich,
    print_wrapped,
    progress_bar,
    read_pairs,
)
from nb101.cli.info import open_table
from nb101.files import check_writable, is_stream

if TYPE_CHECKING:
    from nb101.search import Comparison, Trace
    from nb101.search.statistics import Summary

RUN_EXAMPLES = """[bold]Examples[/bold]

nb101 search regularized-evolution --seconds 1e6

nb101 search regularized-evolution --seconds 1e6 --set population=50 -o trace.parquet

nb101 search random-search --table official-108 --queries 1000 --unique"""
COMPARE_EXAMPLES = """[bold]Examples[/bold]

nb101 search compare --runs 500 --seconds 1e7

nb101 search compare random-search=500 bohb=50 --seconds 1e6 -o brief

nb101 search compare bohb --dask tcp://head:8786 -o bohb"""
PAGE_EXAMPLES = """[bold]Examples[/bold]

nb101 search page comparison"""
LIST_EXAMPLES = """[bold]Examples[/bold]

nb101 search list"""

TableName = Annotated[
    str | None,
    typer.Option(
        "--table",
        metavar="TABLE",
        help="A table: a file, or a name.",
        autocompletion=complete.tables,
    ),
]
Seconds = Annotated[
    float | None, typer.Option(metavar="S", help="Simulated seconds after which a run ends.")
]
MaxEpochs = Annotated[
    float | None, typer.Option(metavar="N", help="Epochs trained in all after which a run ends.")
]
Queries = Annotated[int | None, typer.Option(metavar="N", help="Queries after which a run ends.")]
Epochs = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="The budget that cells are trained at; the largest if not given."
    ),
]
Unique = Annotated[
    bool,
    typer.Option("--unique", help="Ask for each cell once: repeats are answered from memory."),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Of everything that is random.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="An option of the algorithm; repeat for more."
    ),
]
Imports = Annotated[
    list[str] | None,
    typer.Option(
        "--import", metavar="MODULE", help="A module that registers algorithms; repeat for more."
    ),
]


class SearchGroup(TyperGroup):
    """The group ``nb101 search``, where the name of an algorithm stands for ``run NAME``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse the options of an algorithm before its name."""
        if args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            option = args[0].partition("=")[0]
            raise ValueError(
                f"{option}: the name comes first: nb101 search NAME {option} ...; or nb101 search "
                "--help"
            )
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command of the arguments; what is none is the name of an algorithm."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["run", *args]
        return super().resolve_command(ctx, args)


def search(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="An algorithm; nb101 search list has them all.",
            autocompletion=complete.searchers,
        ),
    ],
    table: TableName = None,
    seconds: Seconds = None,
    max_epochs: MaxEpochs = None,
    queries: Queries = None,
    seed: Seed = 0,
    epochs: Epochs = None,
    unique: Unique = False,
    settings: Settings = None,
    imports: Imports = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the trace here: .parquet; - for stdout."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Search a table for a good cell, in simulated time: nb101 search NAME.

    Without a limit a run ends after 10^7 simulated seconds. Regret is how far the mean test
    accuracy of the best cell so far, by the validation accuracy seen, is from the highest.
    """
    from nb101 import search
    from nb101.search.searcher import check_options

    if seconds is None and max_epochs is None and queries is None:
        seconds = 1e7
    if output is not None:
        output = output_file(output, "parquet")
    if output is not None and output.suffix.lower() != ".parquet" and not is_stream(output):
        raise ValueError(f"a trace is a .parquet file, not {output.name!r}")
    import_modules(imports or [])
    options = {k.replace("-", "_"): v for k, v in read_pairs(settings or []).items()}
    check_options(name, options)
    if output is not None:
        check_writable(output)
    opened = open_table(table)
    with progress_bar("searching", None) as show:
        trace = search.run(
            name,
            opened,
            seconds=seconds,
            epochs=max_epochs,
            queries=queries,
            seed=seed,
            budget=epochs,
            unique=unique,
            progress=lambda done, total: show(int(done), int(total)),
            **options,
        )
    if output is not None:
        trace.save(output)
    if not len(trace):
        raise ValueError("no query ended within the limit: allow more")
    cell = opened.space[int(trace.best_cell_ids[-1])]
    facts: dict[str, Any] = {
        "searcher": name,
        "kind": opened.provenance.get("kind", "unknown"),
        "queries": len(trace),
        "queries_saved": trace.about["queries_saved"],
        "seconds": float(trace.seconds[-1]),
        "best_cell_id": int(trace.best_cell_ids[-1]),
        "best_cell_hash": cell.hash,
        "best_validation": float(trace.best_validation[-1]),
        "regret": trace.final_regret,
    }
    with beside(output):
        _print_search(trace, facts, cell.hash, unique, output, json)


def _print_search(
    trace: "Trace",
    facts: dict[str, Any],
    best: str,
    unique: bool,
    output: Path | None,
    json: bool,
) -> None:
    if json:
        print_json(facts)
        return
    saved = f", and {facts['queries_saved']:,} saved" if unique else ""
    lines = [
        ("searcher", facts["searcher"]),
        ("table", facts["kind"]),
        ("queries", f"{len(trace):,}{saved}"),
        ("simulated time", f"{facts['seconds']:,.0f} s"),
        ("best cell", f"{best}, id {facts['best_cell_id']}"),
        ("its validation", f"{facts['best_validation']:.4f}"),
        ("its regret", f"{facts['regret']:.5f} (mean test accuracy)"),
    ]
    if output is not None:
        lines.append(("trace", str(output)))
    print_rich(facts_table(lines))


def compare(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME[=RUNS]]...",
            help="Algorithms; the quick ones by default.",
            autocompletion=complete.searchers,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the comparison.")
    ] = Path("comparison"),
    table: TableName = None,
    runs: Annotated[int, typer.Option(metavar="N", help="Runs of each algorithm.")] = 500,
    seconds: Seconds = None,
    max_epochs: MaxEpochs = None,
    queries: Queries = None,
    seed: Seed = 0,
    epochs: Epochs = None,
    unique: Unique = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="ALGORITHM.NAME=VALUE", help="An option; repeat for more."),
    ] = None,
    imports: Imports = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Processes; one a core if left out.")
    ] = None,
    dask: Dask = None,
    json: Json = False,
) -> None:
    """Run algorithms many times, and write a page that compares them.

    Without a limit a run ends after 10^7 simulated seconds, as in the paper. The same command goes
    on where it was stopped; more runs and more algorithms can be added to a folder. It gets
    index.html, which needs nothing else, numbers.json, and each run's trace as Parquet.
    """
    from nb101 import search
    from nb101.search.comparison import CHEAP
    from nb101.search.searcher import check_options

    import_modules(imports or [])
    if dask is not None and jobs is not None:
        raise ValueError("--jobs is of processes of this machine, and --dask has its own")
    counts: dict[str, int] = {}
    for text in names or CHEAP:
        name, count = _count(text, runs)
        if name in counts:
            raise ValueError(f"{name} is named twice")
        counts[name] = count
    options: dict[str, dict[str, Any]] = {}
    for key, value in read_pairs(settings or []).items():
        algorithm, dot, option = key.partition(".")
        if not dot:
            raise ValueError(f"--set {key}=... must name the algorithm: ALGORITHM.{key}=VALUE")
        options.setdefault(algorithm, {})[option.replace("-", "_")] = value
    for name in counts:
        # Before a cluster is looked for.
        check_options(name, options.get(name, {}))
    with (
        cluster(dask) if dask is not None else nullcontext() as executor,
        progress_bar("searching", sum(counts.values())) as show,
    ):
        found = search.compare(
            open_table(table),
            output,
            names=list(counts),
            runs=counts,
            seconds=seconds,
            epochs=max_epochs,
            queries=queries,
            seed=seed,
            budget=epochs,
            unique=unique,
            options=options,
            imports=imports or [],
            executor=executor,
            jobs=jobs,
            progress=show,
        )
    _show(found, json=json)


def page(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a comparison.")],
    json: Json = False,
) -> None:
    """Write the page of a comparison whose runs are not all done, of those that are."""
    from nb101 import search

    found = search.Comparison.open(folder)
    _show(found, json=json)
    if found.missing and not json:
        total = sum(found.asked.values())
        note(f"{found.missing:,} of {total:,} runs are not done")


def _show(found: "Comparison", *, json: bool) -> None:
    """Write the page of a comparison, and say how the algorithms stand."""
    from nb101.search.page import write_page
    from nb101.search.statistics import summarize

    summary = summarize(found)
    written = write_page(found, summary)
    if json:
        shown = {"page": str(written), "missing": found.missing, "algorithms": summary.to_dict()}
        print_json(shown)
        return
    print_rich(_standings(summary))
    print_line(str(written))


def list_searchers(imports: Imports = None, json: Json = False) -> None:
    """List the algorithms, their options, and how they differ from the paper's."""
    from nb101 import search

    import_modules(imports or [])
    entries = search.registry()
    if json:
        print_json(
            {
                name: {
                    "title": entry.title,
                    "source": entry.source,
                    "differs": entry.differs,
                    "options": dict(entry.options),
                }
                for name, entry in entries.items()
            }
        )
        return
    widest = max(map(len, entries))
    for name, entry in entries.items():
        options = ", ".join(f"{key}={value}" for key, value in entry.options.items())
        indent = " " * (widest + 2)
        print_wrapped(entry.source, indent, name)
        print_wrapped(f"options: {options}", indent)
        differs = f"beside the paper: {entry.differs or 'differs in nothing'}"
        print_wrapped(differs, indent)


def _count(text: str, runs: int) -> tuple[str, int]:
    name, equals, count = text.partition("=")
    if not equals:
        return name, runs
    if not count.isdecimal():
        raise ValueError(f"{text}: runs must be a whole number, not {count!r}")
    return name, int(count)


def _standings(summary: "Summary") -> Any:
    from rich import box
    from rich.table import Table as RichTable

    title = "final regret of test accuracy, percentage points; brackets are 95 % intervals"
    grid = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    for head in ("algorithm", "runs", "queries", "median", "quartiles", "mean rank"):
        grid.add_column(head, justify="left" if head == "algorithm" else "right")
    for each in summary.standings:
        low, _, high = each.quartiles
        grid.add_row(
            each.name,
            f"{each.runs:,}",
            f"{each.queries:,.0f}",
            f"{100 * each.median.value:.3f}",
            f"{100 * low:.3f} to {100 * high:.3f}",
            f"{each.rank.value:.2f} [{each.rank.low:.2f}, {each.rank.high:.2f}]",
        )
    return grid
