"""What a search algorithm is: something to ask for a trial, and to tell what came of it.

It knows of the benchmark what `Domain` has, and what it is told: never a test accuracy. Algorithms
register under a name; `create` makes one.
"""

import importlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np

from nb101.checks import suggest
from nb101.search.domain import Domain


class Trial(NamedTuple):
    """A cell to train, by its id, and for how many epochs."""

    cell_id: int
    epochs: int


class Searcher(ABC):
    """A search algorithm, asked and told in turn.

    Parameters
    ----------
    domain
        The cells and budgets that it may ask for.
    rng
        Where all its randomness comes from.
    """

    multi_fidelity: ClassVar[bool] = False
    """Whether it uses all budgets, not one."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Packages beside NumPy that its choices depend on."""

    def __init__(self, domain: Domain, rng: np.random.Generator) -> None:
        self.domain = domain
        self.rng = rng

    @property
    def budget(self) -> int:
        """The largest budget: the only one, unless it uses several."""
        return self.domain.budgets[-1]

    @abstractmethod
    def ask(self) -> Trial:
        """Return what to train next; raise `StopIteration` to end the search."""

    @abstractmethod
    def tell(self, trial: Trial, accuracy: float, seconds: float) -> None:
        """Take the validation accuracy of a trial that was asked for, and what it cost."""

    def close(self) -> None:  # noqa: B027 (most have nothing to give back)
        """Give back what it holds: it is asked no more."""


class Sequential(Searcher):
    """An algorithm that is written down from top to bottom: a generator of trials.

    `steps` yields a trial, and gets its validation accuracy.
    """

    _steps: Generator[Trial, float, None] | None = None
    _next: Trial | None = None

    @abstractmethod
    def steps(self) -> Generator[Trial, float, None]:
        """Yield trials; the search ends where they do."""

    def ask(self) -> Trial:
        """Return what to train next; the same until that has been told.

        Raises
        ------
        StopIteration
            If the steps have ended.
        """
        if self._steps is None:
            self._steps = self.steps()
            self._next = next(self._steps)
        if self._next is None:
            raise StopIteration
        return self._next

    def tell(self, trial: Trial, accuracy: float, seconds: float) -> None:
        """Go on to the next trial."""
        if self._steps is None or trial != self._next:
            raise ValueError(f"{trial} was not asked for")
        try:
            self._next = self._steps.send(accuracy)
        except StopIteration:
            self._next = None

    def close(self) -> None:
        """End the generator, and with it what it has open."""
        if self._steps is not None:
            self._steps.close()


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An algorithm of the registry."""

    name: str
    title: str
    source: str
    """Where it was published."""
    differs: str
    """How it differs from the search benchmark of the paper; empty if it does not."""
    searcher: type[Searcher]

    @property
    def options(self) -> Mapping[str, Any]:
        """Its options and their defaults."""
        parameters = inspect.signature(self.searcher).parameters.values()
        return {x.name: x.default for x in parameters if x.kind is x.KEYWORD_ONLY}


REGISTRY: dict[str, Entry] = {}
PARTS = ("baselines", "evolution", "local", "policy", "bandits", "bananas", "libraries")
"""Modules that register algorithms, in the order of listings."""

S = TypeVar("S", bound=type[Searcher])


def register(name: str, *, title: str, source: str, differs: str = "") -> Callable[[S], S]:
    """Register an algorithm: a decorator of its class.

    Its keyword-only parameters are its options.
    """

    def add(searcher: S) -> S:
        if name in REGISTRY and REGISTRY[name].searcher is not searcher:
            raise ValueError(f"a searcher is called {name!r} already")
        REGISTRY[name] = Entry(
            name=name, title=title, source=source, differs=differs, searcher=searcher
        )
        return searcher

    return add


def find(name: str) -> Entry:
    """Return an algorithm of the registry.

    Raises
    ------
    ValueError
        If there is none of that name; the message has those that there are.
    """
    entries = registry()
    if name not in entries:
        raise ValueError(f"no searcher is called {name!r}; {suggest(str(name), entries)}")
    return entries[name]


def registry() -> Mapping[str, Entry]:
    """Return all algorithms by name: those of nb101, and those that were registered."""
    for part in PARTS:
        importlib.import_module(f"nb101.search.{part}")
    return REGISTRY


def create(name: str, domain: Domain, rng: np.random.Generator, **options: Any) -> Searcher:
    """Make a searcher.

    Raises
    ------
    ValueError
        If there is no such searcher or option, or an option has a wrong value.
    ImportError
        If a library is missing; the message says what to install.
    """
    return find(name).searcher(domain, rng, **check_options(name, options))


def check_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of an algorithm that are not its defaults, as JSON can hold them.

    Raises
    ------
    ValueError
        If there is no such searcher or option.
    """
    defaults = find(name).options
    unknown = sorted(set(options) - set(defaults))
    if unknown:
        known = ", ".join(defaults) or "none"
        raise ValueError(f"{name} has no option {unknown[0]!r}; it has {known}")
    plain = {key: x.item() if isinstance(x, np.generic) else x for key, x in options.items()}
    return {key: x for key, x in plain.items() if x != defaults[key] or isinstance(x, bool)}


def need(module: str, package: str) -> Any:
    """Import what the extra ``search`` brings.

    Raises
    ------
    ImportError
        If it is not installed; the message says what to do.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ImportError(f"this needs {package}: pip install 'nb101[search]'") from None


def between(name: str, value: Any, low: float, high: float) -> float:
    """Check an option that is a number from `low` to `high`."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, np.number))
        or not low <= value <= high
    ):
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}")
    return float(value)
