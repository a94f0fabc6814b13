"""Usage: ``python -m paper [RECORDS]``: record, and the page of the newest record.

RECORDS is the folder of the genuine records; without it their numbers are those of the record
before.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paper.numbers import default_study, of_default_table, of_records
from paper.tables import best_shapes, fill
from surrogate.records import Records

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "benches" / "record"
PAGE = ROOT / "docs" / "paper" / "index.md"


def newest(kind: str) -> dict[str, Any]:
    """Return the newest record of a kind."""
    found: dict[str, Any] = json.loads(max(RECORDS.glob(f"*-{kind}.json")).read_text())
    return found


def page(text: str) -> str:
    """Return the page with the tables of the newest records."""
    return fill(text, newest("paper"), newest("search-10000000-s"))


def main(arguments: list[str]) -> int:
    """Compute, record, and write the page."""
    if arguments and Path(arguments[0]).is_dir():
        measured = of_records(Records.read(arguments[0]))
        measured |= best_shapes(measured)
    else:
        measured = newest("paper")["measured"]
    predicted = of_default_table(default_study())
    predicted |= best_shapes(predicted)
    record = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "sources": {
            "predicted": "surrogate-v1",
            "measured": "20,001 cells of the released data, those with the smallest hashes: a "
            "single run at 4, 12 and 36 epochs, the best of three at 108; means of three runs of "
            "1,204 cells of up to 5 vertices (validation and test accuracy); three runs each of "
            "26 cells (noise)",
        },
        "predicted": predicted,
        "measured": measured,
    }
    path = RECORDS / f"{record['date']}-paper.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    PAGE.write_text(page(PAGE.read_text()))
    print(f"{path.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
