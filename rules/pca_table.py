"""Groups of tags that a PCA model watches, as arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from domain.groups import names_of, nodes_of_kind
from domain.instant import SECOND
from domain.pca import PcaModel, PcaModelError, number
from domain.plant import Node, Registry, Tag
from domain.policy import silence_after
from rules.entries import Entries
from rules.plan import PlanError
from rules.rows import Rows

OFTEN = 1.5
"""A member whose interval is longer than so many scans is not waited for."""


@dataclass(frozen=True, slots=True, eq=False)
class PcaTable:
    """One row for each group that has a model; m is the room for members, the same for every plan,
    so that what is remembered fits the next one.

    keys: int64[g], rising node ids. marks: int64[g], fingerprints of the models. models: g of them.
    slot: intp[g, m], of the members in the order of their model, -1 = no more of them. silence:
    int64[g, m] microseconds after which a member's value no longer counts. needed: bool[g, m],
    members that a scan waits for: those that report about as often as it comes. interval: int64[g]
    microseconds from scan to scan. pair: int32[pairs, 2], (row, column) of
    each member by rising slot; entries: which of these are a slot's.
    """

    keys: Ints
    marks: Ints
    models: tuple[PcaModel, ...]
    slot: Rows
    silence: Ints
    needed: NDArray[np.bool_]
    interval: Ints
    entries: Entries
    pair: NDArray[np.int32]


def compile_pca(registry: Registry, tags: Sequence[Tag]) -> PcaTable:
    """Groups of kind pca whose node carries a model, `model`; one without is not watched yet, and
    one whose model was refused cannot be (`model_refused`, the reason)."""
    slots = {tag.id: slot for slot, tag in enumerate(tags)}
    named = names_of(registry, tags)
    problems: dict[int, str] = {}
    rows: list[tuple[Node, PcaModel, list[int]]] = []
    for node in nodes_of_kind(registry, "group"):
        if node.detail.get("kind") == "pca" and _has_model(node):
            try:
                if "model_refused" in node.detail:
                    raise PcaModelError(str(node.detail["model_refused"]))
                model = PcaModel.of(_mapping(node.detail["model"]))
                rows.append((node, model, [slots[id] for id in _members(node, model, named)]))
            except PcaModelError as error:
                problems[node.id] = f"group {node.code!r} (node {node.id}): model: {error}"
    if problems:
        raise PlanError(list(problems.values()), problems)
    return _table(rows, tags)


def _has_model(node: Node) -> bool:
    return node.detail.get("model") is not None or "model_refused" in node.detail


def _mapping(model: object) -> dict[str, Any]:
    if not isinstance(model, dict):
        raise PcaModelError("is no object")
    return model


def _members(node: Node, model: PcaModel, named: Any) -> Iterator[int]:
    members = node.detail.get("members")
    known = set(members) if isinstance(members, list | tuple) else set()
    for name in model.tags:
        if name not in known:
            raise PcaModelError(f"tag {name!r} is no member of the group; learn a new model")
        tag = named.get((node.enterprise or 0, name))
        if tag is None:
            raise PcaModelError(f"tag {name!r} is not registered")
        yield tag.id


def _table(rows: list[tuple[Node, PcaModel, list[int]]], tags: Sequence[Tag]) -> PcaTable:
    g, m = len(rows), int(number("fit", "most"))
    slot = np.full((g, m), -1, np.intp)
    silence, needed = np.zeros((g, m), np.int64), np.zeros((g, m), np.bool_)
    for row, (_, model, own) in enumerate(rows):
        slot[row, : len(own)] = own
        silence[row, : len(own)] = [round(silence_after(tags[n]) * SECOND) for n in own]
        fast = np.array([tags[n].interval_s <= OFTEN * model.interval_s for n in own])
        needed[row, : len(own)] = fast | ~fast.any()
    pairs = np.argwhere(slot >= 0).astype(np.int32)
    of = slot[slot >= 0]
    order = np.argsort(of, kind="stable")
    return PcaTable(
        np.array([node.id for node, _, _ in rows], np.int64),
        np.array([model.fingerprint() for _, model, _ in rows], np.int64),
        tuple(model for _, model, _ in rows),
        slot,
        silence,
        needed,
        np.array([max(round(model.interval_s * SECOND), 1) for _, model, _ in rows], np.int64),
        Entries.of(of[order], len(tags)),
        pairs[order],
    )
