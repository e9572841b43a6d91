"""Numbers on real data, through the whole of geomon: `python -m tests.real` prints one JSON line for each."""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely

from geomon import Zones, workspace
from geomon.pipeline import Run, run
from geomon.registry import indicator

HERE = Path(__file__).resolve().parent
CHIPS = {
    "spain-7370579": "2019-09-17",
    "spain-6860600": "2019-09-17",
    "nigeria-812045": "2018-09-21",
}


@dataclass(frozen=True)
class Number:
    """A value as it leaves geomon."""

    name: str
    value: float
    unit: str
    coverage: float


def shared() -> Path:
    """The real data beside the repository, or where GEOMON_SHARED_DATA says."""
    return Path(os.environ.get("GEOMON_SHARED_DATA") or HERE.parents[2] / "shared" / "data").resolve()


def numbers() -> Iterator[Number]:
    """All of them, in a workspace that binds our collections to the shared catalog."""
    before = os.environ.get(workspace.VARIABLE, "")
    workspace.use(HERE / "workspace")
    try:
        for part in (forest_of_stp, forest_of_neiba, water_at_manso, water_on_chips, people_of_burundi, lights_of_stp):
            yield from part()
    finally:
        workspace.use(*filter(None, before.split(os.pathsep)))


def forest_of_stp() -> Iterator[Number]:
    """Tree cover and mangroves as a share of the observed land, by unit and for the country."""
    zones = Zones.read(shared() / "vectors" / "ocha_adm1_stp_gab_gnq.geojson").select(["ST"])
    for row in run("15.1.1", zones, "2020/2021").series.itertuples():
        unit = "" if row.ref_area == "ST" else f"-{row.ref_area}"
        yield Number(f"stp-forest-{row.time_period}{unit}", row.obs_value, row.unit_measure, row.coverage)


def forest_of_neiba() -> Iterator[Number]:
    """Hectares of all and of closed forest on the whole raster, year by year."""
    raster = shared() / "collections/cgls-lc100-neiba/lc100-neiba-2015/lc100-neiba-2015-discrete.tif"
    for row in run("forest-area", whole(raster), "2015/2019").series.itertuples():
        name = {"forest": "neiba-forest", "closed": "neiba-closed-forest"}[row.series]
        yield Number(f"{name}-{row.time_period}", row.obs_value, row.unit_measure, row.coverage)


def water_at_manso() -> Iterator[Number]:
    """Hectares of permanent (12 months) and seasonal (1 to 11) water on the whole raster."""
    raster = shared() / "collections/jrc-gsw-manso/gsw-aggregated-manso/gsw-aggregated-manso-seasonality.tif"
    made = run("6.6.1", whole(raster), "2020", use={"yearly": "jrc-gsw:seasonality"})
    for row in made.series.itertuples():
        yield Number(f"manso-{row.series}", 100 * row.obs_value, "ha", row.coverage)


def water_on_chips() -> Iterator[Number]:
    """Intersection over union of our published water map with the label drawn by hand, pixel by pixel."""
    for chip, day in CHIPS.items():
        folder = shared() / "collections/sen1floods11-chips" / chip
        with tempfile.TemporaryDirectory() as store:
            made = run("water-extent", whole(folder / "s1.tif"), day, store=store)
            assert made.stored is not None
            with rasterio.open(made.stored.maps[day]) as ours, rasterio.open(folder / "label.tif") as theirs:
                place = theirs.window(*ours.bounds)
                water = ours.read(1)
                label = theirs.read(1, window=place.round_offsets().round_lengths())
            both = (water != 255) & (label >= 0)
            wet, drawn = (water == 1) & both, (label == 1) & both
            share = float((wet & drawn).sum() / (wet | drawn).sum())
        yield Number(f"water-iou-{chip}", share, "1", seen(made))


def people_of_burundi() -> Iterator[Number]:
    """People within the Natural Earth outline."""
    countries = gpd.read_parquet(shared() / "vectors" / "ne_10m_selected_countries.parquet")
    burundi = countries[countries["adm0_a3"] == "BDI"]
    made = run("population", Zones.of(burundi, code="adm0_a3", name="name", parent=""), "2000/2020")
    yield Number("bdi-population", float(made.series.obs_value.iloc[0]), "people", seen(made))


def lights_of_stp() -> Iterator[Number]:
    """Plain sums of pixels, and the area-weighted indicator under names of its own; two sensors, two series."""
    lit = replace(indicator("night-lights"), minimum_coverage=0.0)
    for name, product, period, file in (
        ("stp-lights-dmsp-1992", "dmsp-night-lights", "1992", "dmsp-ols-stp-1992/dmsp-ols-stp-1992-stable.tif"),
        (
            "stp-lights-viirs-2014-01",
            "viirs-night-lights",
            "2014-01",
            "viirs-dnb-stp-201401/viirs-dnb-stp-201401-radiance.tif",
        ),
    ):
        zones = whole(shared() / "collections/ntl-stp" / file)
        made = run("plain-lights", zones, [period], use={"radiance": product})
        yield Number(name, float(made.series.obs_value.iloc[0]), made.series.unit_measure.iloc[0], seen(made))
        made = run(lit, zones, [period], use={"radiance": product})
        for row in made.series.itertuples():
            yield Number(f"{name}-area-weighted-{row.series}", row.obs_value, row.unit_measure, row.coverage)


def whole(raster: Path) -> Zones:
    """The ground of a raster as one zone."""
    with rasterio.open(raster) as file:
        frame = gpd.GeoDataFrame({"code": ["whole"], "name": ["whole raster"]}, geometry=[shapely.box(*file.bounds)])
        return Zones.of(frame.set_crs(file.crs), code="code", name="name", parent="")


def seen(made: Run) -> float:
    """Coverage of a run of one zone and period."""
    return float(made.series.coverage.iloc[0])


def lines() -> Iterator[str]:
    """One JSON object for each number."""
    for number in numbers():
        yield json.dumps({k: None if isinstance(v, float) and np.isnan(v) else v for k, v in asdict(number).items()})
