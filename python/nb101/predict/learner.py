"""What learns: ensembles of small neural networks over the structural features of cells.

scikit-learn fits the networks. What comes out are plain arrays, so that they can be kept without
pickle, and be applied with NumPy alone.
"""

import importlib
import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from nb101._base.checks import check_whole
from nb101._base.lazy import lock_of
from nb101._base.progress import Progress
from nb101._base.runtime import get_threads
from nb101.errors import ArgumentError, ArgumentTypeError, DatasetError, MissingExtraError

Matrix = npt.NDArray[np.float32]
Layers = tuple[tuple[Matrix, Matrix], ...]

BATCH = 8192
"""Rows that a network is applied to at a time: few enough for the cache."""
MOST_WIDTH = 1 << 14
LIBRARIES = {
    "sklearn.neural_network": "scikit-learn",
    "joblib": "joblib",
    "threadpoolctl": "threadpoolctl",
}
"""What fits networks: modules, and what they are called."""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How an ensemble is fitted.

    The defaults were found by cross-validation on a part of the genuine records that
    ``surrogate-v1`` is made from: see its model card.

    Attributes
    ----------
    networks
        How many are fitted, from different random starts; their mean is the prediction.
    hidden
        Widths of the hidden layers, which are rectified linear ones.
    alpha
        Strength of the L2 penalty. Of several, the best is found on a fifth of the cells that is
        held out from those to learn from.
    batch_size
        Cells in a batch.
    schedule
        Learning rates of Adam, and how many times each goes through the cells.
    """

    networks: int = 5
    hidden: tuple[int, ...] = (512, 256)
    alpha: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0)
    batch_size: int = 128
    schedule: tuple[tuple[float, int], ...] = ((1e-3, 16), (3e-4, 8), (1e-4, 6))

    def __post_init__(self) -> None:
        for name in ("networks", "batch_size"):
            check_whole(name, getattr(self, name), 1)
        for name in ("hidden", "alpha", "schedule"):
            value = getattr(self, name)
            if not isinstance(value, tuple) or not value:
                raise ArgumentTypeError(
                    f"{name} must be a tuple that is not empty, not {value!r}", field=name
                )
        for width in self.hidden:
            if check_whole("a width in hidden", width, 1) > MOST_WIDTH:
                raise ArgumentError(
                    f"widths in hidden must be up to {MOST_WIDTH}, not {width}", field="hidden"
                )
        for alpha in self.alpha:
            if not _is_number(alpha) or not 0 <= alpha < np.inf:
                raise ArgumentError(
                    f"alpha must be finite and not negative: {self.alpha}", field="alpha"
                )
        for pair in self.schedule:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise ArgumentTypeError(
                    f"schedule must have pairs of a rate and a number of passes, not {pair!r}",
                    field="schedule",
                )
            rate, passes = pair
            if not _is_number(rate) or not 0 < rate < np.inf:
                raise ArgumentError(
                    f"rates in schedule must be positive and finite, not {rate!r}",
                    field="schedule",
                )
            check_whole("passes in schedule", passes, 1)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Settings":
        """Undo `to_dict`.

        Raises
        ------
        ArgumentError
            If a setting is missing, unknown, or cannot be.
        """
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            raise ArgumentError(f"settings must be {', '.join(sorted(known))}", field="settings")
        given: dict[str, Any] = {
            name: _as_tuples(value) if isinstance(value, (list, tuple)) else value
            for name, value in values.items()
        }
        return cls(**given)


TIME_SETTINGS = Settings(networks=3, hidden=(256, 128), alpha=(0.1,))
"""Training time is an easier thing to learn."""


def _as_tuples(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_as_tuples(x) if isinstance(x, (list, tuple)) else x for x in values)


@dataclass(frozen=True)
class Ensemble:
    """Networks whose outputs are averaged.

    Attributes
    ----------
    centre, scale
        What is taken off each feature, and what it is then multiplied by; shape ``(features,)``.
    networks
        Of each network the weights, shape ``(inputs, outputs)``, and biases of its layers.
    alpha
        The L2 penalty that it was fitted with.
    """

    centre: Matrix
    scale: Matrix
    networks: tuple[Layers, ...]
    alpha: float

    def __call__(self, features: Matrix, progress: Progress | None = None) -> Matrix:
        """Apply it to rows of features; shape ``(n, outputs)``."""
        n = len(features)
        result = np.empty((n, len(self.networks[0][-1][1])), dtype=np.float32)

        def apply(first: int) -> int:
            rows = slice(first, min(first + BATCH, n))
            standard = features[rows] - self.centre
            standard *= self.scale
            total = sum(_apply(layers, standard) for layers in self.networks)
            result[rows] = total / len(self.networks)
            return rows.stop

        with _batches(apply, range(0, n, BATCH)) as ends:
            for end in ends:
                if progress is not None:
                    progress(end, n)
        return result

    def members(self, features: Matrix) -> Matrix:
        """Apply each network alone; shape ``(networks, n, outputs)``."""
        standard = (features - self.centre) * self.scale
        return np.stack([_apply(layers, standard) for layers in self.networks])


def _apply(layers: Layers, rows: Matrix) -> Matrix:
    *hidden, (last, bias) = layers
    for weights, biases in hidden:
        rows = rows @ weights
        rows += biases
        np.maximum(rows, 0, out=rows)
    return rows @ last + bias


@contextmanager
def _batches(apply: Callable[[int], int], firsts: Sequence[int]) -> Iterator[Iterator[int]]:
    """Apply networks to batches, and yield what comes of each, in their order.

    Batches go to threads of which each multiplies alone, where there is threadpoolctl to tell BLAS
    so: threads that share one product wait for each other, and for what lies between products (the
    space by eight networks: 4.8 s, and 9.7 s of CPU; by the threads of BLAS 5.4 s and 11 s). The
    numbers are the same to the last bit, since batches are.
    """
    threads = min(get_threads(), len(firsts))
    try:
        import threadpoolctl  # noqa: F401
    except ModuleNotFoundError:
        threads = 1
    if threads < 2:
        yield map(apply, firsts)
        return
    with _ALONE(), ThreadPoolExecutor(threads) as pool:
        try:
            yield _in(pool, apply, firsts)
        finally:
            # At Ctrl-C the batches that have begun are the last.
            pool.shutdown(wait=False, cancel_futures=True)


def _in(
    pool: ThreadPoolExecutor, apply: Callable[[int], int], firsts: Sequence[int]
) -> Iterator[int]:
    try:
        return pool.map(apply, firsts)
    except RuntimeError:
        # There are no more threads.
        return map(apply, firsts)


class _Alone:
    """Keeps each thread's products of matrices from being shared by the threads of BLAS.

    That is a setting of the process: of calls that overlap, the first one makes it, and the last
    one brings back what was, whichever began first.
    """

    def __init__(self) -> None:
        self._lock = lock_of(self)
        self._calls = 0
        self._before: Any = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        from threadpoolctl import threadpool_limits

        with self._lock:
            if not self._calls:
                self._before = threadpool_limits(1, user_api="blas")
            self._calls += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls -= 1
                if not self._calls:
                    self._before.restore_original_limits()


_ALONE = _Alone()


@dataclass(frozen=True)
class Regression:
    """What an ensemble is fitted to: rows of features, and targets to learn from.

    `score` says how good outputs are, given targets: higher is better; for choosing alpha.
    """

    features: Matrix
    targets: Matrix
    settings: Settings
    seed: int
    score: Callable[[Matrix, Matrix], float]


def fit_ensembles(
    problems: Sequence[Regression], *, jobs: int | None = None, progress: Progress | None = None
) -> list[Ensemble]:
    """Fit ensembles, several networks at a time; the same ones whatever `jobs` is.

    Raises
    ------
    MissingExtraError
        If scikit-learn or what it stands on is missing. It is an ImportError.
    """
    _check_library()
    scaled = [_standardised(problem) for problem in problems]
    plans = [_plan_choice(problem) for problem in problems]
    count = sum(map(len, plans)) + sum(problem.settings.networks for problem in problems)
    done = itertools.count(1)

    def report() -> None:
        if progress is not None:
            progress(next(done), count)

    with _workers(jobs) as run:
        trials = run(
            (
                (
                    rows[learn],
                    problem.targets[learn],
                    rows[held],
                    problem.settings,
                    alpha,
                    problem.seed,
                )
                for problem, (_, _, rows), plan in zip(problems, scaled, plans, strict=True)
                for learn, held, alpha in plan
            ),
            report,
        )
        alphas = []
        for problem, plan in zip(problems, plans, strict=True):
            found = [
                problem.score(next(trials)[1], problem.targets[held]) for learn, held, alpha in plan
            ]
            alphas.append(plan[int(np.argmax(found))][2] if plan else problem.settings.alpha[0])
        fitted = run(
            (
                (rows, problem.targets, rows[:0], problem.settings, alpha, problem.seed + i)
                for problem, (_, _, rows), alpha in zip(problems, scaled, alphas, strict=True)
                for i in range(problem.settings.networks)
            ),
            report,
        )
        return [
            Ensemble(
                centre,
                scale,
                tuple(next(fitted)[0] for _ in range(problem.settings.networks)),
                alpha,
            )
            for problem, (centre, scale, _), alpha in zip(problems, scaled, alphas, strict=True)
        ]


def _standardised(problem: Regression) -> tuple[Matrix, Matrix, Matrix]:
    centre = problem.features.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = problem.features.std(axis=0, dtype=np.float64)
    # A feature that never differs says nothing.
    scale = np.where(spread > 1e-6, 1 / np.maximum(spread, 1e-6), 0).astype(np.float32)
    return centre, scale, (problem.features - centre) * scale


def _plan_choice(problem: Regression) -> list[tuple[Any, Any, float]]:
    """Rows to learn from and rows to score on, for each alpha; nothing if there is no choice."""
    n = len(problem.features)
    if len(problem.settings.alpha) == 1 or n < 10:
        return []
    order = np.random.default_rng(problem.seed).permutation(n)
    held, learn = order[: n // 5], order[n // 5 :]
    return [(learn, held, alpha) for alpha in problem.settings.alpha]


@contextmanager
def _workers(
    jobs: int | None,
) -> Iterator[Callable[[Iterable[Any], Callable[[], object]], Iterator[tuple[Layers, Matrix]]]]:
    """Start processes that fit networks, each with one thread: two of those beat one with two."""
    import joblib

    jobs = get_threads() if jobs is None else check_whole("jobs", jobs, 1)
    with joblib.Parallel(n_jobs=jobs, return_as="generator", max_nbytes="1M") as parallel:
        call = joblib.delayed(_fit_network)

        def run(
            arguments: Iterable[Any], report: Callable[[], object]
        ) -> Iterator[tuple[Layers, Matrix]]:
            results = []
            for result in parallel(call(*given) for given in arguments):
                results.append(result)
                report()
            return iter(results)

        yield run


def _fit_network(
    rows: Matrix, targets: Matrix, others: Matrix, settings: Settings, alpha: float, seed: int
) -> tuple[Layers, Matrix]:
    """Fit one network, and return it with its outputs for other rows."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor
    from threadpoolctl import threadpool_limits

    network = MLPRegressor(
        hidden_layer_sizes=settings.hidden,
        alpha=alpha,
        batch_size=min(settings.batch_size, len(rows)),
        n_iter_no_change=1 << 30,
        warm_start=True,
        random_state=seed,
    )
    with threadpool_limits(1), warnings.catch_warnings():
        # The schedule says how long to go on.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # At Ctrl-C scikit-learn warns, and returns a network that has not learnt all it should.
        warnings.filterwarnings("error", "Training interrupted", UserWarning)
        for rate, passes in settings.schedule:
            network.set_params(learning_rate_init=rate, max_iter=passes)
            try:
                network.fit(rows, targets[:, 0] if targets.shape[1] == 1 else targets)
            except UserWarning as stop:
                raise KeyboardInterrupt from stop
        layers = tuple(
            (weights.astype(np.float32), biases.astype(np.float32))
            for weights, biases in zip(network.coefs_, network.intercepts_, strict=True)
        )
        return layers, _apply(layers, others)


