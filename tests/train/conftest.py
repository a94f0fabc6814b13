"""Threads of torch, for tests that are about them."""

from collections.abc import Callable, Iterator

import pytest


@pytest.fixture
def torch_threads() -> Iterator[Callable[[int], None]]:
    """Let a test set the number of torch's threads, and take that back."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)
