"""Damage to files of images and official records, and bombs: whatever is in a file that is read.

``run(seed, n)`` makes a small whole file of each kind, damages it in `n` ways in all (a bit of each
byte if `n` allows, cuts, holes and noise), and reads what is left in a child with little memory.
After that it reads each of the bombs: files that are small, and would be large or deep.

What an outcome means where a format has no checksum, or none that is known: see `UNCOVERED`.

``python -m torture.damage_images KIND HOW ARGUMENT...`` does one damage again, in this process, and
``python -m torture.damage_images bomb NAME`` reads one bomb.
"""

import functools
import gzip
import hashlib
import io
import itertools
import json
import pickle
import random
import re
import struct
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

import nb101
from nb101._base import fetch, seals
from nb101.campaign.images import load_images, save_images
from nb101.table import official
from nb101.train import cifar_pickle, data, idx
from torture.common import Count, trials

SECONDS = 20.0
MEGABYTES = 700
"""What a child may take beyond what it takes at the beginning."""
_BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")

UNCOVERED = {
    "cifar-other": "another set in the layout of CIFAR-10: no checksum is known",
    "idx": "IDX has no checksum",
    "records": "a file of records that ends with a whole record may have had more",
    "records-going-on": "the same",
}
"""Kinds in which another answer is counted as not covered, and why."""


class Kind(NamedTuple):
    """A kind of file: how a folder with it is made, which file is damaged, how it is read."""

    make: Callable[[Path], None]
    file: str
    read: Callable[[Path], Any]


# Images


def _contents(found: Any) -> Any:
    splits = {name: (s.images.tobytes(), s.labels.tolist()) for name, s in found.splits.items()}
    return splits, found.num_classes, found.mean, found.std


