"""The record of the section, ``benches/record/YYYY-MM-DD-paper.json``: pages are made of it."""

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nb101 import __version__, load_table
from nb101.table.embedded import EMBEDDED, PATH
from paper.numbers import Numbers

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "benches" / "record"
HERE = Path(__file__).parent
SOURCE = (
    "Genuine records of NAS-Bench-101, as other public projects published them, described in "
    "docs/explanation/surrogate.md: real_20001.parquet, means_upto5.parquet, records_26.json; and "
    "retrained_runs.parquet, which is runs of others. Not part of the project; statistics alone."
)


def newest() -> Path:
    """Return the newest record; they are named by their dates."""
    return max(RECORDS.glob("*-paper.json"))


def read() -> Numbers:
    """Return what is in the newest record."""
    found: Numbers = json.loads(newest().read_text("utf-8"))
    return found


def sha256(*paths: Path) -> str:
    """Digest files; line ends are those of Unix wherever Git has put others."""
    digest = hashlib.sha256()
    for path in paths:
        data = path.read_bytes()
        text = path.suffix in (".py", ".svg")
        digest.update(data.replace(b"\r\n", b"\n") if text else data)
        digest.update(b"\0")
    return digest.hexdigest()


def table_of() -> dict[str, str]:
    """Say which table predictions are of."""
    return {"name": EMBEDDED, "sha256": sha256(Path(PATH))}


def searches_of() -> str:
    """Digest what the searches are made by."""
    return sha256(HERE / "searches.py", HERE / "variants.py")


def make(data: Path | None, *, anew: bool = False) -> Path:
    """Compute all numbers, and write them to the record of today.

    Parameters
    ----------
    data
        The folder of the genuine records. Without it measured numbers are those of the newest
        record.
    anew
        Whether to run searches again, which takes some minutes, though neither the table nor what
        they are made by has changed since the newest record.

    Returns
    -------
    The record.
    """
    from paper import measured, predicted

    old: dict[str, Any] = read() if any(RECORDS.glob("*-paper.json")) else {}
    if data is None and "measured" not in old:
        raise SystemExit("no genuine records, and no earlier record that has their numbers")
    table = load_table()
    new = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "nb101": __version__,
        "table": table_of(),
        "source": SOURCE,
        "searches_of": searches_of(),
        "predicted": predicted.describe(table),
        "measured": old["measured"] if data is None else measured.describe(data, table),
    }
    same = all(old.get(key) == new[key] for key in ("table", "searches_of"))
    if same and not anew:
        new["searches"] = old["searches"]
    else:
        from paper import searches

        new["searches"] = searches.describe(table)
    path = RECORDS / f"{new['date']}-paper.json"
    write(path, new)
    return path


def write(path: Path, record: Numbers) -> None:
    """Write a record, a list of numbers to a line."""
    text = json.dumps(record, indent=1)
    flat = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", _on_a_line, text)
    path.write_text(flat + "\n", "utf-8")


def _on_a_line(found: re.Match[str]) -> str:
    numbers = re.sub(r",\s+", ", ", found[1])
    return f"[{numbers}]"
