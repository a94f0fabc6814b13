"""The figures of docs/, and the numbers in documents that come from tables and records.

``python -m documents``, which ``make figures`` runs, makes all of them anew; `stale` says which
are older than what they show. What was made of what stands in ``docs/figures/made.json``: SHA-256
of each figure and of its inputs, and the numbers of the default table.

Numbers stand in documents as templates here have them: a sentence, or a row of a table, with names
in braces. Where a template fits, its numbers are written anew; where none fits, somebody changed
the sentence, and has to change it here.
"""

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from nb101.analysis.study import Study

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FIGURES = DOCS / "figures"
RECORDS = ROOT / "benches" / "record"
MADE = FIGURES / "made.json"
ANALYSIS = ROOT / "python" / "nb101" / "analysis"

DRAWN = ("depth", "op-accuracy", "pareto-time", "rwa", "volume")
"""Figures of the default table, by their names in `nb101.analysis.figures`."""
TABLE = ROOT / "python" / "nb101" / "table" / "surrogate-v1.npz"


def newest(pattern: str) -> Path:
    """Return the newest record of a kind; they are named by their dates."""
    return max(RECORDS.glob(pattern))


INPUTS = (
    TABLE,
    *(
        ANALYSIS / f"{name}.py"
        for name in (
            *("common", "correlate", "distributions", "edits"),
            *(f"locality/{name}" for name in ("distance", "graph", "optima", "walks")),
            *("paper", "pareto", "proxies", "shapes", "study"),
        )
    ),
    *sorted((ANALYSIS / "figures").glob("*.py")),
    *(
        path
        for names in ("describe/cost.rs", "describe/shape.rs", "edit/*.rs", "landscape/*.rs")
        for path in sorted((ROOT / "rust" / "core" / "src").glob(names))
    ),
)
"""What the figures and numbers of the default table are made of."""
MADE_ELSEWHERE = {
    "surrogate-agreement.png": (TABLE, "make surrogate"),
    "surrogate-errors.png": (TABLE, "make surrogate"),
    "search-regret.svg": (
        newest("*-search-10000000-s.json"),
        "python benches/search_docs.py",
    ),
    "objectives.svg": (TABLE, "python benches/objectives_docs.py"),
    "workers.svg": (newest("*-workers-searches.json"), "python benches/workers_docs.py"),
    "proxies-genuine.svg": (
        newest("*-proxies-genuine.json"),
        "python benches/proxies_genuine.py",
    ),
}
"""Figures that take what is not here, or hours: what they are of, and what makes them."""


class Statement(NamedTuple):
    """A sentence of a document with numbers."""

    document: str
    template: str
    """With names in braces; line breaks are kept."""
    numbers: dict[str, str]

    def pattern(self) -> re.Pattern[str]:
        """Return what finds it, whatever its numbers are."""
        parts = re.split(r"\{\w+\}", self.template)
        return re.compile("([^|\\n]{1,40}?)".join(map(re.escape, parts)))

    def text(self) -> str:
        """Return it with its numbers."""
        return self.template.format(**self.numbers)


IN_README = (
    "cores ({cpu}, {instructions}), {date},",
    "from a Python call to arrays | {a} s |",
    "estimated from samples | {a} s, {b} times as long |",
    "answer the first query | {a} ms,",
    "`query_many` | {a} µs, {b} million a second |",
    "op replacements of it | {a} s; {b} s |",
    "evolution, random search | {a} s, {b} s |",
)
"""Rows of the table of speed that README has too."""


def sha256(*paths: Path) -> str:
    """Digest files; line ends are those of Unix wherever Git has put others."""
    digest = hashlib.sha256()
    for path in paths:
        data = path.read_bytes()
        text = path.suffix in (".py", ".rs", ".svg", ".json")
        digest.update(data.replace(b"\r\n", b"\n") if text else data)
        digest.update(b"\0")
    return digest.hexdigest()


# Numbers of the default table


