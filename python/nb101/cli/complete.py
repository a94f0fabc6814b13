"""What the shell completes beside commands and options; imports wait until it asks."""

from collections.abc import Callable, Iterable


def _beginning(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return complete


def _tables() -> Iterable[str]:
    from nb101.datasets import NAMES

    return NAMES


def _datasets() -> Iterable[str]:
    from nb101.datasets import DATASETS

    return DATASETS


def _metrics() -> Iterable[str]:
    from nb101.table.schema import METRICS

    return (*METRICS, "trainable_parameters", "total_time")


def _searchers() -> Iterable[str]:
    from nb101.search import registry

    return registry()


def _figures() -> Iterable[str]:
    from nb101.analysis.figures import FIGURES

    return FIGURES


def _budgets() -> Iterable[str]:
    return ("4", "12", "36", "108")


tables = _beginning(_tables)
datasets = _beginning(_datasets)
metrics = _beginning(_metrics)
searchers = _beginning(_searchers)
figures = _beginning(_figures)
budgets = _beginning(_budgets)
