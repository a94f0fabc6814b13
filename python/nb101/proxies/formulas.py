"""Each proxy from what passes through a network give: its formula, and nothing else.

`nb101.proxies.passes` makes what is taken here. Layers are the convolutions and the dense layer.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

K = 1e-5
"""What is added before a logarithm in jacov and epe-nas."""
FEW_CLASSES = 100
"""Classes up to which epe-nas adds up what it has of each, instead of comparing them."""

Floats = npt.NDArray[np.float64]


def l2_norm(weights: Sequence[Tensor]) -> Tensor:
    """``l2-norm``: the sum over layers of ||w|| (Abdelfattah et al. 2021, their code)."""
    return torch.stack([weight.norm() for weight in weights]).sum()


def grad_norm(gradients: Sequence[Tensor]) -> Tensor:
    """``grad-norm``: the sum over layers of ||dL/dw|| (Abdelfattah et al. 2021)."""
    return l2_norm(gradients)


def plain(weights: Sequence[Tensor], gradients: Sequence[Tensor]) -> Tensor:
    """``plain``: the sum of w x dL/dw (Abdelfattah et al. 2021).

    A batch norm takes the scale out of the convolution before it, whose part of the sum is nearly 0
    for that: what is left is the dense layer's.
    """
    return _dot(weights, gradients)


def snip(weights: Sequence[Tensor], gradients: Sequence[Tensor]) -> Tensor:
    """``snip``: the sum of |w x dL/dw| (Lee et al. 2019).

    The paper divides each by the sum of all, which would leave 1; as a score it is the sum.
    """
    return torch.stack([(w * g).abs().sum() for w, g in zip(weights, gradients, strict=True)]).sum()


def grasp(weights: Sequence[Tensor], hessian_gradient: Sequence[Tensor]) -> Tensor:
    """``grasp``: the sum of -(H g) x w (Wang et al. 2020), H g of the loss.

    Temperature 1, as in the code of Abdelfattah et al. and NAS-Bench-Suite-Zero; that of the paper
    has 200, which makes logits small. The sign is that of the paper.
    """
    return -_dot(weights, hessian_gradient)


def fisher(activation: Tensor, gradient: Tensor) -> Tensor:
    """``fisher`` of one layer: Turner et al. 2020, summed over channels.

    A channel has 1/2N times the sum over N images of (the sum over pixels of a x dL/da)^2, with a
    the output of the layer. The code of NAS-Bench-Suite-Zero counts a channel once for each of its
    weights; the paper, and this, once.

    Parameters
    ----------
    activation, gradient
        Shape ``(n, channels, h, w)``, or ``(n, channels)``.
    """
    product = activation * gradient
    of_image = product.sum((2, 3)) if product.ndim == 4 else product
    return of_image.square().mean(0).sum() / 2


def nwot(alike: Floats) -> float:
    """``nwot``: ln |det K| (Mellor et al. 2021).

    Minus infinity where two images have one code.

    Parameters
    ----------
    alike
        K, shape ``(n, n)``: on how many ReLUs images i and j are both on, or both off.
    """
    return float(np.linalg.slogdet(alike)[1])


def jacov(jacobians: Floats) -> float:
    """``jacov``: -sum of ln(v + k) + 1/(v + k) (Mellor et al. 2020, first version).

    v are the eigenvalues of the correlations between rows; NaN where a row is constant.

    Parameters
    ----------
    jacobians
        Derivatives of the sum of logits by an image's pixels, a row an image.
    """
    correlations = _correlations(jacobians)
    if not np.isfinite(correlations).all():
        return float("nan")
    values = np.linalg.eigvalsh(correlations) + K
    # Rounding may leave one that is 0 a little below.
    values = np.maximum(values, np.finfo(float).eps)
    return float(-(np.log(values) + 1 / values).sum())


def epe_nas(jacobians: Floats, labels: npt.NDArray[np.int64], classes: int) -> float:
    """``epe-nas``: Lopes et al. 2021.

    Each class has the sum of ln(|c| + k) over the correlations c between its images' rows. Up to
    100 classes, these sums are added up without their signs; with more, each is divided by its
    number of images, and what is added up is how far classes are from each other, divided by the
    number of classes seen. The code of its authors, which NAS-Bench-Suite-Zero runs, counts each
    two of more than 100 classes twice, which changes no order, and leaves out a class of one image;
    here that has ln(1 + k).

    Parameters
    ----------
    jacobians
        As for `jacov`.
    labels
        Of the images, shape ``(n,)``.
    classes
        Of the network.
    """
    sums = []
    for label in np.unique(labels):
        rows = jacobians[labels == label]
        total = float(np.log(np.abs(_correlations(rows)) + K).sum())
        sums.append(total if classes <= FEW_CLASSES else total / len(rows))
    of_classes = np.array(sums)
    if classes <= FEW_CLASSES:
        return float(np.abs(of_classes).sum())
    return float(np.abs(of_classes[:, None] - of_classes).sum() / 2 / len(of_classes))


def zen(difference: Tensor, variances: Sequence[Tensor]) -> Tensor:
    """``zen``: Lin et al. 2021, algorithm 1.

    The logarithm of the mean over images of ||f(x) - f(x + a e)||, with f the features before
    pooling, plus, for each batch norm, that of the root of the mean of its channels' variances in
    the batch of x. There are no residual links to be removed. The code of its authors, which
    NAS-Bench-Suite-Zero runs, has a sum of magnitudes for the norm, and running variances, which
    begin at 1 and go a tenth of the way to those of each of two batches; this is as the paper has
    it.

    Parameters
    ----------
    difference
        Of the features, shape ``(n, channels, h, w)``.
    variances
        Of each batch norm, shape ``(channels,)``.
    """
    norms: Tensor = torch.linalg.vector_norm(difference.flatten(1), dim=1)
    total = norms.mean().log()
    for variance in variances:
        total = total + variance.mean().log() / 2
    return total


def _dot(one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    products = [(a * b).sum() for a, b in zip(one, other, strict=True)]
    return torch.stack(products).sum()


def _correlations(rows: Floats) -> Floats:
    """Correlations between rows; one with itself is 1 exactly."""
    centered = rows - rows.mean(1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        centered /= np.sqrt((centered * centered).sum(1, keepdims=True))
    found: Floats = centered @ centered.T
    np.fill_diagonal(found, np.where(np.isnan(found.diagonal()), np.nan, 1.0))
    return found