def measure(study: "Study") -> dict[str, str]:
    """Compute what documents say of the default table, and of distances."""
    from nb101.analysis.paper import NAMED_CELLS

    peaks = study.peak_volume
    best = NAMED_CELLS["best of the paper"]
    aligned = study.table.cells.alignment_distance(best)
    edits = study.table.cells.edit_distance(best, study.table.space)
    means = {row["kind"]: row["accuracy_mean"] for row in study.op_summary.to_pylist()}
    conv3, conv1, pool = study.table.space.ops
    return {
        "changes": f"{len(study.op_replacement):,}",
        "encodings": f"{peaks.encodings.sum():,}",
        "peak_share": f"{100 * peaks.share_within[6]:.1f}",
        "aligned_within_6": f"{100 * (aligned <= 6).mean():.1f}",
        "aligned_within_7": f"{100 * (aligned <= 7).mean():.1f}",
        "edits_within_2": f"{100 * (edits <= 2).mean():.1f}",
        "edits_within_3": f"{100 * (edits <= 3).mean():.1f}",
        "edits_within_6": f"{100 * (edits <= 6).mean():.4g}",
        "conv3_pool": f"{100 * means[f'{conv3} -> {pool}']:.2f}",
        "conv1_pool": f"{100 * means[f'{conv1} -> {pool}']:.2f}",
        "optima": f"{int((~study.local_optima.isolated).sum()):,}",
        "global_share": f"{100 * study.local_optima.global_share:.1f}",
    }


def statements(numbers: dict[str, str]) -> list[Statement]:
    """Return all sentences with numbers, with those of the default table and those of records."""
    found = [
        Statement("docs/guides/report.md", template, numbers)
        for template in (
            "analysis.op_replacement(table, epochs=108)   # {changes} changes, as arrays",
            "alignment distance of unique cells (no pruning) | {aligned_within_6} % of the cells "
            "({aligned_within_7} % within 7) |",
            "steps in the graph of unique cells | {edits_within_6} % ({edits_within_2} % within 2, "
            "{edits_within_3} % within 3) |",
            "| {encodings} encodings of the 12 best cells of the embedded table, which are "
            "predictions | {peak_share} % of the raw encodings |",
            "That the {peak_share} % of the embedded table come near the paper's",
            "In the embedded table the mean changes are {conv3_pool} points for\nconv 3x3 to "
            "max-pool and {conv1_pool} for conv 1x1 to max-pool,",
        )
    ]
    return [*found, *_speed(), *_proxies()]


# Numbers of records


