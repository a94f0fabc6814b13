"""BANANAS: an ensemble of networks predicts accuracy, and says where it is unsure."""

from collections.abc import Collection, Generator

import numpy as np
import numpy.typing as npt

from nb101._base.checks import check_whole
from nb101.encodings import path_encoding
from nb101.predict.learner import Regression, Settings, fit_ensembles
from nb101.search.domain import Domain, Module
from nb101.search.searcher import Sequential, Trial, need, register

Matrix = npt.NDArray[np.float32]

STEPS, BATCH_SIZE = 200, 64
"""About how many batches each network learns from at a time, and of how many cells."""
CEILING = 1.005
"""What accuracies are measured from: their distance from a little over 1, logarithmically."""


@register(
    "bananas",
    title="BANANAS",
    source="White, Neiswanger, Savani 2021 (arXiv 1910.11858)",
    differs="Not in the paper. Scaled to thousands of trainings: the five networks are those of "
    "nb101.predict (two hidden layers in place of ten narrow ones). They learn anew whenever a "
    "tenth more is known, from the best and latest cells; their loss is the squared error of the "
    "logarithm of the distance from the ceiling. Candidates are mutations of the ten best cells, "
    "by one edge or op; naszilla mutates the best one, and the next ones where that gives too few, "
    "by one edge and one op in the mean.",
)
class Bananas(Sequential):
    """Train what independent Thompson sampling picks among mutations of the best cells.

    Parameters
    ----------
    domain, rng
        As in `Searcher`.
    initial
        Random cells that come first.
    batch
        Cells that are picked at a time.
    candidates
        Mutations that are picked from.
    parents
        The best cells so far, of which these are mutations: by one edge or one op.
    networks
        Networks of the ensemble.
    most
        Cells that it learns from, at most.
    """

    libraries = ("scikit-learn",)

    def __init__(
        self,
        domain: Domain,
        rng: np.random.Generator,
        *,
        initial: int = 10,
        batch: int = 10,
        candidates: int = 100,
        parents: int = 10,
        networks: int = 5,
        most: int = 1000,
    ) -> None:
        super().__init__(domain, rng)
        self.initial = check_whole("initial", initial, 2)
        self.batch = check_whole("batch", batch)
        self.candidates = check_whole("candidates", candidates)
        self.parents = check_whole("parents", parents)
        self.networks = check_whole("networks", networks, 2)
        self.most = check_whole("most", most, 2)
        need("sklearn", "scikit-learn")
        self._known: dict[int, tuple[float, Module]] = {}
        self._busy: dict[int, int] = {}
        self._queue: list[Module] = []
        self._begun = self._answers = self._learnt = 0
        self._ensemble: _Ensemble | None = None

    def steps(self) -> Generator[Trial, float, None]:
        """Yield random cells, and then what the ensemble picks."""
        known: dict[int, tuple[float, Module]] = {}
        while len(known) < min(self.initial, len(self.domain)):
            module = self.domain.random(self.rng)
            if module.cell_id not in known:
                accuracy = yield Trial(module.cell_id, self.budget)
                known[module.cell_id] = (accuracy, module)
        answers, learnt, ensemble = len(known), 0, None
        while True:
            if ensemble is None or answers >= max(learnt + self.batch, 1.1 * learnt):
                ensemble, learnt = self._learn(known), answers
            for module in self._pick(known, ensemble):
                accuracy = yield Trial(module.cell_id, self.budget)
                answers += 1
                known[module.cell_id] = (accuracy, module)

    def strand(self) -> Generator[Trial, float, None] | None:
        """Yield one of the initial cells, or of those that were picked last.

        When all of these are begun, the ensemble picks among what is neither known nor under way;
        the first time when all initial cells have been told.
        """
        initial = min(self.initial, len(self.domain))
        if self._begun < initial:
            while True:
                module = self.domain.random(self.rng)
                if module.cell_id not in self._known and module.cell_id not in self._busy:
                    break
        else:
            if len(self._known) < initial:
                return None
            if not self._queue:
                answers, learnt = self._answers, self._learnt
                if self._ensemble is None or answers >= max(learnt + self.batch, 1.1 * learnt):
                    self._ensemble, self._learnt = self._learn(self._known), answers
                self._queue = self._pick(self._known, self._ensemble, self._busy)
            module = self._queue.pop(0)
        self._begun += 1
        return self._train(module)

    def _train(self, module: Module) -> Generator[Trial, float, None]:
        self._busy[module.cell_id] = self._busy.get(module.cell_id, 0) + 1
        accuracy = yield Trial(module.cell_id, self.budget)
        self._busy[module.cell_id] -= 1
        if not self._busy[module.cell_id]:
            del self._busy[module.cell_id]
        self._answers += 1
        self._known[module.cell_id] = accuracy, module

    def _learn(self, known: dict[int, tuple[float, Module]]) -> "_Ensemble":
        ids = np.array(list(known))
        accuracies = np.array([accuracy for accuracy, _ in known.values()])
        if len(ids) > self.most:
            # Half of them are the best, and half the latest of the others.
            best = np.argsort(-accuracies, kind="stable")[: self.most // 2]
            others = np.setdiff1d(np.arange(len(ids)), best)[-(self.most - len(best)) :]
            rows = np.sort(np.concatenate([best, others]))
            ids, accuracies = ids[rows], accuracies[rows]
        return _Ensemble(
            self._features(ids), accuracies, self.networks, int(self.rng.integers(2**31))
        )

    def _pick(
        self,
        known: dict[int, tuple[float, Module]],
        ensemble: "_Ensemble",
        busy: Collection[int] = (),
    ) -> list[Module]:
        best = sorted(known.values(), key=lambda found: found[0], reverse=True)[: self.parents]
        found: dict[int, Module] = {}
        for i in range(10 * self.candidates):
            module = self.domain.mutate(best[i % len(best)][1], self.rng)
            if module.cell_id not in known and module.cell_id not in busy:
                found.setdefault(module.cell_id, module)
            if len(found) == self.candidates:
                break
        if not found:
            # All around is known: look elsewhere.
            return [self.domain.random(self.rng) for _ in range(self.batch)]
        predictions = ensemble(self._features(np.array(list(found))))
        # Of each candidate a draw from the distribution that the networks span.
        spread = predictions.std(axis=0) * self.rng.standard_normal(len(found))
        draws = predictions.mean(axis=0) + spread
        modules = list(found.values())
        return [modules[i] for i in np.argsort(-draws)[: self.batch].tolist()]

    def _features(self, ids: npt.NDArray[np.int64]) -> Matrix:
        space = self.domain.space
        return path_encoding(space[ids], space).astype(np.float32)


class _Ensemble:
    """What was learnt of some cells: a score for each network, higher for better cells."""

    def __init__(
        self, features: Matrix, accuracies: npt.NDArray[np.float64], networks: int, seed: int
    ) -> None:
        scores = -np.log(CEILING - accuracies)
        scores = (scores - scores.mean()) / max(scores.std(), 1e-9)
        settings = Settings(
            networks=networks,
            hidden=(64, 64),
            alpha=(0.01,),
            batch_size=BATCH_SIZE,
            schedule=((0.01, max(1, STEPS // (len(features) // BATCH_SIZE + 1) // 2)),) * 2,
        )
        problem = Regression(
            features, scores[:, np.newaxis].astype(np.float32), settings, seed, _no_score
        )
        (self._ensemble,) = fit_ensembles([problem], jobs=1)

    def __call__(self, features: Matrix) -> Matrix:
        """Predict with each network; shape ``(networks, n)``."""
        return self._ensemble.members(features)[:, :, 0]


def _no_score(outputs: Matrix, targets: Matrix) -> float:
    raise AssertionError("there is one alpha, and nothing to choose")
