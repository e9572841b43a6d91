"""What the design left open: countries, the closest date, cells seen in part, wholly unseen ground."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr

from geomon import Indicator, Layer, Output, Source, amount, area, share, total
from geomon.pipeline import plan
from geomon.testing import Raster, World, farthest, raster, same_bits, window
from geomon.zones import Zone, Zones
from tests.contract import brute, world
from tests.contract.cases import CASES, DAY, WORLD, ZONES
from tests.contract.definitions import (
    cities,
    degraded_land,
    drought,
    flood,
    forest_share,
    people_in_flood,
    rough_ground,
)
from tests.contract.definitions.careless import forgets_holes

COUNTRIES = world.countries()


def test_each_country_has_its_own_survey() -> None:
    wanted = ("2016/2019",)
    both = plan(degraded_land.INDICATOR, COUNTRIES, wanted, catalog=WORLD, block=16)
    run = both.run(workers=2)
    for country in ("A", "B"):
        leaves = [z for z in COUNTRIES.leaves if COUNTRIES.roots[z.code] == country]
        slow = brute.degraded(WORLD, leaves, COUNTRIES.whole[country], wanted[0], "prais4_2026")
        for quantity, (totals, _) in slow.items():
            found = run.totals[quantity].sel(period=wanted[0])
            keys = [d for d in found.dims if d != "zone"]
            for (zone, labels), number in totals.items():
                got = float(found.sel(zone=zone, **dict(zip(keys, labels, strict=True))))
                assert got == pytest.approx(number, abs=1e-12 * max(totals.values())), (quantity, zone)
    windows = [(t.window.i0 // 16, t.window.j0 // 16) for t in both.tasks]
    assert len(windows) > len(set(windows)), "a block on the border is done once for each country"
    assert same_bits(run, replace(both, tasks=both.tasks[::-1]).run(workers=1))


def test_a_country_alone_gives_what_it_gives_beside_another() -> None:
    make = {"catalog": WORLD, "block": 16}
    both = plan(degraded_land.INDICATOR, COUNTRIES, ("2016/2019",), **make).run(workers=2)
    alone = plan(degraded_land.INDICATOR, COUNTRIES.select(["B"]), ("2016/2019",), **make).run(workers=2)
    assert farthest(both, alone, "B") < 1e-12


def test_a_part_of_a_country_has_the_survey_of_the_whole() -> None:
    make = {"catalog": WORLD, "block": 16}
    whole = plan(degraded_land.INDICATOR, ZONES, ("2016/2019",), **make).run(workers=2)
    part = plan(degraded_land.INDICATOR, ZONES.select(["A2"]), ("2016/2019",), **make).run(workers=2)
    assert farthest(whole, part, "A2") < 1e-12


def test_a_map_keeps_to_the_country_of_each_pixel() -> None:
    """Two countries see other cities' numbers only by their own frame; the map of a border block is of both."""
    run = plan(cities.INDICATOR, COUNTRIES, ("2000", "2010"), catalog=WORLD, block=64).run(workers=1)
    assert run.totals is not None
    parts = run.totals.people.sel(zone=["A", "B"]).sum()
    leaves = run.totals.people.sel(zone=["A1", "A2", "B"]).sum()
    assert float(parts) == pytest.approx(float(leaves))
    pixels = [m["2010"] for d in run.done for m in [d.maps] if m]
    overlap = [np.isfinite(a) for a in pixels]
    assert len(overlap) == 2, "one for each country"


def test_a_city_crosses_zones_and_goes_beyond_the_country() -> None:
    run = plan(cities.INDICATOR, ZONES, ("2000", "2010"), catalog=WORLD, block=4).run(workers=1)
    assert run.totals is not None
    people = run.totals.people.sel(period="2010")
    people = people.sel(city=people.city != 0)
    assert float(abs(people.sel(zone=["A1", "A2", "B1"]).sum("zone") - people.sel(zone="X")).max()) < 1e-9
    assert int((people.sel(zone=["A1", "A2", "B1"]) > 0).sum("zone").max()) > 1
    assert set(run.series.breakdown) <= {f"city={c:.0f}" for c in people.city.values}
    assert len(set(run.series.breakdown)) == people.sizes["city"]


