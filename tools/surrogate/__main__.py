"""Makes ``surrogate-v1``, the table that the package carries, from genuine records.

``python -m surrogate fit RECORDS -o PREDICTOR``, with ``tools`` on Python's path, fits a predictor,
and prints what cross-validation finds; ``... report RECORDS PREDICTOR`` prints that again. ``...
pack RECORDS PREDICTOR`` makes the table, and tables and figures of the card. ``make surrogate``
does all.
"""

import argparse
import json
import sys
from pathlib import Path

from nb101.predict import fit, load
from nb101.table import embedded
from surrogate import card
from surrogate.noise import measure_all_noise
from surrogate.pack import pack
from surrogate.records import Records
from surrogate.report import describe


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m surrogate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    fitting = commands.add_parser("fit", help="fit the predictor, and print its errors")
    packing = commands.add_parser("pack", help="make the table, and figures and tables of its card")
    reporting = commands.add_parser("report", help="print the errors of a predictor")
    for command in (fitting, packing, reporting):
        command.add_argument("records", help="folder of the genuine records")
    fitting.add_argument("-o", "--output", required=True, help="the predictor")
    for command in (packing, reporting):
        command.add_argument("predictor", help="what fit wrote")
    packing.add_argument("-o", "--output", default=embedded.PATH, help="the table")
    packing.add_argument("--card", help="the model card")
    packing.add_argument("--figures", help="the folder of its figures")
    given = parser.parse_args(arguments)
    records = Records.read(given.records)
    if given.command == "fit":
        predictor = fit(records.table(), cells=None, progress=_show)
        predictor.save(given.output)
    else:
        predictor = load(given.predictor)
    noise = measure_all_noise(records, predictor)
    if given.command != "pack":
        print(json.dumps(describe(records, predictor, noise), indent=2))
        return 0
    table = pack(records, predictor, noise, given.output)
    print(f"{given.output}: {Path(given.output).stat().st_size:,} bytes, {table!r}")
    if given.card:
        card.fill_in(embedded.report(given.output), given.card)
    if given.figures:
        card.draw(records, predictor, noise, Path(given.figures))
    return 0


def _show(done: int, total: int) -> None:
    print(f"{done} of {total} networks", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
