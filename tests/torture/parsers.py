"""Every parser of Python code, each as a function of bytes, with whole examples to begin from.

What is given is damaged by whoever calls. Seals and checksums are then made to fit, as somebody who
means harm would, so that what lies behind them is reached. A parser may accept or refuse: by an
error of the package, in one printable line. What it accepts must be able to be used.
"""

import binascii
import io
import itertools
import json
import os
import pickle
import random
import struct
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors.torch  # noqa: F401  # What takes much memory comes before that is measured.

import nb101
from campaigns import small_plan
from nb101 import campaign, predict
from nb101._base import fetch, seals, seen
from nb101.campaign import images, ledger, results
from nb101.campaign.folder import RESULTS
from nb101.cli.arguments import parse_module, read_pairs
from nb101.search import Comparison, Trace
from nb101.search.statistics import summarize
from nb101.search.trace import COLUMNS, METADATA
from nb101.space.cell import parse_text
from nb101.table.about import METADATA_KEY, pack_metadata, unpack_metadata
from nb101.train import TrainConfig, cifar_pickle, data, idx, logs, unpack
from resealing import reseal
from torture import damage_records, damage_tables
from torture.mutations import mutate

BINARY = (
    *(b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0" * 8, b"\xff" * 8),
    *(b"\xff" * 7 + b"\x7f", b"PK\x03\x04", b"PAR1", b"ARROW1", b"(", b"t", b"\x85", b"}", b"N"),
)


class WrongError(Exception):
    """What was accepted does not hold."""


@dataclass(frozen=True)
class Parser:
    """A parser: whole examples, and what is done with bytes."""

    examples: Callable[[], list[bytes]]
    parse: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...] = (nb101.NB101Error,)
    """What it may raise."""
    words: tuple[bytes, ...] = BINARY
    """What damage puts in."""


def attempt(name: str, given: bytes) -> tuple[str, str]:
    """Give bytes to a parser: the outcome, and what was said."""
    parser = PARSERS[name]
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            parser.parse(given)
    except parser.allowed as error:
        said = str(error)
        if not said or not said.isprintable():
            return "crash", f"said {said!r}"
        return "refused", said
    except WrongError as error:
        return "wrong", str(error)
    return "unchanged", ""


def draw(name: str, seed: int, i: int) -> bytes:
    """Return an input drawn from a parser's examples."""
    examples = _EXAMPLES.setdefault(name, [])
    if not examples:
        examples += PARSERS[name].examples()
    rng = random.Random(f"{name} {seed} {i}")
    return mutate(rng, rng.choice(examples), PARSERS[name].words)


_EXAMPLES: dict[str, list[bytes]] = {}


def attempt_drawn(trial: tuple[str, int, int]) -> tuple[str, str]:
    """Give a drawn input to a parser: its name, the seed and the number of the input."""
    return attempt(trial[0], draw(*trial))


def demand(holds: bool, what: str) -> None:
    """Say that what was accepted is wrong, if it is."""
    if not holds:
        raise WrongError(what)


@cache
def place() -> Path:
    """Return a folder in memory, where there is one, that goes with this process."""
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    folder = tempfile.TemporaryDirectory(prefix="parsers-", dir=where, ignore_cleanup_errors=True)
    _KEPT.append(folder)
    return Path(folder.name)


_KEPT: list[Any] = []


# Seals and checksums made to fit


def sealed(given: bytes) -> bytes:
    """Make a seal fit, if there is one."""
    try:
        return reseal(given)
    except (nb101.NB101Error, RuntimeError):
        return given


def fit_zip(given: bytes) -> bytes:
    """Make the checksums of entries that are not packed fit, as far as the archive is whole."""
    fitted = bytearray(given)
    with suppress(Exception), zipfile.ZipFile(io.BytesIO(given)) as archive:
        central = archive.start_dir
        for entry in archive.infolist():
            names = struct.unpack_from("<HH", given, entry.header_offset + 26)
            start = entry.header_offset + 30 + sum(names)
            checksum = binascii.crc32(given[start : start + entry.file_size])
            struct.pack_into("<I", fitted, entry.header_offset + 14, checksum)
            struct.pack_into("<I", fitted, central + 16, checksum)
            central += 46 + sum(struct.unpack_from("<HHH", given, central + 28))
    return bytes(fitted)