def _speed() -> Iterable[Statement]:
    """Return the table of what was measured, and those of its rows that README has."""
    path = newest("????-??-??.json")
    record = json.loads(path.read_text())
    rows = {row["name"]: row for row in record["python"]}
    ratios = record["ratios"]
    instructions = {"avx2": "AVX2", "avx512": "AVX-512"}[record["machine"]["instruction_set"]]

    def seconds(name: str, digits: int = 0) -> str:
        return f"{rows[name]['best_seconds']:.{digits}f}"

    def milliseconds(name: str, digits: int = 0) -> str:
        return f"{1e3 * rows[name]['best_seconds']:.{digits}f}"

    def per_second(name: str, unit: float, digits: int = 0) -> str:
        return f"{rows[name]['per_second'] / unit:.{digits}f}"

    def microseconds(name: str, digits: int = 0) -> str:
        return f"{1e6 / rows[name]['per_second']:.{digits}f}"

    lines = (
        (
            "cores ({cpu}, {instructions}), {date},",
            record["machine"]["cpu"],
            instructions,
            record["date"],
        ),
        ("from a Python call to arrays | {a} s |", seconds("enumerate_and_hash", 2)),
        (
            "estimated from samples | {a} s, {b} times as long |",
            seconds("plain_python_enumerate_and_hash"),
            f"{ratios['times_plain_python_enumerate_and_hash']:,.0f}",
        ),
        ("peak that this reaches | {a} % |", f"{100 * ratios['fraction_of_kernel_peak']:.0f}"),
        ("raw 7 x 7 modules | {a} million a second |", per_second("hash_modules", 1e6, 1)),
        ("`space.index` on cells | {a} million a second |", per_second("index_cells", 1e6)),
        (
            "11 edges, {a} MB at most | {b} million a second |",
            f"{rows['stream_large_space']['peak_megabytes']:.0f}",
            per_second("stream_large_space", 1e6),
        ),
        ("counting that space | {a} ms |", milliseconds("count_large_space", 1)),
        ("alignment distance of all cells to one | {a} ms |", milliseconds("alignment_distance")),
        (
            "the first in a space | {a} ms; {b} ms; {c} s |",
            milliseconds("edit_distance"),
            milliseconds("edit_distance_of_a_pair", 2),
            seconds("first_edit_distance", 2),
        ),
        ("`import nb101` | {a} s |", seconds("import", 2)),
        (
            "2.1 GB (full) | {a} MB/s, {b} MB/s; {c} MB of memory at most |",
            per_second("convert_108", 1e6),
            per_second("convert_full", 1e6),
            f"{rows['convert_full']['peak_megabytes']:.0f}",
        ),
        ("plain Python, without checks | {a} MB/s |", per_second("plain_python_read", 1e6)),
        ("answer the first query | {a} ms,", milliseconds("open_and_query")),
        (
            "`query_many` | {a} µs, {b} million a second |",
            microseconds("query", 1),
            per_second("query_many", 1e6),
        ),
        ("`ModelSpec` from lists | {a} µs |", microseconds("api_query")),
        (
            "all cells from it | {a} ms, {b} ms |",
            milliseconds("load_default_table"),
            milliseconds("load_default_table_and_look"),
        ),
        ("predictor of five networks | {a} s |", seconds("predict_the_space")),
        (
            "op replacements of it | {a} s; {b} s |",
            seconds("report"),
            seconds("op_replacement", 1),
        ),
        ("random walks on encodings | {a} s |", seconds("walk_encodings", 2)),
        (
            "evolution, random search | {a} s, {b} s |",
            seconds("search_evolution_500_runs"),
            seconds("search_random_500_runs"),
        ),
        (
            "Inception-like, ResNet-like | {a}, {b} times as fast |",
            f"{ratios['times_plain_loop_inception']:.2f}",
            f"{ratios['times_plain_loop_resnet']:.2f}",
        ),
    )
    for template, *values in lines:
        names = re.findall(r"\{(\w+)\}", template)
        numbers = dict(zip(names, values, strict=True))
        yield Statement("docs/explanation/speed.md", template, numbers)
        if template in IN_README:
            yield Statement("README.md", template, numbers)
    yield Statement(
        "docs/guides/larger-spaces.md",
        "15 ops, is counted in {a} ms on two cores\n(`benches/record/{date}.json`)",
        {"a": milliseconds("count_largest_space"), "date": record["date"]},
    )


def _proxies() -> Iterable[Statement]:
    """Go through the rows of the table of docs/guides/proxies.md, and its head."""
    record = json.loads(newest("*-proxies-genuine.json").read_text())
    document, runs = "docs/guides/proxies.md", record["runs"]
    cells = {name: f"{runs[name]['cells']:,}" for name in ("reduced", "full")}
    yield Statement(document, "reduced, {reduced} cells | full, {full} cells |", cells)
    found: dict[str, dict[str, str]] = {}
    for run in ("reduced", "full"):
        for row in runs[run]["correlations"]:
            if (row["metric"], row["epochs"], row["part"]) == ("validation_accuracy", 108, "all"):
                low, high = row["spearman_95"]
                said = f"{row['spearman']:.2f} ({low:.2f} to {high:.2f})"
                found.setdefault(row["proxy"], {})[run] = said
    magnitudes = record["published_magnitudes"]["spearman"]
    for name, numbers in found.items():
        numbers["published"] = f"{record['published']['spearman'][name]:.2f}"
        numbers["magnitude"] = f"{magnitudes[name]:.2f}" if name in magnitudes else "none"
        template = f"| {name} | {{reduced}} | {{full}} | {{published}} | {{magnitude}} |"
        signs = (("-0.00", "0.00"), ("-", "\N{MINUS SIGN}"))
        for plain, written in signs:
            numbers = {key: text.replace(plain, written) for key, text in numbers.items()}
        yield Statement(document, template, numbers)


# What is stale


