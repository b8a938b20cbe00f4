"""What a PCA model makes of the scans that it was learnt from, for people to judge it by."""

from dataclasses import dataclass

import numpy as np

from domain.frame import Floats
from domain.pca import PcaModel, number
from rules.pca_fit import independent
from rules.pca_statistics import moving_mean, series


@dataclass(frozen=True, slots=True, eq=False)
class PcaAccount:
    """scans: whole ones; independent: how many independent ones they are worth. explained: share of
    the variance of each component, falling. alarmed: share of the scans at or above a limit. t2,
    spe: float64[scans], moving means in limits."""

    scans: int
    independent: float
    explained: tuple[float, ...]
    alarmed: float
    t2: Floats
    spe: Floats


def account(model: PcaModel, scans: Floats) -> PcaAccount:
    """scans: float64[n, p] of the model's tags, in order of time; those with a gap are left out."""
    whole = scans[np.isfinite(scans).all(axis=1)]
    weight = number("statistic", "scan")
    of_t2, of_spe = series(model, whole)
    t2 = moving_mean(of_t2, model.t2_mean, model.t2_clip, weight)
    spe = moving_mean(of_spe, model.spe_mean, model.spe_clip, weight)
    over = (t2 >= model.t2_limit) | (spe >= model.spe_limit)
    return PcaAccount(
        len(whole),
        min(independent(t2), independent(spe)),
        tuple((model.variance / len(model.tags)).tolist()),
        float(over.mean()),
        t2 / model.t2_limit,
        spe / model.spe_limit,
    )