# Text of cells


def _use_cell(cell: nb101.Cell) -> None:
    again = nb101.Cell(*parse_text(" ".join(cell.to_text())), op_names=cell.op_names)
    demand(again == cell and again.hash == cell.hash, f"{cell!r} comes back as {again!r}")


def _parse_text(given: bytes) -> None:
    _use_cell(nb101.Cell(*parse_text(given.decode(errors="surrogateescape"))))


def _parse_argument(given: bytes) -> None:
    matrix, ops = parse_module(given.decode(errors="surrogateescape"), nb101.OPS)
    _use_cell(nb101.Cell(matrix, ops))


def _parse_pairs(given: bytes) -> None:
    pairs = read_pairs(given.decode(errors="surrogateescape").split("\n"))
    with suppress(ValueError, TypeError):
        TrainConfig.from_dict(pairs)


TEXTS = [
    b"011001000 input,conv3x3-bn-relu,output",
    b"0111010000000100000010000100000000100000010000000 "
    b"input,conv1x1-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,maxpool3x3,output",
]
ARGUMENTS = [
    *TEXTS,
    b"0100 -1,-2",
    b"[[[0, 1], [0, 0]], [-1, -2]]",
    b'{"matrix": [[0, 1, 1], [0, 0, 1], [0, 0, 0]], "ops": ["input", "maxpool3x3", "output"]}',
]
OPS = tuple(op.encode() for op in ("input", *nb101.OPS, "output"))


# Tables


def _space() -> nb101.SearchSpace:
    return nb101.SearchSpace()


def _metadata() -> list[bytes]:
    return [
        pack_metadata(_space(), {"kind": "predicted", "made": [1, None]})[METADATA_KEY],
        pack_metadata(nb101.SearchSpace(3, 3, ["a"]), {}, {"latency": "min"})[METADATA_KEY],
    ]


def _parse_metadata(given: bytes) -> None:
    about = unpack_metadata({METADATA_KEY: given}, "it")
    again = unpack_metadata(pack_metadata(*about), "it")
    # As text, so that NaN is NaN.
    demand(repr(again) == repr(about), f"metadata come back as {again!r}")


def _file(kind: str) -> bytes:
    path = place() / f"whole-{kind}"
    damage_tables.KINDS[kind][0](path)
    return path.read_bytes()


def _plain_parquet(arrow: pa.Table) -> bytes:
    """Write Parquet whose numbers lie open, without checksums."""
    buffer = io.BytesIO()
    settings: dict[str, Any] = {"compression": "none", "use_dictionary": False}
    with pq.ParquetWriter(buffer, arrow.schema, **settings) as writer:
        writer.write_table(arrow)
        writer.add_key_value_metadata({seals.KEY: seals.BLANK})
    return seals.seal_bytes(buffer.getvalue())


def _parse_table(given: bytes, name: str) -> None:
    path = place() / name
    # Another file, since the one before may be mapped.
    path.unlink(missing_ok=True)
    path.write_bytes(sealed(given))
    table = nb101.Table.open(path, verify=True)
    again = path.with_name(f"again-{name}")
    with np.errstate(all="ignore"):
        damage_tables._use(table)
        table.save(again)
    demand(len(nb101.Table.open(again, verify=True)) == len(table), "a copy has other rows")


def _parse_note(given: bytes) -> None:
    path = place() / "note.json"
    path.write_bytes(sealed(given))
    seen._read(path)


# Predictors


