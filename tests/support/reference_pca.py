"""PCA groups once more, slowly: one group, one sample of one member after the other."""

import numpy as np

from domain.pca import PcaModel, number


class SlowPca:
    """One group. silence: microseconds, by member."""

    def __init__(self, model: PcaModel, silence: list[int]) -> None:
        self.model, self.silence = model, silence
        self.interval = round(model.interval_s * 1e6)
        self.held: list[tuple[int, float] | None] = [None] * len(model.tags)
        self.scan: int | None = None
        self.last: int | None = None
        self.heard: set[int] = set()
        self.t2, self.spe = model.t2_mean, model.spe_mean
        self.since: int | None = None
        self.onset: int | None = None
        self.told: list[tuple[str, int, int]] = []

    def sample(self, member: int, at: int, value: float) -> None:
        """A good sample that is newer than the member's last."""
        scan = at // self.interval
        if self.scan is None or scan > self.scan:
            self.end()
            self.scan = scan
        self.held[member] = at, value
        if scan == self.scan and self.last != self.scan:
            self.heard.add(member)
            if len(self.heard) == len(self.held):
                self.judge(max(one[0] for one in self.held if one is not None))

    def end(self) -> None:
        """The open scan's time is up."""
        if self.heard and self.scan is not None:
            self.judge((self.scan + 1) * self.interval)

    def judge(self, at: int) -> None:
        assert self.scan is not None
        gap = None if self.last is None else self.scan - self.last
        self.heard, self.last = set(), self.scan
        there = [
            one is not None and one[0] >= at - old
            for one, old in zip(self.held, self.silence, strict=True)
        ]
        missing = len(there) - sum(there)
        if missing > number("statistic", "missing") * len(there):
            return
        if self.onset is None and (gap is None or gap > number("statistic", "restart")):
            self.t2, self.spe = self.model.t2_mean, self.model.spe_mean
        t2, spe = self.statistics([one[1] if one else 0.0 for one in self.held], there)
        self.t2 += 0.1 * (min(t2, self.model.t2_clip) - self.t2)
        self.spe += 0.1 * (min(spe, self.model.spe_clip) - self.spe)
        ratio = max(self.t2 / self.model.t2_limit, self.spe / self.model.spe_limit)
        self.since = None if ratio < 0.9 else self.since if self.since is not None else at
        if self.onset is None and ratio >= 1:
            assert self.since is not None
            self.onset = self.since
            self.told.append(("RAISED", self.onset, at))
        elif self.onset is not None and self.since is None and not missing:
            self.told.append(("RETURNED", self.onset, at))
            self.onset = None

    def statistics(self, values: list[float], there: list[bool]) -> tuple[float, float]:
        """By the textbook: regress the scores on what is there, with their prior."""
        m, seen = self.model, np.array(there)
        z = (np.array(values) - m.mean) / m.scale
        p = m.loadings[seen]
        if seen.all():
            t = p.T @ z
        else:
            spread = p @ np.diag(m.variance) @ p.T + np.diag(np.maximum(m.residual[seen], 1e-9))
            t = np.diag(m.variance) @ p.T @ np.linalg.inv(spread) @ z[seen]
        rest = z[seen] - p @ t
        share = m.residual[seen].sum() / m.residual.sum()
        return float(t @ (t / m.variance)), float(rest @ rest / share)
