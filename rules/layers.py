"""The layers of rules beside limits, rates and silence, in the order in which they judge."""

from rules.balance import BALANCE
from rules.change import CHANGE
from rules.composites import COMPOSITES
from rules.detectors import DETECTORS
from rules.drift import DRIFT
from rules.forecast import FORECAST
from rules.health import HEALTH
from rules.intermittent import INTERMITTENT
from rules.inventory import INVENTORY
from rules.pca import PCA
from rules.rows import Layer
from rules.votes import VOTES

LAYERS: tuple[Layer, ...] = (
    HEALTH,
    DETECTORS,
    DRIFT,
    CHANGE,
    FORECAST,
    INTERMITTENT,
    VOTES,
    COMPOSITES,
    INVENTORY,
    BALANCE,
    PCA,
)
