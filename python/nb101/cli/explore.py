"""``nb101 explore``: the page of a table, served on this machine or written as a folder."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nb101._base.checks import check_range, check_whole
from nb101.cli import complete
from nb101.cli.output import file_size
from nb101.cli.printing import note, plain_warnings, print_line
from nb101.cli.stopping import interrupted
from nb101.cli.tables import open_table
from nb101.errors import ArgumentError, CampaignError
from nb101.explore.columns import Columns, check_size, columns_of
from nb101.explore.manifest import About, describe, has_accuracies, start
from nb101.plain import counted
from nb101.table.table import Table

if TYPE_CHECKING:
    from nb101.explore.live import LiveCampaign
    from nb101.explore.traces import TraceFolder

EXAMPLES = """[bold]Examples[/bold]

nb101 explore

nb101 explore official-full --columns latency.csv

nb101 explore --traces comparison

nb101 explore --campaign runs

nb101 explore -o site"""

SERVED_RUNS, WRITTEN_RUNS = 20, 5
"""Runs of each algorithm that a page has, where --runs says nothing."""


def explore(
    table: Annotated[
        str | None,
        typer.Argument(
            metavar="TABLE",
            help="A table: a file, or a name; by default the predictions that nb101 carries.",
            autocompletion=complete.tables,
        ),
    ] = None,
    traces: Annotated[
        list[Path] | None,
        typer.Option(
            "--traces",
            metavar="DIR",
            help="Searches to be replayed: a folder of nb101 search compare; repeat for more.",
        ),
    ] = None,
    campaign: Annotated[
        Path | None,
        typer.Option(
            "--campaign",
            metavar="DIR",
            help="A campaign to be followed; without TABLE its own finished runs are shown.",
        ),
    ] = None,
    columns: Annotated[
        Path | None,
        typer.Option(
            "--columns",
            metavar="FILE",
            help="Columns of your own: CSV or Parquet with a column cell_id, hash or module_hash.",
        ),
    ] = None,
    runs: Annotated[
        int | None,
        typer.Option(
            "--runs",
            metavar="N",
            help=f"Runs of each algorithm of --traces: {SERVED_RUNS} by default, "
            f"{WRITTEN_RUNS} with -o.",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="N", help="The port of the address.")
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Open no browser.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write the page as a folder of files for any web host, and serve nothing.",
        ),
    ] = None,
) -> None:
    """Look at a table in a browser: every cell a point, filters, neighbours, searches.

    The page is served to this machine alone, and needs no network. Ctrl-C ends it.
    """
    from nb101.explore.bundle import bundle_files

    if output == Path("-"):
        raise ArgumentError("a site is a folder of files: name it, -o DIR", field="output")
    if output is not None and port is not None:
        raise ArgumentError("--port is for a page that is served, not with -o", field="port")
    if port is not None:
        check_range("--port", port, 1, 65535)
    if runs is not None:
        check_whole("--runs", runs)
    bundle_files()
    followed = None if campaign is None else _open_campaign(campaign)
    shown, about = _open(table, followed)
    check_size(shown)
    most = runs or (SERVED_RUNS if output is None else WRITTEN_RUNS)
    folders = _open_traces(traces or [], shown, most)
    listed = columns_of(shown)
    if columns is not None:
        listed = listed.with_own(_read_own(columns, shown))
    if not has_accuracies(listed):
        first = start(listed)
        x, y = (listed[first[axis]].title for axis in "xy")
        note(f"the table has no accuracies: the map begins with {y} against {x}")
    given: dict[str, Any] = {"traces": folders, "campaign": followed}
    if output is None:
        _serve(listed, about, port, not no_open, given)
    else:
        _write(output, listed, about, given)


def _open_campaign(folder: Path) -> "LiveCampaign":
    from nb101.explore.live import LiveCampaign

    return LiveCampaign(folder)


def _open(name: str | None, campaign: "LiveCampaign | None") -> tuple[Table, About]:
    """Open the table of the arguments: that of the campaign's own runs, if none is named."""
    if campaign is not None and name is None:
        with plain_warnings():
            own = campaign.table()
        if own is not None:
            return own, campaign.about()
        default = open_table(None)
        if default.space != campaign.space:
            raise CampaignError(
                f"no run of {campaign.folder} has finished yet, and its cells are not of the "
                "default table's space: name a TABLE",
                path=campaign.folder,
            )
        return default, describe(default)
    opened = open_table(name)
    return opened, describe(opened, name)


def _open_traces(folders: list[Path], table: Table, runs: int) -> "list[TraceFolder]":
    if not folders:
        return []
    from nb101.explore.traces import TraceFolder

    return [TraceFolder(path, table, runs, number) for number, path in enumerate(folders)]


def _read_own(path: Path, table: Table) -> Mapping[str, Any]:
    from nb101.explore.own import read_columns

    found = read_columns(path, table)
    if found.skipped:
        note(f"{path}: no numbers, and left out: {', '.join(found.skipped)}")
    if found.elsewhere:
        note(f"{path}: {counted(found.elsewhere, 'row')} of cells that the table does not have")
    return found.columns


def _write(output: Path, columns: Columns, about: About, given: dict[str, Any]) -> None:
    from nb101.explore import site

    with interrupted("nothing was written"):
        written = site.write(output, columns, about, **given)
    print_line(f"{written.page}  {counted(written.files, 'file')}, {file_size(written.size)}")


def _serve(
    columns: Columns, about: About, port: int | None, with_browser: bool, given: dict[str, Any]
) -> None:
    """Serve the page until Ctrl-C."""
    from nb101.explore.content import Content
    from nb101.explore.server import Server

    content = Content(columns, about, **given)
    with Server(content.get, port) as server:
        print(server.address, flush=True)
        note("Ctrl-C ends it")
        # While the browser starts.
        threading.Thread(target=content.prepare, daemon=True).start()
        if with_browser:
            threading.Thread(target=_open_browser, args=(server.address,), daemon=True).start()
        server.serve_forever()


def _open_browser(address: str) -> None:
    """Open a browser of windows; one in the terminal would take it from the server."""
    import webbrowser

    try:
        browser = webbrowser.get()
        in_terminal = type(browser) is webbrowser.GenericBrowser
        opened = not in_terminal and browser.open(address)
    except (webbrowser.Error, OSError):
        opened = False
    if not opened:
        note(f"there is no browser to open: open {address} in one")
