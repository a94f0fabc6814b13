"""``nb101 search``: run one search, or compare many."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nb101._base.files import STDOUT, check_writable, is_stream
from nb101.cli import complete
from nb101.cli.arguments import read_pairs
from nb101.cli.grid import Facts
from nb101.cli.options import Dask, Json, TableOption, grouped
from nb101.cli.output import beside, output_file
from nb101.cli.printing import note, print_json, print_line, print_rich, print_wrapped
from nb101.cli.progress import progress_bar
from nb101.cli.stopping import interrupted
from nb101.cli.tables import open_table
from nb101.cli.workers import cluster, import_modules
from nb101.errors import ArgumentError, SearchError
from nb101.plain import counted

if TYPE_CHECKING:
    from nb101.search import Comparison, Trace
    from nb101.search.statistics import Summary
    from nb101.space.one_shot import OneShotSpace
    from nb101.table.table import Table

RUN_EXAMPLES = """[bold]Examples[/bold]

nb101 search regularized-evolution --seconds 1e6

nb101 search regularized-evolution --seconds 1e6 --set population=50 -o trace.parquet

nb101 search random-search --table official-108 --queries 1000 --unique

nb101 search regularized-evolution --workers 8 --seconds 1e6

nb101 search nsga-ii --objectives error,parameters --queries 5000"""
COMPARE_EXAMPLES = """[bold]Examples[/bold]

nb101 search compare --runs 500 --seconds 1e7

nb101 search compare random-search=500 bohb=50 --seconds 1e6 -o brief

nb101 search compare bohb --dask tcp://head:8786 -o bohb

nb101 search compare nsga-ii random-search --objectives c10mop1 --queries 5000 -o fronts"""
PAGE_EXAMPLES = """[bold]Examples[/bold]

nb101 search page comparison"""
LIST_EXAMPLES = """[bold]Examples[/bold]

