"""What stands in for what a test has not: official files, CIFAR-10, clusters, hours.

`install` is called in a process that runs the examples of a document, before any of them. What is
small takes the place of what is large; all that is called is what a reader calls.
"""

import functools
import hashlib
import shutil
import socket
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import nb101
import official

INCEPTION = 359_715
"""The cell that documents show, by its id."""
PROGRAM = """\
import argparse

from nasbench import api

parser = argparse.ArgumentParser()
parser.add_argument("--dataset", default="nasbench_only108.tfrecord")
parser.add_argument("--budget", type=float, default=1e6)
given = parser.parse_args()
nasbench = api.NASBench(given.dataset)
for key in sorted(nasbench.hash_iterator())[:10]:
    fixed, _ = nasbench.get_metrics_from_hash(key)
    nasbench.query(api.ModelSpec(fixed["module_adjacency"], fixed["module_operations"]))
assert 0 < nasbench.get_budget_counters()[0] < given.budget
"""
"""A program that was written for the original."""
CELLS = 10
"""Cells of the official files, but for the Inception-like one, which is in them too."""
IMAGES, SIDE = 256, 8
"""Training images of the image sets: one batch; and their height and width."""
STEPS = 4
"""Steps of a training on them."""


def install(folder: Path, text: str) -> None:
    """Let the examples of this process find all that they ask for.

    Parameters
    ----------
    folder
        The current one, which the user's files are in.
    text
        The examples: what they never name is not imported, for that takes a while.
    """
    _no_network()
    _official_files(folder)
    _quick_searches()
    _served_for_a_moment()
    if "predict" in text:
        _small_predictors()
    if "train" in text or "campaign" in text:
        _images()
        _few_steps()
        _small_networks()
        _done_at_once()
    if "dask" in text or "distributed" in text:
        _local_cluster()
    (folder / "search.py").write_text(PROGRAM)


def _put(place: Any, **named: Any) -> None:
    """Put something in the place of what a module or a class has."""
    for name, value in named.items():
        setattr(place, name, value)


def _no_network() -> None:
    """Refuse connections to other machines, at once and by name."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"an example connects to {address}")
        connect(self, address)

    _put(socket.socket, connect=guarded)


def write_official_files(folder: Path) -> None:
    """Write small official files to a folder, and convert them as if they had been fetched."""
    from nb101 import datasets

    for name, epochs in (("official-108", (108,)), ("official-full", (4, 12, 36, 108))):
        known = datasets.DATASETS[name]
        official.write(folder / known.file, [*range(CELLS), INCEPTION], epochs)
        nb101.convert(folder / known.file, known.path)


def _official_files(folder: Path) -> None:
    """Write them here, and where they are fetched from."""
    from nb101 import datasets

    write_official_files(folder)
    (folder / "server").mkdir()
    for name, known in datasets.DATASETS.items():
        served = Path(shutil.copy(folder / known.file, folder / "server"))
        datasets.DATASETS[name] = replace(
            known,
            url=served.absolute().as_uri(),
            sha256=hashlib.sha256(served.read_bytes()).hexdigest(),
            size=served.stat().st_size,
        )


def _images() -> None:
    """Give a few small images for the sets that can be fetched, and for archives of them."""
    from nb101.train import data

    def small(name: str) -> Any:
        made = data.synthetic(train=IMAGES, validation=64, test=64, size=SIDE)
        parts: dict[str, Any] = {
            part: (split.images, split.labels) for part, split in made.splits.items()
        }
        return data.ImageData(name=name, mean=made.mean, std=made.std, **parts)

    def load(name_or_path: Any, *, verify: bool = True) -> Any:
        return small(Path(name_or_path).name)

    _put(
        data,
        load=load,
        load_cifar10=lambda path, **given: small("CIFAR-10"),
        load_fashion_mnist=lambda path, **given: small("Fashion-MNIST"),
        fetch=lambda name, **given: data.folder_of(name),
    )
    for name in data.ARCHIVES:
        data.folder_of(name).mkdir(parents=True)


def _quick_searches() -> None:
    """Compare two runs instead of hundreds, for a tenth of the time at most."""
    from nb101 import search
    from nb101.search import comparison

    compare = comparison.compare

    @functools.wraps(compare)
    def quick(*args: Any, **given: Any) -> Any:
        given["runs"] = 2
        given["seconds"] = min(given.get("seconds") or 1e5, 1e5)
        return compare(*args, **given)

    _put(comparison, compare=quick)
    _put(search, compare=quick)


def _small_networks() -> None:
    """Build networks of four channels in float32, whatever the recipe; compile none."""
    try:
        import torch

        from nb101.train import network, state
    except ImportError:
        return
    build = network.build_network
    make_shards: Any = vars(state)["make_shards"]

    def small(cell: Any, config: Any, *args: Any) -> Any:
        return build(cell, config.replace(stem_channels=4, cells_per_stack=1), *args)

    def plain(module: Any, config: Any, *args: Any, **given: Any) -> Any:
        return make_shards(module, config.replace(compile="none"), *args, **given)

    _put(network, build_network=small)
    _put(state, make_shards=plain)
    _put(torch, autocast=lambda *args, **given: nullcontext())


def _few_steps() -> None:
    """Train on the small images for a few steps, however many epochs there are."""
    from nb101.train import TrainConfig

    steps = TrainConfig.steps

    def few(self: TrainConfig, images: int) -> int:
        return min(steps(self, images), STEPS if images <= IMAGES else images)

    def stops(self: TrainConfig, images: int) -> tuple[int, int, int]:
        last = self.steps(images)
        return 1, max(1, last // 2), last

    _put(TrainConfig, steps=few, stops=stops)


def _small_predictors() -> None:
    """Fit one small network for a moment, wherever an ensemble is fitted."""
    from nb101.predict import fitting

    plan = fitting._Plan

    def small(observed: Any, seed: int, *settings: Any) -> Any:
        changes: dict[str, Any] = {"networks": 1, "hidden": (8,), "schedule": ((1e-3, 1),)}
        return plan(observed, seed, *(replace(one, **changes, alpha=(0.1,)) for one in settings))

    _put(fitting, _Plan=small)


def _done_at_once() -> None:
    """Make up the results of campaigns; plans, ledgers and tables are as ever."""
    import campaigns
    from nb101.campaign import coordinator

    class Here(Executor):
        """Processes of this machine that there is no need of."""

        def __init__(self, devices: Any) -> None:
            self._executor = campaigns.Scripted()

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return self._executor.submit(fn, *args, **kwargs)

        def kill(self) -> None:
            """There are none."""

    _put(coordinator, LocalProcesses=Here, work=campaigns.work)


def _local_cluster() -> None:
    """Answer at every address of a Dask scheduler, with threads of this process."""
    try:
        import distributed
    except ImportError:
        return
    real: Any = distributed.Client

    @functools.wraps(real, updated=())
    def client(*args: Any, **given: Any) -> Any:
        if args and not isinstance(args[0], str):
            return real(*args, **given)
        return real(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None)

    _put(distributed, Client=client)


def _served_for_a_moment() -> None:
    """Start the server of the explorer and stop it; open no browser, make nothing for it."""
    from nb101.cli import explore
    from nb101.explore.content import Content
    from nb101.explore.server import Server

    _put(Content, prepare=lambda self: None)
    _put(Server, serve_forever=lambda self: None)
    _put(explore, _open_browser=lambda address: None)
