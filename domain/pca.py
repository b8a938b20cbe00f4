"""`PcaModel`: what a group of tags looks like in normal running; and the numbers of the method."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from zlib import crc32

import numpy as np

from domain.frame import Floats

FORMAT = 1
"""Version of the document's form."""
_SCALARS = (
    "interval_s", "t2_mean", "t2_clip", "t2_limit", "spe_mean", "spe_clip", "spe_limit"
)  # fmt: skip
_ARRAYS = ("mean", "scale", "loadings", "variance", "residual")


class PcaModelError(ValueError):
    """The document is no model; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True, eq=False)
class PcaModel:
    """p tags, a components. Everything but mean and scale is in standard deviations of the tags.

    tags: p names. mean, scale: float64[p], in the tags' units; scale > 0. loadings: float64[p, a],
    orthonormal columns. variance: float64[a] of the scores, falling. residual: float64[p], mean
    square of what the components leave of each tag. interval_s: of scans. Of both statistics, T2
    and SPE: mean, largest value that a scan counts with, limit of their moving mean. fitted: what
    it was learnt from, in words.
    """

    tags: tuple[str, ...]
    mean: Floats
    scale: Floats
    loadings: Floats
    variance: Floats
    residual: Floats
    interval_s: float
    t2_mean: float
    t2_clip: float
    t2_limit: float
    spe_mean: float
    spe_clip: float
    spe_limit: float
    fitted: str = ""

    def document(self) -> dict[str, object]:
        """The model as JSON can carry it, exactly."""
        scalars = {name: getattr(self, name) for name in _SCALARS}
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        return {
            "format": FORMAT, "fitted": self.fitted, "tags": list(self.tags), **scalars, **arrays
        }  # fmt: skip

    @staticmethod
    def of(document: Mapping[str, Any]) -> "PcaModel":
        """The model of a document; raises `PcaModelError`."""
        if document.get("format") != FORMAT:
            raise PcaModelError(f"format is {document.get('format')!r}; allowed: {FORMAT}")
        try:
            tags = tuple(str(name) for name in document["tags"])
            scalars: dict[str, Any] = {name: float(document[name]) for name in _SCALARS}
            arrays: dict[str, Any] = {
                name: np.array(document[name], np.float64) for name in _ARRAYS
            }
        except KeyError as missing:
            raise PcaModelError(f"{missing} is missing") from None
        except (TypeError, ValueError) as error:
            raise PcaModelError(f"holds what is no number: {error}") from None
        model = PcaModel(tags, fitted=str(document.get("fitted", "")), **arrays, **scalars)
        model._check()
        return model

    def _check(self) -> None:
        p, a = len(self.tags), len(self.variance)
        shapes = {
            "mean": (p,), "scale": (p,), "loadings": (p, a), "variance": (a,), "residual": (p,)
        }  # fmt: skip
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape:
                raise PcaModelError(f"{name} has shape {array.shape}; {p} tags need {shape}")
            if not np.isfinite(array).all():
                raise PcaModelError(f"{name} holds what is not finite")
        most = int(number("fit", "most"))
        if p > most:
            raise PcaModelError(f"{p} tags; allowed: up to {most}")
        if not p or not 0 < a < p:
            raise PcaModelError(f"{a} components of {p} tags; allowed: 1 to {p - 1}")
        for name in ("scale", "variance"):
            if not (getattr(self, name) > 0).all():
                raise PcaModelError(f"{name} must be above 0")
        for name in _SCALARS:
            if not 0 < getattr(self, name) < np.inf:
                raise PcaModelError(f"{name} is {getattr(self, name)}; allowed: above 0")

    def fingerprint(self) -> int:
        """A number that differs between models: 0 to 2**32 - 1."""
        number = crc32("\0".join(self.tags).encode())
        for name in _ARRAYS:
            number = crc32(np.ascontiguousarray(getattr(self, name)).tobytes(), number)
        return crc32(np.array([getattr(self, name) for name in _SCALARS]).tobytes(), number)


@cache
def data() -> dict[str, Any]:
    """The whole data file: each number with unit, source and confidence."""
    return tomllib.loads(files("domain").joinpath("data/pca.toml").read_text("utf-8"))


@cache
def number(section: str, name: str) -> float:
    """A single number of the data file, such as `number("fit", "blocks")`."""
    return float(data()[section][name]["value"])
