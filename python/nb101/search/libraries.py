"""TPE and SMAC: searches by libraries that others keep, behind the interface of this package."""

import logging
import math
import tempfile
import warnings
from collections.abc import Generator
from typing import Any

import numpy as np

from nb101._base.checks import check_whole
from nb101.search.domain import Domain
from nb101.search.outside import space_of_variables
from nb101.search.searcher import Sequential, Trial, between, need, register

ATTEMPTS = 10_000
"""Proposals in a row that are no cells before one is drawn at random."""


@register(
    "tpe",
    title="TPE",
    source="Bergstra et al. 2011; Optuna's sampler",
    differs="Optuna in place of Hyperopt, with the latter's settings: 20 random proposals, 24 "
    "candidates, a quarter of the root of the number of trials, at most 25, are good. A proposal "
    "that is no valid cell costs nothing and counts as worse than all cells, as in the paper.",
)
class TPE(Sequential):
    """Tree-structured Parzen estimator over edges and ops, each on its own, by Optuna.

    Parameters
    ----------
    domain, rng
        As in `Searcher`.
    startup
        Random proposals first.
    candidates
        Candidates of a proposal.
    multivariate
        Whether to model variables jointly; several times faster, and not in the paper.
    """

    libraries = ("optuna",)

    def __init__(
        self,
        domain: Domain,
        rng: np.random.Generator,
        *,
        startup: int = 20,
        candidates: int = 24,
        multivariate: bool = False,
    ) -> None:
        super().__init__(domain, rng)
        self.startup = check_whole("startup", startup, 0)
        self.candidates = check_whole("candidates", candidates)
        self.multivariate = bool(multivariate)
        self._optuna = need("optuna", "Optuna")
        self._study: Any = None
        self._distributions: dict[str, Any] = {}

    def steps(self) -> Generator[Trial, float, None]:
        """Yield proposals."""
        while True:
            yield from self.strand()

    def strand(self) -> Generator[Trial, float, None]:
        """Yield a proposal: Optuna takes those that are not told yet for unknown."""
        optuna = self._optuna
        if self._study is None:
            self._study = _quiet_study(optuna, self._sampler())
            self._distributions = {
                name: optuna.distributions.CategoricalDistribution(choices)
                for name, choices in self.domain.variables.items()
            }
        for _ in range(ATTEMPTS):
            trial = self._study.ask(self._distributions)
            module = self.domain.of_values(trial.params)
            if module is not None:
                break
            self._study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            module = self.domain.random(self.rng)
        accuracy = yield Trial(module.cell_id, self.budget)
        self._study.tell(trial, accuracy)

    def _sampler(self) -> Any:
        with warnings.catch_warnings():
            # The joint model is marked as experimental.
            warnings.simplefilter("ignore")
            return self._optuna.samplers.TPESampler(
                n_startup_trials=self.startup,
                n_ei_candidates=self.candidates,
                gamma=_number_of_good,
                multivariate=self.multivariate,
                seed=int(self.rng.integers(2**32)),
            )