# The closest date


def of_years(*years: str, static: bool = False) -> World:
    """One pixel that holds the year of its date, on a map of the country."""
    dates = {y: np.full(world.W100.shape, float(y[:4])) for y in years}
    return WORLD.having(raster("year", world.W100, dates, kind="amount", unit="years", static=static))


def year(year: xr.DataArray) -> dict:
    """The year of the date that was found."""
    return {"ground": area().by(year=year)}


CLOSEST = Indicator(
    code="toy-closest",
    title="The closest date",
    sources={"year": Source("year", window="closest")},
    grid="year",
    measure=year,
    outputs={"ground": Output(total("ground"), "km2")},
)


@pytest.mark.parametrize(
    ("years", "asked", "found"),
    [
        (("2000", "2015", "2020"), "2016", 2015),
        (("2000", "2015", "2020"), "2019", 2020),
        (("2015", "2020"), "2015", 2015),
        (("2015", "2017"), "2016", 2015),
        (("2000",), "2023", 2000),
    ],
)
def test_the_closest_date(years: tuple[str, ...], asked: str, found: int) -> None:
    """Of two that are equally near, the earlier."""
    run = plan(CLOSEST, ZONES, (asked,), catalog=of_years(*years)).run(workers=1)
    assert run.totals is not None
    assert run.totals.ground.year.values.tolist() == [found]


# Cells that a finer source saw in part


def pair(people: list[list[float]], flooded: list[list[float]]) -> World:
    """A coarse count of two cells side by side, and a fine map of four by two cells on it."""
    coarse = world.at(0, 1000, 1000, (1, 2))
    fine = world.at(0, 1000, 500, (2, 4))
    return World(
        (
            raster("people", coarse, {"2020": np.array(people)}, kind="amount", unit="people"),
            raster("flood", fine, {"2020": np.array(flooded)}, kind="rate"),
        )
    )


def exposed(people: xr.DataArray, flood: xr.DataArray) -> dict:
    """People of the flooded share, and the flooded ground."""
    return {"people": amount(people * flood, "people"), "wet": area(flood)}


PARTLY = Indicator(
    code="toy-partly",
    title="Cells seen in part",
    sources={"people": Source("people"), "flood": Source("flood")},
    grid="people",
    measure=exposed,
    outputs={"people": Output(total("people"), "people"), "wet": Output(share("wet"), "percent")},
    minimum_coverage=0.0,
)


def test_a_hole_in_a_fine_source_takes_its_own_ground_only() -> None:
    """West: 3 of 4 fine cells seen, 1 flooded: a third of the seen ground, of 100 people 25 surely. East: all seen."""
    nan = np.nan
    catalog = pair([[100.0, 40.0]], [[1.0, 0.0, 1.0, 1.0], [0.0, nan, 0.0, 0.0]])
    zones = Zones((Zone("all", "", "", world.box(0, 0, 2000, 1000)),), world.CRS)
    run = plan(PARTLY, zones, ("2020",), catalog=catalog).run(workers=1)
    assert run.totals is not None
    assert float(run.totals.people.squeeze()) == pytest.approx(100 * 3 / 4 / 3 + 40 / 2)
    row = run.series.set_index("series").loc["wet"]
    assert row.coverage == pytest.approx(7 / 8, abs=1e-6)
    assert row.obs_value == pytest.approx(100 * 3 / 7, abs=1e-4)
    assert (row.lower, row.upper) == (pytest.approx(100 * 3 / 8, abs=1e-4), pytest.approx(100 * 4 / 8, abs=1e-4))