def _batch(i: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(i)
    return rng.integers(0, 10, 2), rng.integers(0, 256, (2, 3072), dtype=np.uint8)


def _pickled(i: int, protocol: int) -> bytes:
    labels, pixels = _batch(i)
    names = [f"image_{j}.png" for j in range(len(labels))]
    batch = {"batch_label": "a batch", "labels": labels.tolist(), "data": pixels}
    return pickle.dumps(batch | {"filenames": names}, protocol=protocol)


def _old_pickled(i: int) -> bytes:
    """Return what Python 2 and its NumPy wrote, as the official files are."""
    labels, pixels = _batch(i)

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    return b"".join(
        [
            b"\x80\x02}q\x01(",
            *(text(b"batch_label"), text(b"a batch"), text(b"labels"), b"]q\x02("),
            *(b"K" + bytes([label]) for label in labels.tolist()),
            b"e" + text(b"data"),
            b"cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85U\x01b\x87R",
            *(b"q\x05(K\x01K", bytes([len(pixels)]), b"M\x00\x0c\x86"),
            b"cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87R",
            b"q\x07(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
            *(b"T" + struct.pack("<I", pixels.size), pixels.tobytes(), b"tb"),
            *(text(b"filenames"), b"]q\x08(", text(b"a.png"), text(b"b.png"), b"eu."),
        ]
    )


def _make_old_pickles(folder: Path) -> None:
    for i, name in enumerate(_BATCHES):
        (folder / name).write_bytes(_old_pickled(i))


def _make_pickles(folder: Path, protocol: int = 2) -> None:
    for i, name in enumerate(_BATCHES):
        (folder / name).write_bytes(_pickled(i, protocol))


def _make_binary(folder: Path) -> None:
    for i, name in enumerate(_BATCHES):
        labels, pixels = _batch(i)
        rows = np.concatenate([labels.astype(np.uint8)[:, None], pixels], 1)
        (folder / f"{name}.bin").write_bytes(rows.tobytes())


def _make_tar(folder: Path, packed: bool) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for i, name in enumerate(_BATCHES):
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(_pickled(i, 4))
            tar.addfile(info, io.BytesIO(_pickled(i, 4)))
    whole = content.getvalue()
    (folder / "cifar").write_bytes(gzip.compress(whole, mtime=0) if packed else whole)


def _read_cifar(path: Path, verify: bool = True) -> Any:
    # These images are official here.
    with mock.patch.object(data, "CIFAR10_SHA256", _digests()):
        return _contents(data.load_cifar10(path, verify=verify))


@functools.cache
def _digests() -> tuple[str, ...]:
    return tuple(
        data._cifar_digest(labels, pixels) for labels, pixels in map(_batch, range(len(_BATCHES)))
    )


def _idx(array: Any) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + bytes(array.astype(np.uint8).tobytes())


def _make_idx(folder: Path, ending: str = "") -> None:
    rng = np.random.default_rng(0)
    for part, n in (("train", 12), ("t10k", 4)):
        for name, array in (
            (f"{part}-images-idx3-ubyte", rng.integers(0, 256, (n, 5, 4))),
            (f"{part}-labels-idx1-ubyte", rng.integers(0, 10, n)),
        ):
            content = _idx(array)
            whole = gzip.compress(content, mtime=0) if ending else content
            (folder / f"{name}{ending}").write_bytes(whole)


def _read_idx(folder: Path) -> Any:
    return _contents(data.load_fashion_mnist(folder))


def _make_fetched(folder: Path) -> None:
    (folder / "fashion-mnist").mkdir()
    _make_idx(folder / "fashion-mnist", ".gz")


@functools.cache
def _archives() -> tuple[data.Archive, ...]:
    with tempfile.TemporaryDirectory() as name:
        _make_idx(Path(name), ".gz")
        return tuple(
            data.Archive(file=path.name, url="", md5=hashlib.md5(text).hexdigest(), size=len(text))
            for path in sorted(Path(name).iterdir())
            for text in [path.read_bytes()]
        )


def _read_fetched(folder: Path) -> Any:
    archives = {"fashion-mnist": _archives()}
    with mock.patch.multiple(data, ARCHIVES=archives, folder_of=lambda name: folder / name):
        return _contents(data.load("fashion-mnist"))


def _make_kept(folder: Path) -> None:
    whole = data.synthetic(train=6, validation=4, test=4, size=3)
    save_images(whole, folder / "images.npz")


def _read_kept(folder: Path) -> Any:
    return _contents(load_images(folder / "images.npz"))


def _read_resealed(folder: Path) -> Any:
    """Read what was damaged and has a good seal all the same."""
    path = folder / "images.npz"
    blank = re.sub(rb"nb101-sha256:[0-9a-f]{64}", seals.BLANK.encode(), path.read_bytes())
    try:
        path.write_bytes(seals.seal_bytes(blank))
    except RuntimeError as error:
        raise nb101.NB101Error("no place for a seal") from error
    _read_kept(folder)


# Records and downloads


def _make_records(folder: Path, packed: bool = False) -> None:
    import official as plain

    whole = plain.write(folder / "t.tfrecord", [0, 5], (4, 108))
    if packed:
        (folder / "t.tfrecord").write_bytes(gzip.compress(whole, mtime=0))


def _read_records(folder: Path) -> Any:
    table = official.convert(folder / "t.tfrecord", folder / "t.arrow")
    found = {name: table.column(name).tolist() for name in table.columns if name != "raw"}
    table.save(folder / "again.tfrecord")
    # Encoded again they are the same bytes.
    assert _unpacked(folder / "t.tfrecord") == (folder / "again.tfrecord").read_bytes()
    return found


def _read_most_records(folder: Path) -> Any:
    """Read the records that are whole; where some are not, these must be so and be named."""
    problems: list[official.Problem] = []
    table = official.convert(
        folder / "t.tfrecord",
        folder / "t.arrow",
        keep_going=True,
        on_problem=problems.append,
    )
    if not problems:
        return _rows(table)
    # In the order of the file, and none but those.
    whole = iter(_whole_rows())
    if all(row in whole for row in _rows(table)):
        raise nb101.NB101Error(str(problems[0]))
    return "records that are others"


def _rows(table: nb101.Table) -> list[Any]:
    names = [name for name in table.columns if name not in ("repeat", "record", "raw")]
    order = np.argsort(table.column("record"), kind="stable")
    columns = [table.column(name)[order].tolist() for name in names]
    return list(zip(*columns, strict=True))


@functools.cache
def _whole_rows() -> list[Any]:
    with tempfile.TemporaryDirectory() as name:
        _make_records(Path(name))
        return _rows(official.convert(Path(name) / "t.tfrecord", Path(name) / "t.arrow"))


def _unpacked(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


_DOWNLOAD = random.Random(0).randbytes(3000)


def _make_part(folder: Path) -> None:
    (folder / "source").write_bytes(_DOWNLOAD)
    (folder / "file.part").write_bytes(_DOWNLOAD[:2000])
    notes = {"url": (folder / "source").as_uri(), "version": "1"}
    (folder / "file.part.json").write_text(json.dumps(notes))


def _read_part(folder: Path) -> Any:
    target = folder / "file"
    sha256 = hashlib.sha256(_DOWNLOAD).hexdigest()
    fetch.fetch((folder / "source").as_uri(), target, sha256=sha256, size=len(_DOWNLOAD))
    return target.read_bytes()


KINDS = {
    "cifar": Kind(_make_pickles, "data_batch_2", _read_cifar),
    "cifar-old": Kind(_make_old_pickles, "data_batch_3", _read_cifar),
    "cifar-newer": Kind(lambda folder: _make_pickles(folder, 4), "test_batch", _read_cifar),
    "cifar-other": Kind(
        _make_pickles, "data_batch_5", functools.partial(_read_cifar, verify=False)
    ),
    "cifar-binary": Kind(_make_binary, "data_batch_1.bin", _read_cifar),
    "cifar-tar": Kind(
        lambda folder: _make_tar(folder, False),
        "cifar",
        lambda folder: _read_cifar(folder / "cifar"),
    ),
    # Not verified: that gzip's own checksum is compared must be enough.
    "cifar-archive": Kind(
        lambda folder: _make_tar(folder, True),
        "cifar",
        lambda folder: _read_cifar(folder / "cifar", verify=False),
    ),
    "idx": Kind(_make_idx, "train-images-idx3-ubyte", _read_idx),
    "idx-packed": Kind(
        lambda folder: _make_idx(folder, ".gz"), "train-images-idx3-ubyte.gz", _read_idx
    ),
    "idx-fetched": Kind(_make_fetched, "fashion-mnist/t10k-images-idx3-ubyte.gz", _read_fetched),
    "kept": Kind(_make_kept, "images.npz", _read_kept),
    "kept-resealed": Kind(_make_kept, "images.npz", _read_resealed),
    "records": Kind(_make_records, "t.tfrecord", _read_records),
    "records-packed": Kind(lambda folder: _make_records(folder, True), "t.tfrecord", _read_records),
    "records-going-on": Kind(_make_records, "t.tfrecord", _read_most_records),
    "part": Kind(_make_part, "file.part", _read_part),
    "part-notes": Kind(_make_part, "file.part.json", _read_part),
}


# Damage


def draw(rng: random.Random, size: int, n: int) -> Iterator[list[Any]]:
    """Draw damages to a file of a size: half of them a bit each, of every byte if there may be."""
    flips = rng.sample(range(size), min(size, (n + 1) // 2))
    yield from (["flip", place, rng.randrange(8)] for place in flips)
    for _ in range(n - len(flips)):
        start = rng.randrange(size)
        length = min(rng.choice((1, 2, 4, 8, 64, 512)), size - start)
        yield rng.choice(
            (
                ["cut", start],
                ["drop", start, length],
                ["zero", start, length],
                ["noise", start, length, rng.randrange(1 << 30)],
                ["append", length, rng.randrange(1 << 30)],
                ["repeat", start, length],
            )
        )


def spoil(whole: bytes, damage: list[Any]) -> bytes:
    """Return the bytes of a file after a damage."""
    how, first, *rest = damage
    data = bytearray(whole)
    match how:
        case "flip":
            data[first] ^= 1 << rest[0]
        case "cut":
            del data[first:]
        case "drop":
            del data[first : first + rest[0]]
        case "zero":
            data[first : first + rest[0]] = bytes(rest[0])
        case "noise":
            data[first : first + rest[0]] = random.Random(rest[1]).randbytes(rest[0])
        case "append":
            data += random.Random(rest[0]).randbytes(first)
        case "repeat":
            data[first:first] = data[first : first + rest[0]]
        case _:
            raise ValueError(f"no damage is called {how!r}")
    return bytes(data)


@functools.cache
def _truth(kind: str) -> tuple[bytes, Any]:
    """Return the bytes of the whole file of a kind, and what is read of it."""
    with tempfile.TemporaryDirectory() as name:
        KINDS[kind].make(Path(name))
        whole = (Path(name) / KINDS[kind].file).read_bytes()
        return whole, KINDS[kind].read(Path(name))


def attempt(trial: list[Any]) -> tuple[str, str]:
    """Read a damaged file, or a bomb; return the outcome, and what there is to say of it."""
    kind, *damage = trial
    if kind == "bomb":
        return explode(damage[0])
    whole, truth = _truth(kind)
    damaged = spoil(whole, damage)
    if damaged == whole:
        return "unchanged", "no byte was changed"
    with tempfile.TemporaryDirectory() as name:
        KINDS[kind].make(Path(name))
        (Path(name) / KINDS[kind].file).write_bytes(damaged)
        try:
            found = KINDS[kind].read(Path(name))
        except nb101.NB101Error as error:
            return _refused(error)
    if found == truth:
        # What was fetched in part was damaged, and is whole now.
        return ("repaired" if kind.startswith("part") else "unchanged"), ""
    if kind in UNCOVERED and (not kind.startswith("records") or whole.startswith(damaged)):
        return "uncovered", UNCOVERED[kind]
    return "wrong", "other contents"


def _refused(error: nb101.NB101Error) -> tuple[str, str]:
    message = str(error)
    if not message.isprintable() or len(message) > 2100:
        return "wrong", f"no message of one line: {message[:200]!r}"
    return "refused", message


# Bombs


def _zeros(gigabytes: int, head: bytes = b"") -> bytes:
    """Pack a head and so many gigabytes of zeros in a few megabytes, at once."""
    return _again(bytes(1 << 24), 64 * gigabytes, head)


def _again(content: bytes, times: int, head: bytes = b"") -> bytes:
    """Pack a head and many times the same, at once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * times


def _tar_head(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def _pickle_bomb(text: bytes) -> Callable[[Path], Any]:
    return lambda _: cifar_pickle.read_pickle(text)


def _archive_bomb(head: bytes, verify: bool = False) -> Callable[[Path], Any]:
    def read(path: Path) -> Any:
        path.write_bytes(_zeros(4, head))
        return data.load_cifar10(path, verify=verify)

    return read


def _idx_bomb(*shape: int) -> Callable[[Path], Any]:
    def read(path: Path) -> Any:
        head = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
        path.write_bytes(_zeros(4, head))
        return idx.read_idx(path, len(shape))

    return read


def _record_bomb(text: bytes) -> Callable[[Path], Any]:
    def read(path: Path) -> Any:
        path.write_bytes(_zeros(4, text))
        return official.convert(path, path.with_name("t.arrow"))

    return read


def _frame_head(length: int) -> bytes:
    import official as plain

    head = struct.pack("<Q", length)
    return head + struct.pack("<I", plain.crc32c(head))


def _many_files(path: Path) -> Any:
    path.write_bytes(_again(_tar_head("x", 0) * 1000, 2000))
    return data.load_cifar10(path, verify=False)


def _many_problems(path: Path) -> Any:
    """Read six million records, none of which is whole."""
    path.write_bytes(_again((_frame_head(0) + b"none") * 6000, 1000))
    return official.convert(path, path.with_name("t.arrow"), keep_going=True)


BOMBS: dict[str, Callable[[Path], Any]] = {
    "pickle-nested": _pickle_bomb(b"\x80\x02}N" + b"\x85" * 200_000 + b"Ns."),
    "pickle-lists": _pickle_bomb(b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b"."),
    "pickle-marks": _pickle_bomb(b"(" * 30_000 + b"t" * 30_000),
    "pickle-doubled": _pickle_bomb(b"\x80\x02}N" + b"q\x00h\x00\x86" * 60 + b"Ns."),
    "pickle-cycle": _pickle_bomb(b"\x80\x02]q\x00h\x00a."),
    "pickle-digits": _pickle_bomb(b"I" + b"9" * 3_000_000 + b"\n."),
    "pickle-many": _pickle_bomb(b"\x80\x02" + b"N" * 5_000_000 + b"."),
    "pickle-stack": _pickle_bomb(b"\x80\x02" + b"(" * 20_000_000),
    "pickle-length": _pickle_bomb(b"\x80\x02\x8e" + b"\xff" * 8 + b"."),
    "archive-batch": _archive_bomb(_tar_head("data_batch_1", 1 << 32)),
    "archive-official": _archive_bomb(_tar_head("data_batch_1", 1 << 27), verify=True),
    "archive-other": _archive_bomb(_tar_head("other", 1 << 33)),
    "archive-end": _archive_bomb(b""),
    "archive-name": _archive_bomb(_tar_head("x", 1 << 32, tarfile.GNUTYPE_LONGNAME)),
    "archive-pax": _archive_bomb(_tar_head("x", 1 << 32, tarfile.XHDTYPE)),
    "archive-sparse": _archive_bomb(_tar_head("data_batch_1", 1 << 32, tarfile.GNUTYPE_SPARSE)),
    "archive-files": _many_files,
    "idx-more": _idx_bomb(60_000, 28, 28),
    "idx-large": _idx_bomb(1 << 12, 1 << 10, 1 << 10),
    "idx-none": _idx_bomb(0, 1 << 31, 1 << 31),
    "idx-labels": _idx_bomb((1 << 32) - 1),
    "records-zeros": _record_bomb(b""),
    "records-many": _many_problems,
    "records-long": _record_bomb(_frame_head((1 << 20) + 1)),
    "records-length": _record_bomb(struct.pack("<Q", (1 << 63) - 1)),
}


def explode(name: str) -> tuple[str, str]:
    """Read a bomb, which must be refused."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            BOMBS[name](Path(folder) / "bomb.gz")
        except nb101.NB101Error as error:
            return _refused(error)
    return "wrong", "it was read"


# All of it


def plan(seed: int, n: int) -> Iterator[list[Any]]:
    """Draw `n` damages, shared out among the kinds, and the bombs behind them."""
    rng = random.Random(f"{seed} images")
    kinds = list(KINDS)
    rng.shuffle(kinds)
    for i, kind in enumerate(kinds):
        share = n // len(kinds) + (i < n % len(kinds))
        size = len(_truth(kind)[0])
        yield from ([kind, *damage] for damage in draw(rng, size, share))
    # Fewer of them where few are asked for.
    most = len(BOMBS) if n >= 10 * len(BOMBS) else max(1, n // 10)
    yield from (["bomb", name] for name in rng.sample(sorted(BOMBS), most))


def run(seed: int, n: int) -> dict[str, Any]:
    """Damage files in `n` ways, read bombs, and count what it comes to; see `torture.common`."""
    count = Count()
    each = trials(
        "torture.damage_images:attempt", plan(seed, n), seconds=SECONDS, megabytes=MEGABYTES
    )
    for trial, outcome, message in each:
        count.add(outcome, f"{' '.join(map(str, trial))}: {message}")
    return count.as_dict()


def main() -> None:
    """Do one damage again, or read one bomb."""
    kind, *rest = sys.argv[1:]
    numbers = itertools.chain(rest[:1], map(int, rest[1:]))
    print(*attempt([kind, *numbers]), sep=": ")


if __name__ == "__main__":
    main()