@register(
    "smac",
    title="SMAC",
    source="Hutter, Hoos, Leyton-Brown 2011; SMAC3",
    differs="SMAC3 2, whose initial design is Sobol's, whose forest is scikit-learn's, and with "
    "1,000 challengers; each cell is trained once, where the paper's trained promising ones up to "
    "4 times. A proposal that is no valid cell costs nothing and counts as accuracy 0, as in the "
    "paper.",
)
class SMAC(Sequential):
    """Bayesian optimisation with a random forest over edges and ops, by SMAC3.

    Parameters
    ----------
    domain, rng
        As in `Searcher`.
    trees
        Trees of the forest.
    random_fraction
        Share of proposals that are drawn at random.
    initial
        Proposals of the initial design.
    challengers
        Random configurations that each maximization of expected improvement looks at.
    """

    libraries = ("smac", "ConfigSpace", "scikit-learn")

    def __init__(
        self,
        domain: Domain,
        rng: np.random.Generator,
        *,
        trees: int = 10,
        random_fraction: float = 0.33,
        initial: int = 20,
        challengers: int = 1000,
    ) -> None:
        super().__init__(domain, rng)
        self.challengers = check_whole("challengers", challengers)
        self.trees = check_whole("trees", trees)
        self.random_fraction = between("random_fraction", random_fraction, 0, 1)
        self.initial = check_whole("initial", initial)
        self._smac = need("smac", "SMAC3")
        # What it has to say goes to those who listen, and not to stderr.
        logging.getLogger("smac").addHandler(logging.NullHandler())
        self._shared: Any = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._exhausted = False

    def steps(self) -> Generator[Trial, float, None]:
        """Yield proposals."""
        try:
            while True:
                yield from self.strand()
        finally:
            self._clean()

    def strand(self) -> Generator[Trial, float, None]:
        """Yield a proposal; SMAC3 knows which ones are not told yet."""
        from smac.main.exceptions import ConfigurationSpaceExhaustedException
        from smac.runhistory.dataclasses import TrialValue

        if self._shared is None:
            self._folder = tempfile.TemporaryDirectory(prefix="nb101-smac-")
            self._shared = self._facade(self._folder.name)
        facade = self._shared
        for _ in range(ATTEMPTS):
            try:
                if self._exhausted:
                    raise ConfigurationSpaceExhaustedException
                info = facade.ask()
            except ConfigurationSpaceExhaustedException:
                # It has proposed everything that there is, once.
                self._exhausted = True
                yield Trial(self.domain.random(self.rng).cell_id, self.budget)
                return
            module = self.domain.of_values(dict(info.config))
            if module is not None:
                break
            facade.tell(info, TrialValue(cost=1.0), save=False)
        else:
            module = self.domain.random(self.rng)
        accuracy = yield Trial(module.cell_id, self.budget)
        facade.tell(info, TrialValue(cost=1 - accuracy), save=False)

    def close(self) -> None:
        """End the generator, and remove what SMAC3 has written."""
        super().close()
        self._clean()

    def _clean(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def _facade(self, folder: str) -> Any:

        from smac.model.random_forest import RandomForest

        facade = self._smac.HyperparameterOptimizationFacade
        seed = int(self.rng.integers(2**31))
        scenario = self._smac.Scenario(
            space_of_variables("nb101 adjacency", self.domain.variables, seed),
            deterministic=True,
            n_trials=1 << 30,
            output_directory=folder,
            seed=seed,
        )
        unlimited: Any = None
        # The facade's own forest, but for threads, which take longer to start than it has to do,
        # and for a limit of a million leaves, which each tree would set memory aside for.
        forest = RandomForest(
            scenario.configspace,
            log_y=True,
            n_trees=self.trees,
            ratio_features=1.0,
            min_samples_split=2,
            min_samples_leaf=1,
            bootstrapping=True,
            max_leaf_nodes=unlimited,
            n_jobs=1,
            seed=seed,
        )
        return facade(
            scenario,
            _no_function,
            model=forest,
            acquisition_maximizer=_in_order(
                facade.get_acquisition_maximizer(scenario, challengers=self.challengers)
            ),
            initial_design=facade.get_initial_design(
                scenario, n_configs=self.initial, max_ratio=1.0
            ),
            random_design=facade.get_random_design(scenario, probability=self.random_fraction),
            overwrite=True,
            logging_level=False,
        )


def _in_order(maximizer: Any) -> Any:
    """Let local searches start in one order, and not in that of a set of strings' hashes.

    Those differ from process to process, and with them would what a seed gives.
    """
    search = maximizer._local_search
    original = search._get_init_points_from_previous_configs

    def ordered(*arguments: Any, **named: Any) -> list[Any]:
        return sorted(original(*arguments, **named), key=lambda found: found.get_array().tolist())

    search._get_init_points_from_previous_configs = ordered
    return maximizer


def _number_of_good(trials: int) -> int:
    return min(math.ceil(0.25 * math.sqrt(trials)), 25)


def _no_function(config: Any, seed: int = 0) -> float:
    raise AssertionError("SMAC is asked and told, and calls nothing")


def _quiet_study(optuna: Any, sampler: Any) -> Any:
    """Make a study in memory, without a line in the log for it."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(direction="maximize", sampler=sampler)
    finally:
        optuna.logging.set_verbosity(level)
