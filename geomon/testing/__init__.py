"""For authors of definitions: synthetic sources, and the contract that every definition keeps.

from geomon.testing import Contract

class TestMine(Contract):
    indicator = INDICATOR
"""

from geomon.testing.checks import CHECKS, Broken, contract
from geomon.testing.compare import farthest, same_bits
from geomon.testing.inherit import Contract
from geomon.testing.invent import Trial, invent
from geomon.testing.world import Raster, World, features, raster, window

__all__ = [
    "CHECKS",
    "Broken",
    "Contract",
    "Raster",
    "Trial",
    "World",
    "contract",
    "farthest",
    "features",
    "invent",
    "raster",
    "same_bits",
    "window",
]
