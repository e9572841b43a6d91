"""What must be refused, each with the cause in the error's name and a sentence that says what to do."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import shapely
import xarray as xr

from geomon import (
    Given,
    Indicator,
    Layer,
    Output,
    Shapes,
    Source,
    Survey,
    amount,
    area,
    classes,
    mean,
    rate,
    share,
    total,
)
from geomon.errors import CatalogError, DefinitionError, GeomonError, InputError
from geomon.pipeline import plan
from geomon.zones import Zone, Zones
from tests.contract.cases import DAY, WORLD, ZONES
from tests.contract.definitions import degraded_land, forest_share, impact_check, night_lights, people_in_flood

FOREST = forest_share.INDICATOR
POLYGONS = Shapes("their-polygons", as_="code", field="flood")


def of(measure: Callable[..., dict], **changes: object) -> Indicator:
    """The forest definition with another measure."""
    return replace(FOREST, measure=measure, **changes)


def run(indicator: Indicator, periods: tuple[str, ...] = ("2020",), **asked: object) -> object:
    """A run on the small country."""
    return plan(indicator, asked.pop("zones", ZONES), periods, catalog=WORLD, block=64, **asked).run(workers=1)


def two_sights(cover: xr.DataArray, reference: xr.DataArray) -> dict:
    """A share of two totals that were not seen on the same ground."""
    return {"forest": (cover == 10) & (reference > 0), "land": cover != 80}


def bare_land(cover: xr.DataArray) -> dict:
    """All ground as the whole: also that on which no forest could be seen."""
    return {"forest": cover == 10, "land": area()}


TWO = {"cover": Source("cover"), "reference": Source("reference")}
TWO_COVERS = {"a": Source("cover"), "b": Source("reference")}
REFUSED: dict[str, tuple[type[GeomonError], str, Callable[[], object]]] = {
    "a bare float": (
        DefinitionError,
        "forest is a plain number",
        lambda: run(of(lambda cover: {"forest": (cover == 10) * 0.3})),
    ),
    "an area above one": (DefinitionError, "at most 1", lambda: run(of(lambda cover: {"forest": area(cover)}))),
    "a negative area": (
        DefinitionError,
        "negative area",
        lambda: run(of(lambda cover: {"forest": area((cover == 10) * -1.0)})),
    ),
    "a negative amount": (
        DefinitionError,
        "Is it a rate",
        lambda: run(of(lambda cover: {"people": amount(cover - 50, "people")})),
    ),
    "a key named as a quantity": (
        DefinitionError,
        "also the name of a quantity",
        lambda: run(of(lambda cover: {"a": area().by(land=cover), "land": cover == 10})),
    ),
    "a quantity named as a part of totals": (
        DefinitionError,
        "'seen' is a name",
        lambda: run(of(lambda cover: {"seen": cover == 10})),
    ),
    "a share of two sights": (
        DefinitionError,
        "not seen on the same ground",
        lambda: run(of(two_sights, sources=TWO)),
    ),
    "a share of bare ground": (DefinitionError, "not seen on the same ground", lambda: run(of(bare_land))),
    "a time axis that is left": (
        DefinitionError,
        "still has the axis 'time'",
        lambda: run(replace(FOREST, sources={"cover": Source("cover", window="period")})),
    ),
    "numbers for other pixels": (
        DefinitionError,
        "Keep one for each pixel",
        lambda: run(of(lambda cover: {"forest": cover.values[:3] == 10})),
    ),
    "another unit": (
        DefinitionError,
        "its totals are in 'K m2'",
        lambda: run(of(lambda cover: {"x": rate(cover, "K")}, outputs={"x": Output(total("x"), "km2")})),
    ),
    "a mean of classes": (
        DefinitionError,
        "a rate() that is not kept apart",
        lambda: run(
            replace(
                night_lights.INDICATOR,
                measure=lambda radiance: {"light": rate(radiance, "K").by(bright=radiance > 0)},
                outputs={"mean": Output(mean("light"), "K")},
            )
        ),
    ),
    "a key that is not there": (
        DefinitionError,
        "not kept apart by 'sttus' but by 'status'. Did you mean 'status'?",
        lambda: run(
            of(
                lambda cover: {"land": area().by(status=cover * 1.0)},
                outputs={"x": Output(share("land", of="land", sttus=10), "percent")},
                map="",
            )
        ),
    ),
    "two dates in a period": (InputError, "has 2 dates in 2020/2021", lambda: run(FOREST, ("2020/2021",))),
    "the same period twice": (
        InputError,
        "asked for '2020' twice. Name each period once",
        lambda: run(FOREST, ("2020", "2021", "2020")),
    ),
    "no period": (InputError, "asked for no period", lambda: run(FOREST, ())),
    "polygons without an extent": (
        InputError,
        "need the extent that was analysed",
        lambda: run(impact_check.INDICATOR, (DAY,), use={"theirs": POLYGONS}),
    ),
    "a place that was not filled": (
        InputError,
        "toy-impact needs theirs: an impact map",
        lambda: plan(impact_check.INDICATOR, ZONES, (DAY,), catalog=WORLD, use={"ours": Source("reference")}),
    ),
    "a source that is none": (
        InputError,
        "no source 'covre'; it has 'cover'. Did you mean 'cover'?",
        lambda: run(FOREST, use={"covre": Source("cover")}),
    ),
    "a product that is none": (InputError, "neither the name of a product", lambda: run(FOREST, use={"cover": 3})),
    "a choice that is none": (
        InputError,
        "profile='mine' is none of 'gpg_v2_2021'",
        lambda: run(degraded_land.INDICATOR, ("2016/2019",), params={"profile": "mine"}),
    ),
    "a param that is none": (
        InputError,
        "no choice 'profil'",
        lambda: run(degraded_land.INDICATOR, ("2016/2019",), params={"profil": "mine"}),
    ),
    "a collection that is none": (
        CatalogError,
        "no collection 'covers'",
        lambda: run(FOREST, use={"cover": "covers"}),
    ),
    "a band that is none": (CatalogError, "has no band 'mapp'", lambda: run(FOREST, use={"cover": "cover:mapp"})),
    "a class group that is none": (
        CatalogError,
        "cover has no class group 'forrest'; it has 'built', 'crop', 'forest', 'water'. Did you mean 'forest'?",
        lambda: run(of(lambda cover: {"forest": classes(cover, "forrest")})),
    ),
    "a period without data": (CatalogError, "Nothing found of cover for 1999", lambda: run(FOREST, ("1999",))),
    "zones beyond the data": (
        CatalogError,
        "Nothing found of cover",
        lambda: run(FOREST, zones=Zones((Zone("far", "", "", shapely.box(9e5, 5e6, 9.1e5, 5.1e6)),), ZONES.crs)),
    ),
    "arguments that do not match": (
        DefinitionError,
        "takes 'cover', 'slope' but the record names the sources 'cover'",
        lambda: of(lambda cover, slope: {}),
    ),
    "keywords that do not match": (
        DefinitionError,
        "the record names the params none",
        lambda: of(measure_of_profile),
    ),
    "a grid that is no source": (
        DefinitionError,
        "grid='covre' is none of its sources 'cover'. Did you mean 'cover'?",
        lambda: replace(FOREST, grid="covre"),
    ),
    "a layer's grid that is no source": (
        DefinitionError,
        "grid='rainn' is none of its sources 'rain'",
        lambda: Layer(of_rain, {"rain": Source("rain")}, grid="rainn"),
    ),
    "a survey's grid that is no source": (
        DefinitionError,
        "grid='rainn' is none of its sources",
        lambda: Survey(of_rain, len, {"rain": Source("rain")}, grid="rainn"),
    ),
    "shapes as the grid": (
        DefinitionError,
        "has no pixels of its own",
        lambda: replace(FOREST, sources={"cover": Shapes("roads")}),
    ),
    "lengths among sources": (
        DefinitionError,
        "lengths of roads belong into sums",
        lambda: replace(FOREST, sources={"cover": Shapes("roads", as_="length")}),
    ),
    "a layer in sums": (
        DefinitionError,
        "in sums is added up as it is",
        lambda: replace(people_in_flood.INDICATOR, sums={"x": Layer(of_rain, {"rain": Source("rain")})}),
    ),
    "polygons in sums": (
        DefinitionError,
        "in sums is added up as it is",
        lambda: replace(people_in_flood.INDICATOR, sums={"x": Shapes("roads")}),
    ),
    "classes in sums": (
        DefinitionError,
        "which cannot be added up",
        lambda: run(replace(people_in_flood.INDICATOR, sums={"population": Source("reference")}), (DAY,)),
    ),
    "a sum named as a measured quantity": (
        DefinitionError,
        "'forest' is measured and also in sums",
        lambda: run(of(lambda cover: {"forest": cover == 10}, sums={"forest": Source("people")})),
    ),
    "an output of what is not measured": (
        DefinitionError,
        "x reads 'forrest', which was not measured; there are 'forest', 'land'. Did you mean 'forest'?",
        lambda: run(replace(FOREST, outputs={"x": Output(total("forrest"), "km2")})),
    ),
    "a map of what is not measured": (
        DefinitionError,
        "map reads 'forrest', which was not measured; there are 'forest', 'land'. Did you mean 'forest'?",
        lambda: run(replace(FOREST, map="forrest")),
    ),
    "a value that does not take totals": (
        DefinitionError,
        "takes 'sums': name its first argument 'totals'",
        lambda: Output(lambda sums: sums["forest"], "m2"),
    ),
    "a measure that gives an array": (
        DefinitionError,
        "gave DataArray: give a dict",
        lambda: run(of(lambda cover: cover == 10)),
    ),
    "the unit of a source that is none": (
        DefinitionError,
        "asks for the unit of 'covre', which is none of its sources 'cover'. Did you mean 'cover'?",
        lambda: replace(FOREST, outputs={"x": Output(total("forest"), "{covre} km2")}),
    ),
    "one product for a layer of several": (
        InputError,
        "cover is made of 'a', 'b', so 'reference' cannot stand for it",
        lambda: run(replace(FOREST, sources={"cover": Layer(of_two, TWO_COVERS)}), use={"cover": "reference"}),
    ),
    "a window that is none": (DefinitionError, "has the window 'lastt'", lambda: Source("cover", window="lastt")),
    "a kind that is none": (
        DefinitionError,
        "pixels of kind 'count'",
        lambda: Layer(of_rain, {"rain": Source("rain")}, kind="count"),
    ),
    "a margin that is none": (
        DefinitionError,
        "has the margin '7 km'",
        lambda: Layer(of_rain, {"rain": Source("rain")}, margin="7 km"),
    ),
    "codes without a field": (DefinitionError, "need field=", lambda: Shapes("corrections", as_="code")),
    "a pinned period that is none": (InputError, "'20' is not a period", lambda: Source("cover", period="20")),
}


def of_rain(rain: xr.DataArray) -> xr.DataArray:
    """A kernel of one source."""
    return rain


def of_two(a: xr.DataArray, b: xr.DataArray) -> xr.DataArray:
    """A kernel of two sources."""
    return a.where(b > 0)


def measure_of_profile(cover: xr.DataArray, *, profile: str) -> dict:
    """A measure with a param that the record does not have."""
    return {"forest": cover == 10}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str) -> None:
    error, words, ask = REFUSED[what]
    with pytest.raises(error) as refusal:
        ask()
    assert words in str(refusal.value)


def test_a_given_place_may_be_optional() -> None:
    def measure(cover: xr.DataArray, theirs: xr.DataArray | None = None) -> dict:
        return {"forest": classes(cover, "forest"), "land": ~classes(cover, "water")}

    indicator = of(measure, sources={"cover": Source("cover"), "theirs": Given("a map")})
    assert plan(indicator, ZONES, ("2020",), catalog=WORLD).cost["blocks"]
