"""Hyperband, and BOHB, which draws its cells from a model: searches that use all budgets."""

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101._base.checks import check_whole
from nb101.search.domain import Domain, Module
from nb101.search.searcher import Sequential, Trial, between, register


@register(
    "hyperband",
    title="Hyperband",
    source="Li et al. 2018 (arXiv 1603.06560); settings of Ying et al. 2019, section 4.3",
    differs="Cells that are not valid are drawn again; in the scripts of the search benchmark they "
    "took a place in a bracket, with accuracy 0. Brackets begin with as many cells as "
    "hpbandster's, which the scripts used: at s = 2 with 9, where Li et al. give 12.",
)
class Hyperband(Sequential):
    """Train many cells briefly, and the best of them longer: successive halving, in brackets.

    Each bracket begins at another budget of the table. A cell that goes on to the next budget is
    trained anew, and pays in full, as in the paper.

    Parameters
    ----------
    domain, rng
        As in `Searcher`.
    eta
        One in so many goes on to the next budget.
    """

    multi_fidelity = True

    def __init__(self, domain: Domain, rng: np.random.Generator, *, eta: int = 3) -> None:
        super().__init__(domain, rng)
        self.eta = check_whole("eta", eta, 2)
        self._brackets: list[_Bracket] = []
        self._begun = 0

    def steps(self) -> Generator[Trial, float, None]:
        """Yield bracket after bracket."""
        budgets, eta = self.domain.budgets, self.eta
        while True:
            for rungs in range(len(budgets), 0, -1):
                # As many as make brackets cost about the same (hpbandster rounds like this).
                count = len(budgets) // rungs * eta ** (rungs - 1)
                alive: list[tuple[float, Module]] = []
                for epochs in budgets[-rungs:]:
                    best = sorted(alive, key=lambda found: found[0], reverse=True)
                    kept = [module for _, module in best[: len(best) // eta]]
                    alive = []
                    for i in range(len(kept) or count):
                        module = kept[i] if kept else self.propose()
                        accuracy = yield Trial(module.cell_id, epochs)
                        self.observe(module, epochs, accuracy)
                        alive.append((accuracy, module))

    def strand(self) -> Generator[Trial, float, None]:
        """Yield one trial: of the oldest bracket that has one, else of another bracket.

        As hpbandster does with several workers: a rung begins when the one before has been told
        whole, and meanwhile the next bracket does.
        """
        budgets, eta = self.domain.budgets, self.eta
        bracket = next((each for each in self._brackets if each.has_trial), None)
        if bracket is None:
            rungs = len(budgets) - self._begun % len(budgets)
            count = len(budgets) // rungs * eta ** (rungs - 1)
            bracket = _Bracket(budgets[-rungs:], count, eta)
            self._begun += 1
            self._brackets.append(bracket)
        place, epochs = bracket.begin()
        module = bracket.kept[place] if bracket.kept else self.propose()
        accuracy = yield Trial(module.cell_id, epochs)
        self.observe(module, epochs, accuracy)
        bracket.end(place, module, accuracy)
        if not bracket.budgets:
            self._brackets.remove(bracket)

    def propose(self) -> Module:
        """Draw a cell for the first rung of a bracket."""
        return self.domain.random(self.rng)

    def observe(self, module: Module, epochs: int, accuracy: float) -> None:
        """Learn of an answer."""


class _Bracket:
    """A bracket whose trials are under way side by side: its rungs from the one there is now."""

    def __init__(self, budgets: Sequence[int], count: int, eta: int) -> None:
        self.budgets = list(budgets)
        self.kept: list[Module] = []
        """What this rung trains; empty in the first one, which draws."""
        self._count, self._eta, self._begun = count, eta, 0
        self._ended: dict[int, tuple[float, Module]] = {}

    @property
    def has_trial(self) -> bool:
        """Whether this rung has a trial that has not been begun."""
        return self._begun < self._count

    def begin(self) -> tuple[int, int]:
        """Take a trial of this rung: its place there, and its epochs."""
        self._begun += 1
        return self._begun - 1, self.budgets[0]

    def end(self, place: int, module: Module, accuracy: float) -> None:
        """Take an answer; the last one of a rung makes the next."""
        self._ended[place] = accuracy, module
        if len(self._ended) < self._count:
            return
        best = sorted(self._ended.items(), key=lambda found: (-found[1][0], found[0]))
        self.kept = [module for _, (_, module) in best[: self._count // self._eta]]
        self._count, self._begun, self._ended = len(self.kept), 0, {}
        del self.budgets[0]


@register(
    "bohb",
    title="BOHB",
    source="Falkner, Klein, Hutter 2018 (arXiv 1807.01774); settings of Ying et al. 2019",
    differs="Written anew, since the authors' library is no longer kept. Proposals that are not "
    "valid are passed over. The bandwidth factor of 3 acts on continuous variables alone, of which "
    "the encoding by adjacency has none. Brackets are those of Hyperband here.",
)
class BOHB(Hyperband):
    """Hyperband whose cells are likelier among the good ones than among the bad.

    Of the largest budget that has enough answers, the best 15 % and the rest, each of more than
    there are variables, give a kernel density estimate over edges and ops (Aitchison and Aitken's
    kernel, bandwidths by the normal reference rule). Candidates are drawn from the former, and the
    one with the highest ratio of the two densities is proposed.

    Parameters
    ----------
    domain, rng, eta
        As in `Hyperband`.
    random_fraction
        Share of proposals that are drawn at random.
    samples
        Candidates of a proposal.
    min_bandwidth
        Bandwidths are at least this.
    top
        Share of the answers that are good.
    """

    def __init__(
        self,
        domain: Domain,
        rng: np.random.Generator,
        *,
        eta: int = 3,
        random_fraction: float = 0.33,
        samples: int = 64,
        min_bandwidth: float = 0.3,
        top: float = 0.15,
    ) -> None:
        super().__init__(domain, rng, eta=eta)
        self.random_fraction = between("random_fraction", random_fraction, 0, 1)
        self.samples = check_whole("samples", samples)
        self.min_bandwidth = between("min_bandwidth", min_bandwidth, 1e-6, 1)
        self.top = between("top", top, 0, 1)
        self._seen: dict[int, tuple[list[npt.NDArray[np.int8]], list[float]]] = {
            epochs: ([], []) for epochs in domain.budgets
        }
        self._model: tuple[tuple[int, int], Density, Density] | None = None

    def observe(self, module: Module, epochs: int, accuracy: float) -> None:
        """Keep an answer for the models."""
        vectors, accuracies = self._seen[epochs]
        vectors.append(self.domain.vector(module))
        accuracies.append(accuracy)

    def propose(self) -> Module:
        """Draw a cell from the model, or at random."""
        enough = [epochs for epochs, (seen, _) in self._seen.items() if self._suffice(len(seen))]
        if not enough or self.rng.random() < self.random_fraction:
            return super().propose()
        return self._best(*self._densities(max(enough)))

    def _good(self, answers: int) -> int:
        return max(len(self.domain.choices) + 1, int(self.top * answers))

    def _suffice(self, answers: int) -> bool:
        return answers - self._good(answers) > len(self.domain.choices)

    def _densities(self, epochs: int) -> "tuple[Density, Density]":
        vectors, accuracies = self._seen[epochs]
        n = len(vectors)
        if self._model is None or self._model[0] != (epochs, n):
            # It serves until this budget, which most trials are below, has more to tell.
            rows = np.array(vectors)[np.argsort(-np.array(accuracies), kind="stable")]
            good = self._good(n)
            choices, least = np.array(self.domain.choices), self.min_bandwidth
            parts = [Density(x, choices, least) for x in (rows[:good], rows[good:])]
            self._model = ((epochs, n), parts[0], parts[1])
        return self._model[1:]

    def _best(self, good: "Density", bad: "Density") -> Module:
        candidates = good.sample(self.samples, self.rng)
        ratios = good.log(candidates) - bad.log(candidates)
        edges, labels = self.domain.modules(candidates)
        for i in np.argsort(-ratios).tolist():
            cell_id = self.domain.find(edges[i], labels[i])
            if cell_id >= 0:
                return Module(edges[i], labels[i], cell_id)
        return super().propose()


class Density:
    """A kernel density estimate over categorical variables.

    Parameters
    ----------
    rows
        Data, shape ``(n, d)``.
    choices
        How many values each variable has, shape ``(d,)``.
    least
        The least bandwidth. One of 0 copies a value; at the most, all values are as likely.
    """

    def __init__(self, rows: npt.NDArray[np.int8], choices: Any, least: float) -> None:
        n, d = rows.shape
        most = 1 - 1 / choices
        self.rows, self.choices = rows, choices
        bandwidth = 1.06 * rows.std(axis=0) * n ** (-1 / (4 + d))
        self.bandwidth = np.minimum(np.maximum(bandwidth, least), most)
        # A variable of one value says nothing, and has a bandwidth of 0.
        other = np.where(choices > 1, self.bandwidth / np.maximum(choices - 1, 1), 1.0)
        with np.errstate(divide="ignore"):
            self._different = np.log(other)
            self._gain = np.where(choices > 1, np.log(1 - self.bandwidth) - self._different, 0.0)
        self._one_hot = _one_hot(rows, choices)

    def sample(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.int8]:
        """Draw vectors as BOHB does: a row of the data, of which some values are drawn anew."""
        rows = self.rows[rng.integers(len(self.rows), size=n)]
        fresh = (rng.random(rows.shape) * self.choices).astype(np.int8)
        return np.where(rng.random(rows.shape) < self.bandwidth, fresh, rows)

    def log(self, vectors: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
        """Return the logarithm of the density at vectors, shape ``(n,)``."""
        gains: Any = _one_hot(vectors, self.choices) * np.repeat(self._gain, self.choices)
        exponents = gains @ self._one_hot.T + self._different.sum()
        highest = exponents.max(axis=1, keepdims=True)
        return np.asarray(highest[:, 0] + np.log(np.exp(exponents - highest).mean(axis=1)))


def _one_hot(rows: npt.NDArray[np.int8], choices: Any) -> npt.NDArray[np.float64]:
    values = np.concatenate([np.arange(count) for count in choices])
    return np.asarray(np.repeat(rows, choices, axis=1) == values, dtype=np.float64)
