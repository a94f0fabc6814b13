"""The proxies by name: what each computes, of which passes, and where it was published.

Nothing here needs torch, so that scores can be read and written where there is none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nb101._base.checks import iterated, suggest
from nb101.errors import ArgumentError, ArgumentTypeError, UnknownNameError


@dataclass(frozen=True)
class Proxy:
    """A zero-cost proxy.

    Attributes
    ----------
    name
        As in `NAMES`.
    formula
        What it computes, in words; the function of that name in ``nb101.proxies.formulas`` has it.
    source
        Where it was published.
    passes
        Through the network, on which it rests; proxies that rest on one share it.
    """

    name: str
    formula: str
    source: str
    passes: tuple[str, ...]


_LAYERS = "sum over convolutions and the dense layer"
_LOSS = ("forward", "loss")
PROXIES: Mapping[str, Proxy] = {
    proxy.name: proxy
    for proxy in (
        Proxy(
            "epe-nas",
            "sum over classes of |sum of ln(|c| + 1e-5)|, c the correlations between Jacobians of "
            "images of the class",
            "Lopes, Alirezazadeh, Alexandre, EPE-NAS, ICANN 2021, arXiv 2102.08099",
            ("forward", "jacobian"),
        ),
        Proxy(
            "fisher",
            "sum over channels of outputs of convolutions and the dense layer of half the mean "
            "over images of (sum over pixels of activation x gradient)^2",
            "Turner, Crowley, O'Boyle, Storkey, Gray, BlockSwap, ICLR 2020, arXiv 1906.04113",
            _LOSS,
        ),
        Proxy(
            "flops",
            "multiply-accumulates for an image, as Cell.flops",
            "Ning et al., Evaluating Efficient Performance Estimators of Neural Architectures, "
            "NeurIPS 2021, arXiv 2008.03064",
            (),
        ),
        Proxy(
            "grad-norm",
            f"{_LAYERS} of the norm of the loss's gradient",
            "Abdelfattah, Mehrotra, Dudziak, Lane, Zero-Cost Proxies for Lightweight NAS, ICLR "
            "2021, arXiv 2101.08134",
            _LOSS,
        ),
        Proxy(
            "grasp",
            f"{_LAYERS} of -(H g) x weight, g the loss's gradient, H its Hessian",
            "Wang, Zhang, Grosse, Picking Winning Tickets Before Training by Preserving Gradient "
            "Flow, ICLR 2020, arXiv 2002.07376",
            ("forward", "loss", "hessian"),
        ),
        Proxy(
            "jacov",
            "-sum over eigenvalues v of the correlations between Jacobians of images of "
            "ln(v + 1e-5) + 1 / (v + 1e-5)",
            "Mellor, Turner, Storkey, Crowley, Neural Architecture Search without Training, first "
            "version, arXiv 2006.04647v1",
            ("forward", "jacobian"),
        ),
        Proxy(
            "l2-norm",
            f"{_LAYERS} of the norm of the weights",
            "Abdelfattah, Mehrotra, Dudziak, Lane, Zero-Cost Proxies for Lightweight NAS, ICLR "
            "2021, arXiv 2101.08134",
            (),
        ),
        Proxy(
            "nwot",
            "ln |det K|, K how many ReLUs two images are alike on",
            "Mellor, Turner, Storkey, Crowley, Neural Architecture Search without Training, ICML "
            "2021, arXiv 2006.04647",
            ("forward",),
        ),
        Proxy(
            "params",
            "trainable parameters, as Cell.parameters",
            "Ning et al., Evaluating Efficient Performance Estimators of Neural Architectures, "
            "NeurIPS 2021, arXiv 2008.03064",
            (),
        ),
        Proxy(
            "plain",
            f"{_LAYERS} of weight x gradient",
            "Abdelfattah, Mehrotra, Dudziak, Lane, Zero-Cost Proxies for Lightweight NAS, ICLR "
            "2021, arXiv 2101.08134",
            _LOSS,
        ),
        Proxy(
            "snip",
            f"{_LAYERS} of |weight x gradient|",
            "Lee, Ajanthan, Torr, SNIP, ICLR 2019, arXiv 1810.02340",
            _LOSS,
        ),
        Proxy(
            "synflow",
            f"ln of the {_LAYERS} of weight x gradient of the sum of logits, of an image of ones, "
            "with absolute weights and without batch norm",
            "Tanaka, Kunin, Yamins, Ganguli, Pruning neural networks without any data by "
            "iteratively conserving synaptic flow, NeurIPS 2020, arXiv 2006.05467",
            ("synflow",),
        ),
        Proxy(
            "zen",
            "ln of the mean of ||f(x) - f(x + 0.01 e)|| before pooling, plus the sum over batch "
            "norms of ln of the root of their mean variance",
            "Lin et al., Zen-NAS, ICCV 2021, arXiv 2102.01063",
            ("zen",),
        ),
    )
}
"""The thirteen proxies of NAS-Bench-Suite-Zero, by name."""
NAMES = tuple(PROXIES)


def check_names(names: Any) -> tuple[str, ...]:
    """Return names of proxies: one, some in any order, or all for `None`.

    Raises
    ------
    UnknownNameError
        If there is no such proxy.
    ArgumentTypeError, ArgumentError
        If they are no names, none, or one is there twice.
    """
    if names is None:
        return NAMES
    listed: Iterable[Any] | None = [names] if isinstance(names, str) else iterated(names)
    if listed is None:
        raise ArgumentTypeError(
            f"names must be names of proxies, not {type(names).__name__}", field="names"
        )
    chosen = tuple(listed)
    for name in chosen:
        if not isinstance(name, str):
            raise ArgumentTypeError(
                f"the name of a proxy must be a str, not {type(name).__name__}", field="names"
            )
        if name not in PROXIES:
            raise UnknownNameError(f"no proxy {name!r}: {suggest(name, NAMES)}", field="names")
    if not chosen or len(set(chosen)) < len(chosen):
        raise ArgumentError("names must be one proxy or more, each once", field="names")
    return chosen
