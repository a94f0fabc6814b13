"""What a search algorithm is: something to ask for a trial, and to tell what came of it.

It knows of the benchmark what `Domain` has, and what it is told: never a test accuracy. Where
several objectives are searched for, it is told an array of these in place of validation accuracy.
Algorithms register under a name; `create` makes one.
"""

import importlib
import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from nb101._base.checks import suggest
from nb101._base.extras import importing
from nb101._base.lazy import cached_property
from nb101.errors import (
    ArgumentError,
    ArgumentTypeError,
    SearchError,
    UnknownNameError,
)
from nb101.search.domain import Domain, Ints


class Trial(NamedTuple):
    """A cell to train.

    Attributes
    ----------
    cell_id
        Id of the cell.
    epochs
        For how many epochs.
    """

    cell_id: int
    epochs: int


Floats = npt.NDArray[Any]


class Trials(NamedTuple):
    """Many cells to train, array of shape ``(n,)`` of ids, each for as many epochs.

    For those that are asked for whatever comes of the others: they are answered in one call,
    which takes 0.7 us a cell, and trials one by one 1.1 us.

    Attributes
    ----------
    cell_ids
        Ids, shape ``(n,)``.
    epochs
        For how many epochs, each.
    """

    cell_ids: Ints
    epochs: int


Steps = Generator[Trial | Trials, Any, None]
"""What `Sequential.steps` returns: it yields what to train, and is sent accuracies."""


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
    out_of_order: ClassVar[bool] = False
    """Whether it can be asked again before it is told, and told in any order.

    So it is with several workers.
    """
    several_objectives: ClassVar[bool] = False
    """Whether it can search for several objectives: `Domain.objectives` has their names.

    In place of an accuracy it is told an array of shape ``(d,)`` then, and of `Trials` one of shape
    ``(n, d)``: values of the objectives, of which less is better.
    """
    needs_objectives: ClassVar[bool] = False
    """Whether it cannot search for accuracy alone."""

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

    def ask_ahead(self) -> Trial | None:
        """Return what to train beside the trials that are under way, for a worker that is free.

        Of those that are `out_of_order`. `None` is to wait until one of these has been told, and
        `StopIteration` to begin no more.
        """
        return self.ask()

    def ask_many(self) -> Trial | Trials:
        """Return all that can be asked for now; raise `StopIteration` to end the search."""
        return self.ask()

    def tell_many(self, trials: Trials, accuracies: Floats, seconds: Floats) -> None:
        """Take the validation accuracies of `Trials` that were asked for, and what they cost."""
        # Of several objectives, rows.
        rows = np.asarray(accuracies)
        told = rows.tolist() if rows.ndim == 1 else rows
        for cell_id, each, cost in zip(trials.cell_ids, told, seconds, strict=True):
            self.tell(Trial(int(cell_id), trials.epochs), each, float(cost))

    def close(self) -> None:  # noqa: B027 (most have nothing to give back)
        """Give back what it holds: it is asked no more."""


class Sequential(Searcher):
    """An algorithm that is written down from top to bottom: a generator of trials.

    `steps` yields a trial, and gets its validation accuracy; or it yields `Trials`, and gets an
    array of theirs. With several workers it is many such generators: see `strand`.
    """

    _steps: Steps | None = None
    _next: Trial | Trials | None = None
    _told: tuple[Any, ...] = ()
    """Accuracies of the first of `Trials`, where they are told one by one."""
    _one_by_one: ClassVar[bool] = False
    """Whether a class has a way of its own to be asked or told."""

    def __init_subclass__(cls, **options: Any) -> None:
        """See whether a class has a way of its own to be asked or told."""
        super().__init_subclass__(**options)
        own = vars(cls)
        if "out_of_order" not in own and ("strand" in own or "steps" in own):
            # Steps of one's own are not those of the strands of a class above.
            cls.out_of_order = "strand" in own
        if "several_objectives" not in own and ("strand" in own or "steps" in own):
            cls.several_objectives = False
        cls._one_by_one = cls.ask is not Sequential.ask or cls.tell is not Sequential.tell

    @abstractmethod
    def steps(self) -> Steps:
        """Yield trials; the search ends where they do."""

    def strand(self) -> Steps | None:
        """Return steps to be taken beside those that are under way; `None` to wait for these.

        It is called with several workers, whenever one is free and no strand that was begun has a
        trial that nobody has taken. Each strand is sent the accuracies of what it has yielded, as
        `steps` is, when that has ended; strands share what they have learnt by attributes. An
        algorithm that defines it is `out_of_order`.
        """
        raise SearchError(f"{type(self).__name__} takes one trial at a time")

    def ask(self) -> Trial:
        """Return what to train next; the same until that has been told.

        Raises
        ------
        StopIteration
            If the steps have ended.
        """
        trials = self._pending()
        if type(trials) is Trials:
            return Trial(int(trials.cell_ids[len(self._told)]), trials.epochs)
        return trials  # type: ignore[return-value]

    def tell(self, trial: Trial, accuracy: float, seconds: float) -> None:
        """Go on to the next trial."""
        asked = self._next
        if asked is None or trial != (self.ask() if type(asked) is Trials else asked):
            raise SearchError(f"{trial} was not asked for")
        if type(asked) is Trials:
            self._told += (accuracy,)
            if len(self._told) < len(asked.cell_ids):
                return
            self._send(np.array(self._told))
        else:
            self._send(accuracy)

    def ask_many(self) -> Trial | Trials:
        """Return what the steps have yielded; one trial of it, if some have been told."""
        return self.ask() if self._told or self._one_by_one else self._pending()

    def tell_many(self, trials: Trials, accuracies: Floats, seconds: Floats) -> None:
        """Go on after all that the steps have yielded."""
        if self._steps is None or trials is not self._next or self._told:
            raise SearchError("these trials were not asked for")
        self._send(accuracies)

    @property
    def is_one_by_one(self) -> bool:
        """Whether its class has a way of its own to be asked or told."""
        return self._one_by_one

    @property
    def generator(self) -> Steps | None:
        """The steps that are under way, which may be sent accuracies past `tell`: see `go_on`.

        `None` where a class has a way of its own to be asked or told.
        """
        return None if self._one_by_one or self._told else self._steps

    def go_on(self, asked: Trial | Trials | None) -> None:
        """Say what the generator has yielded last; `None` if it has ended."""
        self._next = asked
        if type(asked) is Trials and not len(asked.cell_ids):
            self._send(np.zeros(0))

    def _pending(self) -> Trial | Trials:
        if self._steps is None:
            self._steps = self.steps()
            self._send(None)
        if self._next is None:
            raise StopIteration
        return self._next

    def _send(self, accuracies: Any) -> None:
        self._told, steps = (), self._steps
        assert steps is not None
        try:
            asked = steps.send(accuracies)
            while type(asked) is Trials and not len(asked.cell_ids):
                asked = steps.send(np.zeros(0))
        except StopIteration:
            asked = None
        self._next = asked

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

    @cached_property
    def options(self) -> Mapping[str, Any]:
        """Its options and their defaults."""
        parameters = inspect.signature(self.searcher).parameters.values()
        return {x.name: x.default for x in parameters if x.kind is x.KEYWORD_ONLY}


