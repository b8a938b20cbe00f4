"""T2 and SPE of one scan, also where members are missing, and which tags they come from.

z = (value - mean) / scale; scores t = P'z; T2 = sum t^2 / variance (Hotelling 1931);
SPE = |z - P t|^2 (Jackson and Mudholkar 1979, doi 10.1080/00401706.1979.10489779). Where members
are missing, the scores are their conditional mean given the others (Nelson, Taylor, MacGregor 1996,
doi 10.1016/S0169-7439(96)00007-X), and SPE is scaled up by the share of residual variance seen.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats
from domain.pca import PcaModel


class Scan(NamedTuple):
    """t2, spe: of this scan alone. of_t2, of_spe: float64[p], what each tag adds; 0 = missing."""

    t2: float
    spe: float
    of_t2: Floats
    of_spe: Floats


def statistics(model: PcaModel, values: Floats, there: NDArray[np.bool_]) -> Scan:
    """values: float64[p]; there: bool[p], whose values count. At least one must."""
    z = np.where(there, (values - model.mean) / model.scale, 0.0)
    np.clip(z, -1e100, 1e100, out=z)
    scores = model.loadings.T @ z if there.all() else _conditional(model, z, there)
    rest = np.where(there, z - model.loadings @ scores, 0.0)
    of_spe = rest**2
    of_t2 = np.maximum(z * (model.loadings @ (scores / model.variance)), 0.0)
    seen = model.residual[there].sum() / model.residual.sum()
    spe = float(of_spe.sum() / seen) if seen > 0 else 0.0
    return Scan(float((scores**2 / model.variance).sum()), spe, of_t2, of_spe)


def series(model: PcaModel, scans: Floats) -> tuple[Floats, Floats]:
    """T2 and SPE, float64[n] each, of scans without a gap: float64[n, p]."""
    z = (scans - model.mean) / model.scale
    np.clip(z, -1e100, 1e100, out=z)
    scores = z @ model.loadings
    rest = z - scores @ model.loadings.T
    return (scores**2 / model.variance).sum(axis=1), (rest**2).sum(axis=1)


def _conditional(model: PcaModel, z: Floats, there: NDArray[np.bool_]) -> Floats:
    """Scores given the members that are there: variance P' (P variance P' + residual)^-1 z."""
    loadings = model.loadings[there]
    noise = np.maximum(model.residual[there], 1e-9)
    weighted = loadings / noise[:, None]
    inner = np.diag(1 / model.variance) + loadings.T @ weighted
    return np.asarray(np.linalg.solve(inner, weighted.T @ z[there]))


def moving_mean(values: Floats, start: float, clip: float, weight: float) -> Floats:
    """Moving mean of clipped values: float64[n]."""
    out, mean = np.empty(len(values)), start
    for n, value in enumerate(np.minimum(values, clip).tolist()):
        mean += weight * (value - mean)
        out[n] = mean
    return out