@cache
def _predictor() -> dict[str, bytes]:
    """Return the entries of a predictor's archive."""
    with zipfile.ZipFile(io.BytesIO(_file("predictor.npz"))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _array(values: Any) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def _about() -> list[bytes]:
    entry = io.BytesIO(_predictor()["about.npy"])
    return [np.lib.format.read_array(entry).tobytes()]


def _parse_about(given: bytes) -> None:
    entries = _predictor() | {"about.npy": _array(np.frombuffer(given, np.uint8))}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
        archive.comment = seals.BLANK.encode()
    _parse_predictor(buffer.getvalue())


def _parse_predictor(given: bytes) -> None:
    path = place() / "predictor.npz"
    path.write_bytes(sealed(fit_zip(given)))
    opened = predict.load(path)
    with np.errstate(all="ignore"), suppress(nb101.NB101Error):
        opened.table([5, 90])
    repr(opened), opened.report.summary()
    again = place() / "again.npz"
    opened.save(again)
    demand(predict.load(again).targets == opened.targets, "a copy predicts something else")


# Records of campaigns, comparisons and training


@cache
def _record(kind: str) -> Path:
    """Return a folder with a whole file of a kind."""
    folder = place() / f"record-{kind}"
    folder.mkdir()
    damage_records.KINDS[kind].make(folder)
    return folder


def _records(kind: str) -> Callable[[], list[bytes]]:
    return lambda: [(_record(kind) / damage_records.KINDS[kind].name).read_bytes()]


def _parse_record(kind: str) -> Callable[[bytes], object]:
    def parse(given: bytes) -> object:
        folder = _record(kind)
        (folder / damage_records.KINDS[kind].name).write_bytes(sealed(given))
        return damage_records.KINDS[kind].read(folder)

    return parse


def _images() -> list[bytes]:
    _record("images")
    small = data.synthetic(train=3, validation=1, test=1, size=1)
    path = place() / "small.npz"
    images.save_images(small, path)
    return [path.read_bytes()]


def _parse_images(given: bytes) -> None:
    path = place() / "images.npz"
    path.write_bytes(sealed(fit_zip(given)))
    found = images.load_images(path)
    demand(found.checksum == images.load_images(path).checksum, "they are others each time")


@cache
def _whole_trace() -> tuple[Path, Trace, bytes]:
    """Return the file of a trace, what it holds, and its bytes."""
    (path,) = (_record("trace") / "traces" / "random-search").iterdir()
    return path, Trace.open(path), path.read_bytes()


def _traces() -> list[bytes]:
    _, trace, whole = _whole_trace()
    return [whole, _plain_parquet(trace.to_arrow())]


def _parse_trace(given: bytes) -> None:
    path, *_ = _whole_trace()
    path.write_bytes(sealed(given))
    trace = Trace.open(path)
    again = place() / "again.parquet"
    trace.save(again)
    # As bytes, so that NaN is NaN.
    same = [
        getattr(Trace.open(again), name).tobytes() == getattr(trace, name).tobytes()
        for name in COLUMNS
    ]
    demand(all(same), "a trace comes back as another")
    with np.errstate(all="ignore"):
        summarize(Comparison.open(_record("trace"))).to_dict()


def _parse_trace_about(given: bytes) -> None:
    _, trace, _ = _whole_trace()
    _parse_trace(_plain_parquet(trace.to_arrow().replace_schema_metadata({METADATA: given})))


def _trace_about() -> list[bytes]:
    return [json.dumps(dict(_whole_trace()[1].about)).encode()]


@cache
def _campaign() -> tuple[Path, str, list[bytes]]:
    """Return a campaign's folder, its fingerprint, and the texts of its lines."""
    folder = _record("results")
    with ledger.Ledger.read(folder) as whole:
        fingerprint = whole.about["fingerprint"]
    lines = (folder / RESULTS).read_bytes().splitlines(keepends=True)
    return folder, fingerprint, [line.rpartition(results._SUM)[0] + b"}" for line in lines]


def _parse_results(given: bytes) -> None:
    folder, fingerprint, _ = _campaign()
    lines = [results._line(line, fingerprint) for line in given.splitlines() if line]
    (folder / RESULTS).write_bytes(b"".join(lines))
    found = results.Results(folder / RESULTS, fingerprint)
    for run in found.places:
        with suppress(nb101.CampaignError):
            found.read(run)
    campaign.table(folder)
    campaign.status(folder)


def _plans() -> list[bytes]:
    plain, grid = place() / "plain.json", place() / "grid.json"
    damage_records.plan().save(plain)
    small_plan(grid={"learning_rate": (0.1, 0.2)}).save(grid)
    return [plain.read_bytes(), grid.read_bytes()]


def _parse_plan(given: bytes) -> None:
    path = place() / "plan.json"
    path.write_bytes(sealed(given))
    plan = campaign.Plan.load(path)
    repr(plan), list(itertools.islice(plan.runs(), 100))
    again = campaign.Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
    demand(again.fingerprint == plan.fingerprint, "a plan comes back as another")


def _parse_config(given: bytes) -> None:
    try:
        values = json.loads(given)
    except (ValueError, RecursionError):
        return
    if isinstance(values, dict):
        config = TrainConfig.from_dict(values)
        demand(TrainConfig.from_dict(config.to_dict()) == config, "a recipe comes back other")


def _parse_log(given: bytes) -> None:
    path = place() / "log.csv"
    path.write_bytes(given)
    log = logs.CsvLog(path, 2, 5)
    log.close()
    header = path.read_bytes().partition(b"\n")[0]
    demand(header == ",".join(logs.Step._fields).encode(), "the log has no head")


# Images of others


def _pickles() -> list[bytes]:
    pixels = np.arange(2 * 4, dtype=np.uint8).reshape(2, 4)
    return [
        pickle.dumps({"labels": [1, 2], "data": pixels}, 2),
        pickle.dumps({"labels": [1, 2], "data": pixels}, 4),
        pickle.dumps({"batch_label": "x", "labels": [3, 1 << 40], "data": pixels.T, "n": None}, 2),
    ]


def _parse_pickle(given: bytes) -> None:
    _check_plain(cifar_pickle.read_pickle(given))


def _check_plain(value: Any) -> None:
    """See that nothing else came out: neither names nor calls."""
    left, steps = [value], 0
    while left and steps < 100_000:
        one = left.pop()
        steps += 1
        if isinstance(one, dict):
            left += [*one, *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            left += one
        else:
            # A name alone, which is a text, is no harm.
            good = one is None or isinstance(one, int | float | str | bytes | np.ndarray)
            demand(good, f"a pickle gave a {type(one).__name__}")


def _parse_idx(given: bytes) -> None:
    path = place() / "idx"
    path.write_bytes(given)
    dimensions = given[3] if len(given) > 3 and given[3] in (1, 3) else 1
    found = idx.read_idx(path, dimensions)
    demand(found.ndim == dimensions and found.dtype == np.uint8, "an array of another kind")


def _idx() -> list[bytes]:
    import gzip

    labels = b"\0\0\x08\x01" + struct.pack(">I", 4) + bytes([1, 2, 3, 4])
    pictures = b"\0\0\x08\x03" + struct.pack(">3I", 2, 2, 2) + bytes(8)
    return [labels, pictures, gzip.compress(labels, mtime=0)]


def _parse_archive(given: bytes) -> None:
    path = place() / "images.tar"
    path.write_bytes(given)
    found = unpack.read_files(path, ["data_batch_1", "test_batch"], most=10_000)
    demand(all(len(x) <= 10_000 for x in found.contents.values()), "a file is too large")


def _archives() -> list[bytes]:
    import gzip

    kept = []
    for kind, long in (
        (tarfile.USTAR_FORMAT, 9),
        (tarfile.GNU_FORMAT, 120),
        (tarfile.PAX_FORMAT, 120),
    ):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
            for name in ("cifar-10-batches-py/data_batch_1", "a" * long, "x/test_batch"):
                info = tarfile.TarInfo(name)
                info.size = 20
                archive.addfile(info, io.BytesIO(bytes(20)))
        kept.append(buffer.getvalue())
    return [*kept, gzip.compress(kept[0], mtime=0)]


def _parse_cifar(given: bytes) -> None:
    path = place() / "cifar-10-python.tar"
    path.write_bytes(fit_tar(given))
    found = data.load_cifar10(path, verify=False)
    demand(all(0 <= x.labels.min() <= x.labels.max() < 10 for x in found.splits.values()), "labels")


def _cifar() -> list[bytes]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
            pixels = np.zeros((1, 3072), np.uint8)
            content = pickle.dumps({"labels": [1], "data": pixels}, 2)
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return [buffer.getvalue()]


def fit_tar(given: bytes) -> bytes:
    """Make the checksums of headers fit."""
    fitted = bytearray(given)
    for start in range(0, len(given) - 511, 512):
        if fitted[start + 257 : start + 262] == b"ustar":
            fitted[start + 148 : start + 156] = b" " * 8
            total = sum(fitted[start : start + 512])
            fitted[start + 148 : start + 156] = b"%06o\0 " % total
    return bytes(fitted)


# Downloads


def _parse_part(given: bytes) -> None:
    target = place() / "download"
    notes = target.with_name("download.part.json")
    notes.write_bytes(given)
    fetch._Part(target, "sha256").version("https://x")


WORDS = (b"null", b"NaN", b"Infinity", b"1e999", b"-1", b"[]", b"{}", b'""', b'"\\ud800"')
JSON_WORDS = (*WORDS, b"true", b"9223372036854775808", b"9" * 5000, b"[" * 3000, b'"\\u001b[31m"')

PARSERS: dict[str, Parser] = {
    "text of a cell": Parser(lambda: TEXTS, _parse_text, words=OPS),
    "module of a command": Parser(lambda: ARGUMENTS, _parse_argument, words=(*OPS, *JSON_WORDS)),
    "settings of a command": Parser(
        lambda: [b'epochs=4\nschedule="step"\ndevice=cpu'],
        _parse_pairs,
        # What Typer shows in a line.
        allowed=(ValueError,),
        words=JSON_WORDS,
    ),
    "metadata of a table": Parser(_metadata, _parse_metadata, words=JSON_WORDS),
    "table.arrow": Parser(lambda: [_file("table.arrow")], lambda x: _parse_table(x, "t.arrow")),
    "table.parquet": Parser(
        lambda: [
            _file("table.parquet"),
            _plain_parquet(damage_tables.make_table().to_arrow()),
        ],
        lambda x: _parse_table(x, "t.parquet"),
    ),
    "note of a file": Parser(lambda: [_file("note.json")], _parse_note, words=JSON_WORDS),
    "predictor": Parser(lambda: [_file("predictor.npz")], _parse_predictor),
    "about of a predictor": Parser(_about, _parse_about, words=JSON_WORDS),
    "trace": Parser(_traces, _parse_trace),
    "about of a trace": Parser(_trace_about, _parse_trace_about, words=JSON_WORDS),
    "comparison": Parser(
        _records("manifest"), _parse_record("manifest"), allowed=(ValueError,), words=JSON_WORDS
    ),
    "plan": Parser(_plans, _parse_plan, words=JSON_WORDS),
    "recipe": Parser(
        lambda: [json.dumps(TrainConfig().to_dict()).encode()],
        _parse_config,
        # Those of arguments.
        allowed=(ValueError, TypeError),
        words=JSON_WORDS,
    ),
    "ledger": Parser(_records("ledger"), _parse_record("ledger")),
    "results": Parser(lambda: [b"\n".join(_campaign()[2])], _parse_results, words=JSON_WORDS),
    "session": Parser(
        _records("session"), _parse_record("session"), allowed=(ValueError,), words=JSON_WORDS
    ),
    "checkpoint": Parser(_records("checkpoint"), _parse_record("checkpoint"), words=JSON_WORDS),
    "log of training": Parser(
        lambda: [(",".join(logs.Step._fields) + "\n1,0,0.5,0.5,0.1\n2,7,1,1,1\n").encode()],
        _parse_log,
        words=("²".encode(), b'"', b"\0", b"\r", b"9" * 5000),
    ),
    "images of a campaign": Parser(_images, _parse_images),
    "pickle of images": Parser(_pickles, _parse_pickle),
    "IDX": Parser(_idx, _parse_idx),
    "archive of images": Parser(_archives, lambda given: _parse_archive(fit_tar(given))),
    "CIFAR-10": Parser(_cifar, _parse_cifar),
    "notes of a download": Parser(
        lambda: [b'{"url": "https://x", "version": "1"}'], _parse_part, words=JSON_WORDS
    ),
}