nb101 search list"""

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


@dataclass(frozen=True, kw_only=True)
class RunsOptions:
    """What ends a run, and how it asks the table."""

    seconds: Annotated[
        float | None, typer.Option(metavar="S", help="Simulated seconds after which a run ends.")
    ] = None
    max_epochs: Annotated[
        float | None,
        typer.Option("--max-epochs", metavar="N", help="Epochs, of all queries, that end a run."),
    ] = None
    queries: Annotated[
        int | None, typer.Option(metavar="N", help="Queries after which a run ends.")
    ] = None
    seed: Annotated[int, typer.Option(metavar="N", help="Of everything that is random.")] = 0
    epochs: Annotated[
        int | None,
        typer.Option(metavar="N", help="The budget that cells are trained with; the table's most."),
    ] = None
    unique: Annotated[
        bool,
        typer.Option("--unique", help="Ask for each cell once: repeats are answered from memory."),
    ] = False
    one_shot: Annotated[
        int | None,
        typer.Option(
            "--one-shot", metavar="1|2|3", help="Search this space of NAS-Bench-1Shot1 alone."
        ),
    ] = None
    objectives: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            help="Search for several objectives: error, parameters, flops, training_time; or for "
            "those of c10mop1 or c10mop2.",
        ),
    ] = None
    workers: Annotated[
        int, typer.Option(metavar="N", help="Queries under way at a time, in simulated time.")
    ] = 1
    synchronous: Annotated[
        bool,
        typer.Option("--synchronous", help="Workers wait for each other before they begin anew."),
    ] = False

    @property
    def space(self) -> "OneShotSpace | None":
        """The space of NAS-Bench-1Shot1 that is searched, if it is one."""
        from nb101.space.one_shot import OneShotSpace

        return None if self.one_shot is None else OneShotSpace(self.one_shot)

    @property
    def unlimited(self) -> bool:
        """Whether nothing ends a run."""
        return self.seconds is None and self.max_epochs is None and self.queries is None


@dataclass(frozen=True, kw_only=True)
class WorkersOptions:
    """Who does the runs."""

    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", help="Processes; one a core if left out; 1 starts none."),
    ] = None
    dask: Dask = None

    def check(self) -> None:
        """Refuse both at once."""
        if self.dask is not None and self.jobs is not None:
            message = "--jobs is of processes of this machine, and --dask has its own"
            raise ArgumentError(message, field="jobs")


@grouped
def search(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="An algorithm; nb101 search list has them all.",
            autocompletion=complete.searchers,
        ),
    ],
    table: TableOption = None,
    *,
    each: RunsOptions,
    settings: Settings = None,
    imports: Imports = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the trace here: .parquet."),
    ] = None,
    json: Json = False,
) -> None:
    """Search a table for a good cell, in simulated time: nb101 search NAME.

    Without a limit a run ends after 10^7 simulated seconds. Regret is how far the mean test
    accuracy of the best cell so far, by the validation accuracy seen, is from the highest. With
    --objectives it is many cells that a run ends with: their hypervolume is a share of that of the
    table's exact front.
    """
    from nb101 import search
    from nb101.search.searcher import check_options

    target = None if output is None else output_file(output, "parquet")
    if target is not None and target.suffix.lower() != ".parquet" and not is_stream(target):
        message = f"a trace is a .parquet file, not {target.name!r}"
        raise ArgumentError(message, field="output")
    import_modules(imports or [])
    options = {k.replace("-", "_"): v for k, v in read_pairs(settings or []).items()}
    check_options(name, options)
    if target is not None:
        check_writable(target)
    opened = open_table(table)
    again = "a run keeps nothing before its end: the same command begins it anew"
    with interrupted(again), progress_bar("searching", None) as show:
        trace = search.run(
            name,
            opened,
            seconds=1e7 if each.unlimited else each.seconds,
            max_epochs=each.max_epochs,
            queries=each.queries,
            seed=each.seed,
            epochs=each.epochs,
            unique=each.unique,
            space=each.space,
            objectives=each.objectives,
            workers=each.workers,
            synchronous=each.synchronous,
            progress=lambda done, total: show(int(done), int(total)),
            **options,
        )
    if not len(trace):
        raise SearchError("no query ended within the limit: allow more")
    if target is not None:
        trace.save(target)
    with beside(target):
        _show_run(trace, opened, target, unique=each.unique, json=json)


def _show_run(
    trace: "Trace", opened: "Table", target: Path | None, *, unique: bool, json: bool
) -> None:
    """Say what a run found."""
    cell = opened.space[int(trace.best_cell_ids[-1])]
    facts: dict[str, Any] = {
        "searcher": trace.about["searcher"],
        "kind": trace.about["kind"],
        "predicted": trace.about["predicted"],
        "queries": len(trace),
        "queries_saved": trace.about["queries_saved"],
        "seconds": float(trace.seconds[-1]),
        **(
            {"workers": trace.workers, "total_seconds": float(trace.total_seconds[-1])}
            if trace.workers > 1
            else {}
        ),
        **(
            _front_of(trace)
            if trace.objectives
            else {
                "best_cell_id": int(trace.best_cell_ids[-1]),
                "best_cell_hash": cell.hash,
                "best_validation": float(trace.best_validation[-1]),
                "regret": trace.final_regret,
            }
        ),
    }
    if json:
        print_json(facts)
        return
    saved = f", and {facts['queries_saved']:,} saved" if unique else ""
    mark = f" ({facts['predicted']})" if facts["predicted"] else ""
    of_all = f", {facts['total_seconds']:,.0f} s of all workers" if trace.workers > 1 else ""
    lines = [
        ("searcher", facts["searcher"]),
        ("table", facts["kind"]),
        ("queries", f"{len(trace):,}{saved}"),
        ("simulated time", f"{facts['seconds']:,.0f} s{of_all}"),
    ]
    if trace.objectives:
        volume, exact = 100 * facts["hypervolume"], trace.about["front_cells"]
        lines += [
            ("objectives", ", ".join(trace.objectives)),
            ("front", f"{counted(len(facts['front']), 'cell')}; the exact one has {exact:,}"),
            ("hypervolume", f"{volume:.2f} % of the exact front's{mark}"),
            ("IGD+", f"{facts['igd_plus']:.4f}{mark}"),
        ]
    else:
        lines += [
            ("best cell", f"{cell.hash}, id {facts['best_cell_id']}"),
            ("its validation", f"{facts['best_validation']:.4f}{mark}"),
            ("its regret", f"{facts['regret']:.5f} of mean test accuracy{mark}"),
        ]
    if target is not None:
        lines.append(("trace", "stdout" if target == STDOUT else str(target)))
    print_rich(Facts(lines))


def _front_of(trace: "Trace") -> dict[str, Any]:
    """Say which cells a run for several objectives has found, and how good they are."""
    volume, distance, front = trace.hypervolume, trace.igd_plus, trace.front
    assert volume is not None
    assert distance is not None
    ids, values = trace.cell_ids[front].tolist(), trace.true_costs[front].tolist()
    found = dict(zip(ids, values, strict=True))
    return {
        "objectives": list(trace.objectives),
        "utopian": trace.about["utopian"],
        "nadir": trace.about["nadir"],
        "hypervolume": float(volume[-1]),
        "igd_plus": float(distance[-1]),
        "front": [
            {"cell_id": cell_id, **dict(zip(trace.objectives, values, strict=True))}
            for cell_id, values in sorted(found.items(), key=lambda each: each[1])
        ],
    }


@grouped
def compare(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME[=RUNS]",
            help="Algorithms; the quick ones by default.",
            autocompletion=complete.searchers,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the comparison.")
    ] = Path("comparison"),
    table: TableOption = None,
    runs: Annotated[int, typer.Option(metavar="N", help="Runs of each algorithm.")] = 500,
    *,
    each: RunsOptions,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="ALGORITHM.NAME=VALUE", help="An option; repeat for more."),
    ] = None,
    imports: Imports = None,
    by: WorkersOptions,
    json: Json = False,
) -> None:
    r"""Run algorithms many times, and write a page that compares them.

    Without a limit a run ends after 10^7 simulated seconds, as in the paper. The same command goes
    on where it was stopped; more runs and more algorithms can be added to a folder. It gets
    index.html, which needs nothing else, numbers.json, and each run's trace as Parquet. Needs
    matplotlib: pip install 'nb101\[report]'.
    """
    from nb101 import search
    from nb101._base.extras import need_report
    from nb101.search.comparison import CHEAP, SEVERAL
    from nb101.search.searcher import check_options

    import_modules(imports or [])
    by.check()
    # Its page is what the runs are for.
    need_report("the page of a comparison")
    counts = _counts(names or (CHEAP if each.objectives is None else SEVERAL), runs)
    options = _options(settings or [])
    for name in counts:
        # Before a cluster is looked for.
        check_options(name, options.get(name, {}))
    done = 0
    total = sum(counts.values())

    def hint() -> str:
        return f"{done:,} of {counted(total, 'run')} done; the same command goes on from there"

    with (
        interrupted(hint),
        cluster(by.dask) as executor,
        progress_bar("searching", total) as show,
    ):

        def advance(now: int, total: int) -> None:
            nonlocal done
            done = now
            show(now, total)

        found = search.compare(
            open_table(table),
            output,
            names=list(counts),
            runs=counts,
            seconds=each.seconds,
            max_epochs=each.max_epochs,
            queries=each.queries,
            seed=each.seed,
            epochs=each.epochs,
            unique=each.unique,
            space=each.space,
            objectives=each.objectives,
            workers=each.workers,
            synchronous=each.synchronous,
            options=options,
            imports=imports or [],
            executor=executor,
            jobs=by.jobs,
            progress=advance,
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
        verb = "is" if found.missing == 1 else "are"
        note(f"{found.missing:,} of {counted(total, 'run')} {verb} not done")


def _show(found: "Comparison", *, json: bool) -> None:
    """Write the page of a comparison, and say how the algorithms stand."""
    from nb101.search.page import write_page
    from nb101.search.statistics import summarize

    summary = summarize(found)
    written = write_page(found, summary)
    if json:
        shown = {
            "page": str(written),
            "missing": found.missing,
            "predicted": found.plan.table["predicted"],
            "algorithms": summary.to_dict(),
        }
        print_json(shown)
        return
    print_rich(_standings(summary, found.plan.table["predicted"]))
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
                    "several_workers": entry.searcher.out_of_order,
                    "several_objectives": entry.searcher.several_objectives,
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
        if not entry.searcher.out_of_order:
            print_wrapped("workers: one alone", indent)
        if entry.searcher.several_objectives:
            alone = entry.searcher.needs_objectives
            print_wrapped(f"objectives: {'several alone' if alone else 'one or several'}", indent)
        differs = f"beside the paper: {entry.differs or 'differs in nothing'}"
        print_wrapped(differs, indent)


def _counts(texts: Sequence[str], runs: int) -> dict[str, int]:
    """Read how many runs of which algorithms are asked for, by name."""
    counts: dict[str, int] = {}
    for text in texts:
        name, count = _count(text, runs)
        if name in counts:
            raise ArgumentError(f"{name} is named twice", field="names")
        counts[name] = count
    return counts


def _options(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read what ``--set ALGORITHM.NAME=VALUE`` was given, by algorithm and name."""
    options: dict[str, dict[str, Any]] = {}
    for key, value in read_pairs(settings).items():
        algorithm, dot, option = key.partition(".")
        if not dot:
            message = f"--set {key}=... must name the algorithm: ALGORITHM.{key}=VALUE"
            raise ArgumentError(message, field="set")
        options.setdefault(algorithm, {})[option.replace("-", "_")] = value
    return options