def test_holes_of_two_fine_sources_may_lie_side_by_side() -> None:
    """A cell of which each of two sources missed a quarter was surely seen by both on half only."""
    nan = np.nan
    catalog = pair([[100.0, 40.0]], [[1.0, 0.0, 1.0, 1.0], [0.0, nan, 0.0, 0.0]])
    other = raster(
        "other", world.at(0, 1000, 500, (2, 4)), {"2020": np.array([[nan, 1, 1, 1], [1, 1, 1, 1]])}, kind="rate"
    )

    def measure(people: xr.DataArray, flood: xr.DataArray, other: xr.DataArray) -> dict:
        return {"people": amount(people * flood * other, "people"), "wet": area(flood * other)}

    sources = {**PARTLY.sources, "other": Source("other")}
    zones = Zones((Zone("west", "", "", world.box(0, 0, 1000, 1000)),), world.CRS)
    run = plan(replace(PARTLY, measure=measure, sources=sources), zones, ("2020",), catalog=catalog.having(other)).run()
    assert run.series.coverage.tolist() == pytest.approx([0.5, 0.5])


def test_few_holes_in_a_fine_source_cost_little_ground() -> None:
    run = plan(people_in_flood.INDICATOR, ZONES, (DAY,), catalog=WORLD, block=64).run(workers=1)
    assert run.totals is not None
    coverage = run.series[run.series.series == "exposed"].coverage
    assert coverage.min() > 0.9, "2 % of fine holes in each of two sources, 1 % of coarse ones, and the edge"


# Unseen


def test_an_image_before_that_saw_nothing_makes_no_flood() -> None:
    blind = WORLD.changed("radar", lambda day, a: a if day == DAY else np.full_like(a, np.nan))
    careful = plan(flood.INDICATOR, ZONES, (DAY,), catalog=blind, block=64).run(workers=1)
    careless = plan(replace(flood.INDICATOR, measure=forgets_holes), ZONES, (DAY,), catalog=blind, block=64).run(
        workers=1
    )
    assert float(careful.totals.flood.sel(zone="X").sum()) == 0
    assert float(careless.totals.flood.sel(zone="X").sum()) > 1e6, "which is why the suite plants holes"
    status = careful.series.query("series == 'flood'").obs_status
    assert set(status) == {"nothing was seen"}


def test_ground_mostly_beyond_the_raster_has_bounds_and_no_value() -> None:
    far = Zones((Zone("far", "", "", world.box(5500, 100, 7000, 900)),), world.CRS)
    row = plan(forest_share.INDICATOR, far, ("2020",), catalog=WORLD).run(workers=1).series.iloc[0]
    assert math.isnan(row.obs_value)
    assert row.lower < 35 and row.upper > 65
    assert row.coverage == pytest.approx(500 / 1500, abs=0.02)
    assert row.obs_status.startswith("too little was seen")


@pytest.mark.parametrize("indicator", [drought.INDICATOR, degraded_land.INDICATOR], ids=lambda i: i.code)
def test_classes_of_wholly_unseen_ground_are_missing_with_a_reason(indicator: Indicator) -> None:
    names = ("rain", "ndvi", "people")
    rasters = [r for r in WORLD.rasters if r.collection in names]
    blank = [Raster(r.collection, r.band, r.window, {t: a * np.nan for t, a in r.dates.items()}) for r in rasters]
    period = "2020" if indicator is drought.INDICATOR else "2016/2019"
    run = plan(indicator, ZONES, (period,), catalog=WORLD.having(*blank), block=64).run(workers=1)
    main = run.series[run.series.series == next(iter(indicator.outputs))]
    assert len(main) == len(ZONES.codes)
    assert main.obs_value.isna().all()
    assert set(main.obs_status) == {"nothing was seen"}


def test_a_quantity_of_one_period_is_missing_in_the_others() -> None:
    """People are known in 2023 only: for the period before that they are missing, and not nobody."""
    run = plan(CASES["15.3.1 trends_earth"].indicator, ZONES, ("2016/2019", "2016/2023"), catalog=WORLD, block=64).run()
    assert run.totals is not None
    assert bool(run.totals.people.sel(period="2016/2019").isnull().all())
    early = run.series.query("series == 'exposed' and time_period == '2016/2019'")
    assert early.obs_value.isna().all() and set(early.obs_status) == {"not part of this period"}