REGISTRY: dict[str, Entry] = {}
PARTS = ("baselines", "evolution", "local", "policy", "bandits", "bananas", "libraries", "genetic")
"""Modules that register algorithms, in the order of listings."""

S = TypeVar("S", bound=type[Searcher])


def register(name: str, *, title: str, source: str, differs: str = "") -> Callable[[S], S]:
    """Register an algorithm: a decorator of its class.

    Its keyword-only parameters are its options. A class that is defined again, as in a notebook's
    cell that is run twice, takes the place of the one before.

    Raises
    ------
    SearchError
        If another class has the name.
    """

    def add(searcher: S) -> S:
        if name in REGISTRY and _place(REGISTRY[name].searcher) != _place(searcher):
            raise SearchError(f"a searcher is called {name!r} already: register it by another name")
        REGISTRY[name] = Entry(
            name=name, title=title, source=source, differs=differs, searcher=searcher
        )
        return searcher

    return add


def _place(searcher: type) -> tuple[str, str]:
    """Return where a class is defined."""
    return searcher.__module__, searcher.__qualname__


def find(name: str) -> Entry:
    """Return an algorithm of the registry.

    Raises
    ------
    UnknownNameError
        If there is none of that name; the message has those that there are.
    """
    entries = registry()
    if name not in entries:
        message = f"no searcher is called {name!r}; {suggest(str(name), entries)}"
        raise UnknownNameError(message, field="name")
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
    UnknownNameError
        If there is no such searcher or option.
    ArgumentError
        If an option has a wrong value.
    MissingExtraError
        If a library is missing; the message says what to install.
    """
    return find(name).searcher(domain, rng, **check_options(name, options))


def check_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of an algorithm that are not its defaults, as JSON can hold them.

    Raises
    ------
    UnknownNameError
        If there is no such searcher or option.
    ArgumentTypeError
        If a value is one that JSON cannot hold.
    """
    defaults = find(name).options
    unknown = sorted(set(options) - set(defaults))
    if unknown:
        known = ", ".join(defaults) or "none"
        message = f"{name} has no option {unknown[0]!r}; it has {known}"
        raise UnknownNameError(message, field=unknown[0])
    given = {key: _as_json(key, value) for key, value in options.items()}
    return {key: x for key, x in given.items() if not _is_default(x, defaults[key])}


def fill_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of an algorithm, of which some are given: what it runs with.

    Those of an algorithm that is not registered here are what is given.
    """
    entry = registry().get(name)
    return {**(entry.options if entry is not None else {}), **options}


def _as_json(key: str, value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, default=_item))
    except (TypeError, ValueError, RecursionError):
        message = f"{key} must be what JSON can hold, not {value!r}"
        raise ArgumentTypeError(message, field=key) from None


def _item(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError


def _is_default(value: Any, default: Any) -> bool:
    if isinstance(default, tuple):
        default = list(default)  # JSON has but one kind of list
    # True is 1, too, and whoever takes a number has to see that it is none.
    return bool(value == default) and isinstance(value, bool) == isinstance(default, bool)


def need(module: str, package: str) -> Any:
    """Import what the extra ``search`` brings.

    Raises
    ------
    MissingExtraError
        If it is not installed; the message says what to do.
    """
    with importing("this", module, package, "pip install 'nb101[search]'"):
        return importlib.import_module(module)


def between(name: str, value: Any, low: float, high: float) -> float:
    """Check an option that is a number from `low` to `high`."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, np.number))
        or not low <= value <= high
    ):
        message = f"{name} must be a number from {low:g} to {high:g}, not {value!r}"
        raise ArgumentError(message, field=name)
    return float(value)
