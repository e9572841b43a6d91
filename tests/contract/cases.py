"""Every definition with its sources, and the slow way to its numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyproj
import shapely

from geomon import Indicator, Shapes, Source
from geomon.pipeline import Plan, plan
from geomon.testing import World, raster
from geomon.zones import Zones
from tests.contract import brute, world
from tests.contract.definitions import (
    cities,
    degraded_land,
    drought,
    flood,
    forest_share,
    impact_check,
    night_lights,
    people_in_flood,
    plots,
    road_access,
    rough_ground,
    surface_water,
)

WORLD, ZONES, PLOTS = world.make(), world.zones(), world.plots()
LEAVES = ZONES.leaves
DAY = "2020-03-05"
NOWHERE = Source("not-there", "vv")
GEOD = pyproj.Geod(ellps="WGS84")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A run, and the slow way to the same numbers."""

    indicator: Indicator
    periods: tuple[str, ...]
    slow: Callable[[str], dict[str, brute.Tally]]
    zones: Zones = ZONES
    catalog: World = WORLD
    use: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    block: int = 16
    others: tuple[int, ...] = (9, 99)
    """Other block sizes, which must give the same to rounding."""

    def plan(self, **changes: Any) -> Plan:
        """What the run will do, with some of it changed."""
        asked = {"catalog": self.catalog, "use": self.use, "params": self.params, "block": self.block, **changes}
        return plan(self.indicator, asked.pop("zones", self.zones), self.periods, **asked)


def metres(shape: shapely.Geometry) -> float:
    """Geodesic length of lines in the country's CRS, vertex to vertex."""
    change = pyproj.Transformer.from_crs(world.CRS, "EPSG:4326", always_xy=True)
    parts = [p for part in shapely.get_parts(shape) for p in shapely.get_parts(part) if "Line" in p.geom_type]
    return sum(GEOD.line_length(*change.transform(*np.asarray(p.coords).T)) for p in parts)


def impact(theirs: Any, seen_by_them: brute.Floats) -> Case:
    """Our flood map, published before, beside somebody's."""
    now = brute.pixels(WORLD, "radar", DAY)
    ours = np.where(np.isnan(now), np.nan, now < -16)
    before = raster("runs/toy-flood", world.W100, {DAY: ours}, band="water")
    return Case(
        indicator=impact_check.INDICATOR,
        periods=(DAY,),
        slow=lambda _: brute.crossed(LEAVES, ours, seen_by_them),
        catalog=WORLD.having(before),
        use={"theirs": theirs},
    )


def burnt() -> brute.Floats:
    """Their polygons at the centres of our pixels, where they have looked."""
    x, y = np.meshgrid(*reversed(world.W100.centres))
    flooded = shapely.intersects_xy(shapely.union_all(WORLD.vectors["their-polygons"].geometry.values), x, y)
    looked = shapely.intersects_xy(WORLD.vectors["their-extent"].geometry.values[0], x, y)
    return np.where(looked, flooded, np.nan)


def floods(before: bool, reference: bool) -> Case:
    """Water, and flood with what there is to tell."""
    absent = {"before": before, "reference": reference}
    return Case(
        indicator=flood.INDICATOR,
        periods=(DAY,),
        slow=lambda _: brute.flood(WORLD, LEAVES, before, reference),
        use={name: NOWHERE for name, there in absent.items() if not there},
    )


def degraded(profile: str) -> Case:
    """15.3.1 in one profile."""
    country = ZONES.whole["X"]
    return Case(
        indicator=degraded_land.INDICATOR,
        periods=("2016/2019", "2016/2023"),
        slow=lambda p: brute.degraded(WORLD, LEAVES, country, p, profile),
        params={"profile": profile},
        others=(9,) if profile == "gpg_v2_2021" else (24,),
    )


POLYGONS = Shapes("their-polygons", as_="code", field="flood", extent="their-extent")
CASES: dict[str, Case] = {
    "15.1.1": Case(
        indicator=forest_share.INDICATOR, periods=("2020", "2021"), slow=lambda p: brute.forest(WORLD, LEAVES, p)
    ),
    "6.6.1": Case(
        indicator=surface_water.INDICATOR, periods=("2004", "2005"), slow=lambda p: brute.water(WORLD, LEAVES, p)
    ),
    "water alone": floods(before=False, reference=False),
    "flood, image before": floods(before=True, reference=False),
    "flood, reference too": floods(before=True, reference=True),
    "15.3.1 prais4_2026": degraded("prais4_2026"),
    "15.3.1 gpg_v2_2021": degraded("gpg_v2_2021"),
    "15.3.1 trends_earth": degraded("trends_earth"),
    "9.1.1": Case(
        indicator=road_access.INDICATOR,
        periods=("2020",),
        slow=lambda p: brute.roads(WORLD, LEAVES, p, metres),
        block=6,
    ),
    "11.3.1": Case(
        indicator=cities.INDICATOR,
        periods=("2000", "2010"),
        slow=lambda p: brute.cities(WORLD, LEAVES, p),
        block=4,
    ),
    "impact map, raster": impact(
        Source("their-map"), brute.nearest(brute.pixels(WORLD, "their-map", DAY), world.W250, world.W100)
    ),
    "impact map, polygons": impact(POLYGONS, burnt()),
    "night lights": Case(
        indicator=night_lights.INDICATOR,
        periods=("2019", "2020"),
        slow=lambda p: brute.lights(WORLD, LEAVES, p),
        block=6,
    ),
    "plots": Case(
        indicator=plots.INDICATOR,
        periods=("2023",),
        slow=lambda p: brute.plots(WORLD, PLOTS.leaves, p),
        zones=PLOTS,
    ),
    "drought": Case(
        indicator=drought.INDICATOR, periods=("2020",), slow=lambda p: brute.droughts(WORLD, LEAVES, p), block=6
    ),
    "people in a flood": Case(
        indicator=people_in_flood.INDICATOR, periods=(DAY,), slow=lambda p: brute.exposed(WORLD, LEAVES, p), block=6
    ),
    "rough ground": Case(
        indicator=rough_ground.INDICATOR, periods=("2020",), slow=lambda p: brute.rough(WORLD, LEAVES, p)
    ),
}