def test_another_product_fits_the_same_definition() -> None:
    run = plan(forest_share.INDICATOR, ZONES, ("2020",), catalog=WORLD, use={"cover": "national"}).run(workers=1)
    national = brute.pixels(WORLD, "national", "2020")
    (totals, _) = brute.tally(ZONES.leaves, world.W200, national == 3, brute.known(national))
    assert run.totals is not None
    for (zone, _), number in totals.items():
        assert float(run.totals.forest.sel(zone=zone).squeeze()) == pytest.approx(number, rel=1e-12)


def test_a_parent_whose_own_geometry_does_not_fit_is_the_sum_and_says_so() -> None:
    run = plan(forest_share.INDICATOR, ZONES, ("2020",), catalog=WORLD).run(workers=1)
    book: pd.Series = run.ledger.query("zone == 'A' and quantity == 'land'").iloc[0]
    children = shapely.union(world.A1, world.A2).area
    assert book.counted + book.excluded + book.unseen == pytest.approx(children, rel=1e-3)
    assert book.polygon < 0.99 * (book.counted + book.excluded + book.unseen)


def test_layers_see_no_more_than_their_margin() -> None:
    """Without its margin the relief of a block's edge is unseen, and blocks disagree."""
    layer = rough_ground.INDICATOR.sources["relief"]
    assert isinstance(layer, Layer)
    bare = replace(rough_ground.INDICATOR, sources={"relief": replace(layer, margin="0 px")})
    one, two = (plan(bare, ZONES, ("2020",), catalog=WORLD, block=b).run(workers=1) for b in (9, 64))
    assert farthest(one, two) > 0.1


# Degrees


DEGREES = window("EPSG:4326", 13.72, 45.20, 0.001, (70, 100))


def in_degrees(fine: bool) -> World:
    """Flood on a grid of degrees, people on the same or on one of cells twice as wide."""
    rng = np.random.default_rng(11)
    people = DEGREES if fine else window("EPSG:4326", 13.7195, 45.2005, 0.002, (36, 51))
    flooded = np.where(rng.random(DEGREES.shape) < 0.05, np.nan, rng.random(DEGREES.shape) < 0.3)
    return World(
        (
            raster("flood", DEGREES, {"2020": flooded}, kind="rate"),
            raster("people", people, {"2020": rng.gamma(1, 9, people.shape)}, kind="amount", unit="people"),
        )
    )


@pytest.mark.parametrize("fine", [True, False], ids=["one grid", "two grids"])
def test_a_grid_of_degrees_under_zones_in_metres(fine: bool) -> None:
    """Zones are brought to the grid; a part of a cell has the mean area of the cell, and rows their own."""
    catalog = in_degrees(fine)
    one, two = (plan(PARTLY, ZONES, ("2020",), catalog=catalog, block=b).run(workers=1) for b in (16, 41))
    assert farthest(one, two) < 1e-12
    grid = catalog.rasters[1].window
    flooded, people = (r.dates["2020"] for r in catalog.rasters)
    if fine:
        wet, seen = flooded, brute.known(flooded)
    else:
        wet, seen = brute.moved(flooded, DEGREES, grid, "rate")
    zones = ZONES.to_crs("EPSG:4326").leaves
    slow = {
        "wet": (brute.tally(zones, grid, wet, seen * brute.known(wet)), 1e-10 if fine else 1e-6),
        "people": (brute.tally(zones, grid, people * wet, seen * brute.known(wet), "amount"), 1e-10 if fine else 1e-6),
    }
    assert one.totals is not None
    for quantity, ((totals, unseen), exact) in slow.items():
        for (zone, _), number in totals.items():
            assert float(one.totals[quantity].sel(zone=zone).squeeze()) == pytest.approx(number, rel=exact)
            found = float(one.totals.unseen.sel(quantity=quantity, zone=zone).squeeze())
            assert found == pytest.approx(unseen[zone], rel=1e-10 if fine else 1e-5)
