"""`Stance`: the modes that an engine judges by, and what it keeps against them, over a restart."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from domain.alarms import Kind
from domain.modes import Held, Kept, Modes
from domain.plant import Registry

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stance:
    """modes: operating mode by node id; kept: what stays in force against them."""

    modes: Modes
    kept: Kept

    def to_bytes(self) -> bytes:
        """JSON, exact."""
        said = {
            "modes": self.modes,
            "limits": _named(self.kept.limits),
            "ahead": _named(self.kept.ahead),
            "rules": self.kept.rules,
        }
        return json.dumps(said).encode()

    @staticmethod
    def of(body: bytes | None, registry: Registry) -> "Stance | None":
        """What `to_bytes` made, of those that the registry still has; None where it can't be
        read."""
        if body is None:
            return None
        try:
            said = json.loads(body)
            modes = _modes(said["modes"], registry)
            limits, ahead = (_held(said[name], registry) for name in ("limits", "ahead"))
            rules = {
                int(id): _modes(began, registry)
                for id, began in said["rules"].items()
                if int(id) in registry.nodes
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("modes can't be read", action="take those of now", error=str(error))
            return None
        return Stance(modes, Kept(limits, ahead, rules))


def _named(held: Held) -> dict[int, dict[str, float]]:
    return {id: {kind.name: limit for kind, limit in own.items()} for id, own in held.items()}


def _held(said: Mapping[str, Mapping[str, float]], registry: Registry) -> Held:
    return {
        int(id): {Kind[name]: float(limit) for name, limit in own.items()}
        for id, own in said.items()
        if int(id) in registry.tags
    }


def _modes(said: Mapping[str, str], registry: Registry) -> dict[int, str]:
    return {int(id): str(mode) for id, mode in said.items() if int(id) in registry.nodes}
