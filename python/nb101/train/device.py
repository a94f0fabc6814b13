"""The device that a network is trained on: its choice, precision, threads and memory.

For benchmarks, and those who write loops of their own, as much as for the trainer.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

from nb101.errors import NB101Error, TrainingError
from nb101.nn import Network
from nb101.train.config import TrainConfig

_setting_threads = threading.Lock()
"""Held while the number of threads that new threads begin with is another for a moment."""


def find_device(config: TrainConfig) -> torch.device:
    """Return the device of a configuration.

    Raises
    ------
    TrainingError
        If there is no such device, or it lacks the precision asked for.
    """
    name = config.device
    if name == "auto":
        name = "cpu"
        if torch.cuda.is_available():
            name = "cuda"
        elif torch.backends.mps.is_available():
            name = "mps"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise TrainingError(f"device {config.device!r} cannot be used: {reason}") from None
    if config.precision == "tf32" and device.type != "cuda":
        raise TrainingError(
            f"precision tf32 is a matter of CUDA devices, and the device is {device}: take fp32"
        )
    return device


def move(network: Network, device: torch.device) -> Network:
    """Put a network onto a device, in the layout that is fastest there."""
    # On CPU and GPU alike, convolutions are fastest with the channels of a pixel side by side.
    return network.to(device).to(memory_format=torch.channels_last)


def wait_for(device: torch.device) -> None:
    """Wait for what a device has yet to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


# Precision


@contextmanager
def computing(config: TrainConfig, device: torch.device) -> Iterator[None]:
    """Set the precision and determinism of CUDA for a while."""
    if device.type != "cuda":
        yield
        return
    fast = config.precision == "tf32"
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if fast else "highest")
    try:
        with torch.backends.cudnn.flags(
            enabled=True,
            benchmark=not config.deterministic,
            deterministic=config.deterministic,
            allow_tf32=fast,
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def autocast(config: TrainConfig, device: torch.device) -> torch.autocast:
    """Return the context that a network is called in."""
    return torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16")


# Threads


def get_torch_threads() -> int:
    """Return the number of torch's threads, of which each thread has its own.

    A thread takes it over at its first call of torch: this must be that call in threads that others
    train beside.
    """
    with _setting_threads:
        return torch.get_num_threads()


def share_threads(pool: ThreadPoolExecutor, workers: int, threads: int) -> None:
    """Share out the threads of torch among the workers of a pool; those of others stay."""
    # All start, and each has set its own, before it is set for what is started later.
    together = threading.Barrier(workers)

    def set_own() -> None:
        torch.get_num_threads()  # The first call in a thread takes what is set for all.
        torch.set_num_threads(threads // workers)
        together.wait()

    with _setting_threads:
        try:
            for future in [pool.submit(set_own) for _ in range(workers)]:
                future.result()
        finally:
            together.abort()
            torch.set_num_threads(threads)


# Memory


@contextmanager
def memory_errors(config: TrainConfig, device: torch.device) -> Iterator[None]:
    """Say what to lower where memory is short.

    Raises
    ------
    TrainingError
        In place of what torch or Python raises then.
    """
    try:
        yield
    except NB101Error:
        raise
    except (RuntimeError, MemoryError) as error:
        short = ("out of memory", "can't allocate memory", "not enough memory")
        text = str(error).lower()
        if not isinstance(error, MemoryError) and not any(words in text for words in short):
            raise
        ways = "" if config.precision == "bf16" else "take precision='bf16', or "
        if device.type == "cpu" and torch.get_num_threads() > 1:
            ways = "give torch one thread, or "
        raise TrainingError(
            f"out of memory on {device}: {ways}let fewer runs share it; or, for another recipe "
            f"with other results, lower stem_channels ({config.stem_channels}) or batch_size "
            f"({config.batch_size}), or raise bn_shards ({config.bn_shards}), so that fewer images "
            "are passed at a time"
        ) from error