def _count(text: str, runs: int) -> tuple[str, int]:
    name, equals, count = text.partition("=")
    if not equals:
        return name, runs
    if not count.isdecimal():
        message = f"{text}: runs must be a whole number, not {count!r}"
        raise ArgumentError(message, field="runs")
    return name, int(count)


def _standings(summary: "Summary", mark: str) -> Any:
    from rich import box
    from rich.table import Table as RichTable

    fronts = summary.front is not None
    title = "final regret of test accuracy, percentage points; [95 % interval]"
    if fronts:
        title = "final hypervolume, % of the exact front's; [95 % interval]"
    title += f" ({mark})" if mark else ""
    grid = RichTable(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        title=title,
        title_justify="left",
    )
    heads = ("algorithm", "runs", "queries", "median", "quartiles", "mean rank")
    for head in (*heads, *(["IGD+"] if fronts else [])):
        grid.add_column(head, justify="left" if head == "algorithm" else "right")
    for each in summary.standings:
        low, middle, high = each.quartiles
        if fronts:
            low, middle, high = 1 - high, 1 - middle, 1 - low
        distance = [] if each.reached is None else [f"{each.reached.igd_quartiles[1]:.4f}"]
        grid.add_row(
            each.name,
            f"{each.runs:,}",
            f"{each.queries:,.0f}",
            f"{100 * middle:.3f}",
            f"{100 * low:.3f} to {100 * high:.3f}",
            f"{each.rank.value:.2f} [{each.rank.low:.2f}, {each.rank.high:.2f}]",
            *distance,
        )
    return grid
