"""The PCA models that people put in force, beside the registered groups that they belong to."""

from collections.abc import Sequence
from dataclasses import replace

from domain.pca import PcaModelError
from domain.pca_record import PcaActive, document_for
from domain.plant import Node, Registry
from storage.database import Connection
from storage.pca_models import activations, active_models
from storage.registry import read_registry, site_version

Version = tuple[int, int]
"""Of the site, and of what people decided about models."""


async def plant_version(conn: Connection) -> Version:
    """Differs after every load of a site and every activation of a model."""
    return await site_version(conn), await activations(conn)


async def read_plant(conn: Connection) -> Registry:
    """The registry, with the model in force in the `detail` of each group that it fits."""
    registry = await read_registry(conn)
    return with_models(registry, await active_models(conn))


def with_models(registry: Registry, models: Sequence[PcaActive]) -> Registry:
    """`detail` of a group gets `model` and `model_version`; `model_refused` instead of the model,
    a sentence, where it does not fit the group as it is registered."""
    nodes = dict(registry.nodes)
    for active in models:
        group = nodes.get(active.node)
        if group is not None and group.detail.get("kind") == "pca":
            nodes[group.id] = _with(group, registry, active)
    return replace(registry, nodes=nodes)


def _with(group: Node, registry: Registry, active: PcaActive) -> Node:
    detail: dict[str, object] = {**group.detail, "model_version": active.version}
    try:
        detail["model"] = document_for(group, registry, active)
    except PcaModelError as error:
        detail["model_refused"] = f"version {active.version}: {error}"
    return replace(group, detail=detail)