def stale() -> list[str]:
    """Say what is older than what it shows; each time in a sentence that says how to mend it."""
    made = json.loads(MADE.read_text())
    found = []
    if made["inputs"] != sha256(*INPUTS):
        found.append("the default table or the analysis of it has changed: make figures")
    for name, digest in made["figures"].items():
        if not (FIGURES / name).exists() or sha256(FIGURES / name) != digest:
            found.append(f"docs/figures/{name} is not what make figures made of it: make figures")
    for name, (source, how) in MADE_ELSEWHERE.items():
        entry = made["elsewhere"][name]
        if entry["of"] != sha256(source):
            found.append(
                f"docs/figures/{name} is older than {source.name}: {how}, then make figures"
            )
        elif entry["figure"] != sha256(FIGURES / name):
            found.append(f"docs/figures/{name} is another one than was told: make figures")
    if (FIGURES / "inception.svg").read_text() != inception():
        found.append("docs/figures/inception.svg is not what is drawn now: make figures")
    for each in statements(made["numbers"]):
        if each.text() not in (ROOT / each.document).read_text():
            found.append(f"{each.document} does not say {each.text()!r}: make figures")
    return found


def inception() -> str:
    """Draw the cell of the README."""
    from nb101.analysis.paper import NAMED_CELLS

    return NAMED_CELLS["Inception-like"].to_svg() + "\n"


# Making all of it anew


def make(say: Callable[[str], object] = print) -> None:
    """Draw all figures, measure all numbers, and write both into the documents."""
    from nb101 import load_table
    from nb101.analysis import figures
    from nb101.analysis.study import Study

    before: dict[str, Any] = json.loads(MADE.read_text()) if MADE.exists() else {"elsewhere": {}}
    study = Study(load_table())
    (FIGURES / "inception.svg").write_text(inception())
    for name in DRAWN:
        figures.save(study, name, FIGURES / f"{name}.svg")
        say(f"docs/figures/{name}.svg")
    numbers = measure(study)
    for each in statements(numbers):
        path = ROOT / each.document
        text = path.read_text()
        if each.text() in text:
            continue
        written, times = each.pattern().subn(each.text().replace("\\", r"\\"), text)
        if times != 1:
            sys.exit(f"{each.document} has {times} places for {each.template!r}")
        path.write_text(written)
        say(f"{each.document}: {each.text()}")
    elsewhere = {}
    for name, (source, how) in MADE_ELSEWHERE.items():
        entry = {"of": sha256(source), "figure": sha256(FIGURES / name)}
        old = before["elsewhere"].get(name, entry)
        if old["of"] != entry["of"] and old["figure"] == entry["figure"]:
            sys.exit(f"docs/figures/{name} is older than {source.name}: {how}")
        elsewhere[name] = entry
    made = {
        "inputs": sha256(*INPUTS),
        "figures": {f"{name}.svg": sha256(FIGURES / f"{name}.svg") for name in DRAWN},
        "elsewhere": elsewhere,
        "numbers": numbers,
    }
    MADE.write_text(json.dumps(made, indent=1) + "\n")
    say("docs/figures/made.json")


# Tables of comparisons


def search_tables() -> Iterable[tuple[str, dict[str, Any], list[list[str]]]]:
    """Go through the tables of docs/guides/search.md that are of a record: name, record, rows."""
    text = (DOCS / "guides" / "search.md").read_text()
    places = list(re.finditer(r"benches/record/([\w.-]+-search-[\w.-]+\.json)", text))
    for place, following in zip(places, [*places[1:], None], strict=True):
        piece = text[place.end() : following.start() if following else len(text)]
        table = re.search(r"\n\|[^\n]*\|\n\|(?:---\|)+\n((?:\|[^\n]*\|\n)+)", piece)
        if table:
            rows = [
                [cell.strip() for cell in row.split("|")[1:-1]] for row in table[1].splitlines()
            ]
            yield place[1], json.loads((RECORDS / place[1]).read_text()), rows


def row_of_search(entry: dict[str, Any]) -> list[str]:
    """Write an algorithm's row of these tables, but for its title."""
    regret, rank = entry["final_regret"], entry["rank"]
    q25, median, q75 = (100 * regret[name] for name in ("q25", "median", "q75"))
    return [
        f"{entry['runs']}",
        f"{entry['queries_median']:,.0f}",
        f"{100 * entry['distinct_median']:.0f} %",
        f"{median:.3f}",
        f"{q25:.3f} to {q75:.3f}",
        f"{rank['mean']:.2f} [{rank['low']:.2f}, {rank['high']:.2f}]",
        f"{100 * entry['better_than_random']:.0f} %",
    ]


if __name__ == "__main__":
    make()
