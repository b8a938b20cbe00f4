"""The layers of rules beside limits, rates and silence, in the order in which they judge."""

from rules.rows import Layer

LAYERS: tuple[Layer, ...] = ()
