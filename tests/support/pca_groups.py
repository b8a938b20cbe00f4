"""A unit of six tags that move together, its learnt model, and scans of it."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np

from domain.frame import Floats
from domain.pca import PcaModel
from domain.pca_record import PcaActive, PcaLearnt, digest, document_text
from domain.plant import Node, Registry, Tag
from rules.pca_fit import fit
from tests.support.builders import ENTERPRISE, SOURCE, START, registry, tag

NAMES = ("TI-1", "TI-2", "PI-1", "PI-2", "FI-1", "LI-1")
EVERY = 60.0
GROUP = 50


def running(n: int, seed: int = 1) -> Floats:
    """Normal running: two slow causes, six tags, a little noise of each. float64[n, 6]."""
    rng = np.random.default_rng(seed)
    causes = np.zeros((n, 2))
    for k in range(1, n):
        causes[k] = 0.7 * causes[k - 1] + rng.standard_normal(2)
    mixed = causes @ np.array([[1.0, 0.8, -0.6, 0.0, 0.3, 1.0], [0.0, 0.5, 0.9, 1.0, -0.7, 0.2]])
    return np.asarray(50 + 3 * mixed + 0.8 * rng.standard_normal((n, len(NAMES))))


def model(seed: int = 1) -> PcaModel:
    """Learnt from 1,500 scans."""
    return fit(NAMES, running(1500, seed), EVERY)


def unit(*more: Node, members: tuple[str, ...] = NAMES) -> Registry:
    """Six tags with ids 1 to 6 and their group, without a model."""
    detail: dict[str, object] = {"kind": "pca", "members": list(members)}
    group = Node(GROUP, SOURCE, "group", "reactor", "reactor", ENTERPRISE, None, detail)
    tags = [tag(n, name, interval_s=EVERY, range=None) for n, name in enumerate(NAMES, 1)]
    return registry(*tags, nodes=[group, *more])


def renewed(plant: Registry, name: str, id: int) -> Registry:
    """The plant with a new version of one tag."""
    tags = {one.id: one for one in plant.tags.values() if one.name != name}
    old: Tag = next(one for one in plant.tags.values() if one.name == name)
    return replace(plant, tags={**tags, id: replace(old, id=id, version=old.version + 1)})


def active(one: PcaModel, version: int = 1) -> PcaActive:
    """The model as people put it in force."""
    text = document_text(one)
    assert json.loads(text)["tags"] == list(one.tags)
    return PcaActive(GROUP, version, NAMES, tuple(range(1, 7)), digest(text), text)


def learnt(one: PcaModel, node: int = GROUP, enterprise: int = ENTERPRISE) -> PcaLearnt:
    """What `learn` would say of the model."""
    return PcaLearnt(
        node, enterprise, START - timedelta(days=2), START, START, "李工", NAMES,
        tuple(range(1, 7)), 1500, 210.5, (0.6, 0.3), 0.0, 3, one,
    )  # fmt: skip