def _check_library() -> None:
    for name, title in LIBRARIES.items():
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            message = f"fitting a predictor needs {title}: pip install 'nb101[predict]'"
            raise MissingExtraError(message, name=name) from error


# To arrays and back


def to_arrays(ensemble: Ensemble, prefix: str) -> dict[str, npt.NDArray[Any]]:
    """Name the arrays of an ensemble."""
    arrays: dict[str, npt.NDArray[Any]] = {
        f"{prefix}/centre": ensemble.centre,
        f"{prefix}/scale": ensemble.scale,
        f"{prefix}/alpha": np.array(ensemble.alpha),
    }
    for i, layers in enumerate(ensemble.networks):
        for j, (weights, biases) in enumerate(layers):
            arrays[f"{prefix}/{i}/{j}/weights"] = weights
            arrays[f"{prefix}/{i}/{j}/biases"] = biases
    return arrays


def from_arrays(
    arrays: Mapping[str, npt.NDArray[Any]], prefix: str, features: int, outputs: int
) -> Ensemble:
    """Undo `to_arrays`.

    Raises
    ------
    DatasetError
        If an array is missing, or does not fit the others.
    """

    def get(name: str, *shape: int | None) -> Any:
        array = arrays.get(f"{prefix}/{name}")
        if (
            array is None
            or array.dtype.kind != "f"
            or array.ndim != len(shape)
            or any(x is not None and x != y for x, y in zip(shape, array.shape, strict=True))
            or max(array.shape, default=0) > MOST_WIDTH
            or not (np.abs(array) <= np.finfo(np.float32).max).all()
        ):
            raise DatasetError(f"array {prefix}/{name} is missing, or not as it should be")
        return array.astype(np.float32)

    centre, scale = get("centre", features), get("scale", features)
    networks: list[Layers] = []
    while f"{prefix}/{len(networks)}/0/weights" in arrays:
        i, width = len(networks), features
        layers: list[tuple[Matrix, Matrix]] = []
        while f"{prefix}/{i}/{len(layers)}/weights" in arrays:
            j = len(layers)
            weights = get(f"{i}/{j}/weights", width, None)
            width = weights.shape[1]
            layers.append((weights, get(f"{i}/{j}/biases", width)))
        if width != outputs:
            raise DatasetError(f"network {prefix}/{i} has {width} outputs and not {outputs}")
        networks.append(tuple(layers))
    if not networks:
        raise DatasetError(f"array {prefix}/0/0/weights is missing")
    return Ensemble(centre, scale, tuple(networks), float(get("alpha")))
