"""Learning a `PcaModel` from normal running.

Components: as many as stand out from surrogates (parallel analysis, Horn 1965,
doi 10.1007/BF02289447) whose columns are shifted in time against each other, so that they keep
each tag's own autocorrelation and lose only what tags have in common.

Limits: the training part is cut into blocks of time, and each block is judged by a model of the
others. Of the moving means of T2 and SPE found so, cube roots are taken as normal (Wilson and
Hilferty 1931, doi 10.1073/pnas.17.12.684). The limit is an upper tolerance limit: with the stated
certainty it is passed no more often than wanted, counting as independent only as many scans as the
autocorrelation leaves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.fft import irfft, next_fast_len, rfft

from domain.frame import Floats
from domain.pca import PcaModel, number
from rules.pca_statistics import moving_mean, series

DAY_S = 86_400.0
UNCORRELATED = 0.05
"""Autocorrelation below which it counts as none."""


class FitError(ValueError):
    """The training part cannot teach a model; the text says why."""


@dataclass(frozen=True, slots=True)
class _Limits:
    mean: float
    clip: float
    limit: float


def fit(tags: Sequence[str], scans: Floats, interval_s: float, fitted: str = "") -> PcaModel:
    """A model of these tags. scans: float64[n, p] in normal running, in order of time, NaN = none.

    Scans with a gap are left out, and so are tags that never moved or hardly ever read. Raises
    `FitError`.
    """
    kept = [n for n in range(len(tags)) if _moves(scans[:, n])]
    sound = scans[:, kept]
    sound = sound[np.isfinite(sound).all(axis=1)]
    names = tuple(tags[n] for n in kept)
    _check(names, sound)
    components = _components(sound)
    t2, spe = _held_out(names, sound, components)
    per_day = DAY_S / interval_s
    of_t2 = _limits(t2, number("fit", "t2_per_day"), per_day)
    of_spe = _limits(spe, number("fit", "spe_per_day"), per_day)
    return _model(names, sound, components, interval_s, of_t2, of_spe, fitted)


def _moves(column: Floats) -> bool:
    there = column[np.isfinite(column)]
    return len(there) >= 0.9 * len(column) and len(there) > 1 and bool(np.ptp(there) > 0)


def _check(names: Sequence[str], scans: Floats) -> None:
    if len(names) < 3:
        raise FitError(
            f"{len(names)} of the tags move and read in the training part; needed: 3 or more"
        )
    most = int(number("fit", "most"))
    if len(names) > most:
        raise FitError(f"{len(names)} tags in one group; needed: at most {most} (one group a unit)")
    least = int(max(number("fit", "least"), number("fit", "least_per_tag") * len(names)))
    if len(scans) < least:
        raise FitError(
            f"{len(scans)} whole scans of {len(names)} tags in the training part; needed: "
            f"{least} or more"
        )


def _components(scans: Floats) -> int:
    n, p = scans.shape
    own = _eigenvalues(scans)
    surrogates = []
    for k in range(1, int(number("fit", "surrogates")) + 1):
        shifts = [j * k * n // p + 37 * k * (j % 7) for j in range(p)]
        moved = [np.roll(scans[:, j], shift) for j, shift in enumerate(shifts)]
        surrogates.append(_eigenvalues(np.column_stack(moved)))
    stands_out = own > np.max(surrogates, axis=0)
    most = p - 1
    return int(min(max(1, p if stands_out.all() else np.argmin(stands_out)), most))


def _eigenvalues(scans: Floats) -> Floats:
    return np.asarray(np.linalg.eigvalsh(np.corrcoef(scans.T))[::-1])


def _held_out(names: tuple[str, ...], scans: Floats, a: int) -> tuple[list[Floats], list[Floats]]:
    """T2 and SPE of each block by a model of the others."""
    t2, spe = [], []
    nothing = _Limits(1.0, 1.0, 1.0)
    for block, others in _blocks(len(scans)):
        model = _model(names, scans[others], a, 1.0, nothing, nothing, "")
        of_t2, of_spe = series(model, scans[block])
        t2.append(of_t2)
        spe.append(of_spe)
    return t2, spe


def _blocks(n: int) -> Iterator[tuple[slice, np.ndarray]]:
    count, gap = int(number("fit", "blocks")), int(number("fit", "gap"))
    edges = np.linspace(0, n, count + 1).astype(int)
    for k in range(count):
        others = np.ones(n, np.bool_)
        others[max(0, edges[k] - gap) : edges[k + 1] + gap] = False
        yield slice(int(edges[k]), int(edges[k + 1])), others


def _model(
    names: tuple[str, ...], scans: Floats, a: int, interval_s: float, t2: _Limits, spe: _Limits,
    fitted: str,
) -> PcaModel:  # fmt: skip
    mean, scale = scans.mean(axis=0), scans.std(axis=0, ddof=1)
    scale = np.where(scale > 0, scale, 1.0)
    z = (scans - mean) / scale
    variance, vectors = np.linalg.eigh(np.cov(z.T))
    loadings = np.ascontiguousarray(vectors[:, ::-1][:, :a])
    variance = np.maximum(variance[::-1][:a], 1e-9)
    residual = ((z - z @ loadings @ loadings.T) ** 2).mean(axis=0)
    return PcaModel(
        names, mean, scale, loadings, variance, residual, interval_s,
        t2.mean, t2.clip, t2.limit, spe.mean, spe.clip, spe.limit, fitted,
    )  # fmt: skip


def _limits(blocks: list[Floats], wanted: float, per_day: float) -> _Limits:
    """Of one statistic, from its held-out values. wanted: false alarms a day."""
    every = np.concatenate(blocks)
    mean = float(every.mean())
    clip = number("statistic", "clip") * _quantile(every, number("statistic", "clip_quantile"))
    weight = number("statistic", "scan")
    moving = np.concatenate([moving_mean(block, mean, clip, weight) for block in blocks])
    roots = np.cbrt(moving)
    worth = max(independent(moving), 3.0)
    chances = per_day * worth / len(moving)
    share = 1 - min(wanted / chances, 0.01)
    certain = stats.nct.ppf(
        number("fit", "certainty"), worth - 1, stats.norm.ppf(share) * np.sqrt(worth)
    ) / np.sqrt(worth)
    limit = float((roots.mean() + certain * roots.std(ddof=1)) ** 3)
    limit = max(limit, mean * 1.0001)
    lone = mean + number("statistic", "lone") * (limit - mean) / weight
    return _Limits(mean, min(clip, lone), limit)


def _quantile(values: Floats, share: float) -> float:
    """Of a gamma distribution with the values' mean and variance (Box 1954)."""
    mean, variance = float(values.mean()), max(float(values.var()), 1e-12)
    return float(stats.gamma.ppf(share, mean**2 / variance, scale=variance / mean))


def independent(values: Floats) -> float:
    """How many of these values are worth as much as independent ones: n / (1 + 2 sum of their
    autocorrelations up to the first that counts as none)."""
    away = values - values.mean()
    n = len(values)
    if float(away @ away) == 0:
        return float(n)
    size = next_fast_len(2 * n)
    alike = irfft(np.abs(rfft(away, size)) ** 2, size)[: n // 4]
    r = alike / alike[0]
    until = np.flatnonzero(np.append(r, 0.0) < UNCORRELATED)[0]
    return float(n / (1 + 2 * r[1:until].sum()))
