"""What people hand in by mistake: what was asked, what was there, what to do; nothing half-finished is left."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from typer.testing import CliRunner

from geomon.cli import app
from geomon.store import Store, StoredRun
from tests.engine import loopback
from tests.engine.little import Little, asked, bind, draw, little, write
from tests.engine.made import item, static, tif

YEARS = (2020, 2021)
WEST, EAST = shapely.box(10, 49.6, 10.2, 50), shapely.box(10.2, 49.6, 10.4, 50)
MINE = '''"""Trees on slopes, of somebody's own."""

from geomon import Indicator, Output, Source, classes, total


def measure(cover, slope):
    return {"forest": classes(cover, "forest") & (slope > 10)}


INDICATOR = Indicator(
    code="mine",
    title="Trees on slopes",
    sources={"cover": Source("esa-worldcover")},
    grid="cover",
    measure=measure,
    outputs={"forest": Output(total("forest"), "km2")},
)
'''


@pytest.fixture
def made(tmp_path: Path, use_workspace: Callable[..., None]) -> Little:
    """The little country, its workspace in use."""
    country = little(tmp_path)
    use_workspace(country.workspace)
    return country


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of a command."""
    answer = CliRunner().invoke(app, [*arguments, "--json"])
    assert "Traceback" not in answer.stderr
    return answer.exit_code, json.loads(answer.stdout)


def refused(made: Little, *arguments: str) -> tuple[str, str]:
    """Class and message of a refusal that left nothing in the store."""
    code, facts = run(*(arguments or asked(made)))
    assert code == 1, facts
    assert [file for file in made.store.rglob("*") if file.is_file()] == []
    return facts["error"]["class"], facts["error"]["message"]


def without(made: Little, why: str, *arguments: str) -> StoredRun:
    """The run that went on without the map of 2021: a whole run, values withheld, one failed read that says why."""
    code, facts = run(*(arguments or asked(made)))
    assert (code, facts["status"], facts["reads"]["failed"]) == (3, "partial", 1)
    (stored,) = Store(made.store).runs()
    (lost,) = stored.reads[stored.reads.status == "failed"].itertuples()
    assert (lost.item, lost.why) == ("cover-2021", why)
    series = stored.series.set_index(["ref_area", "time_period"])
    assert series.obs_value.xs("2020", level="time_period").notna().all()
    assert series.obs_value.xs("2021", level="time_period").isna().all()
    assert (series.coverage.xs("2021", level="time_period") == 0).all()
    assert series.obs_status["A", "2021"] == "nothing was seen; 1 file could not be read"
    assert not (stored.folder / "blocks").exists()
    return stored


def items(made: Little, hrefs: dict[int, str], *, proj: bool = True) -> None:
    """Our WorldCover from a static catalogue with these files."""
    spans = {y: (f"{y}-01-01T00:00:00Z", f"{y}-12-31T23:59:59Z") for y in hrefs}
    known = [
        item(f"cover-{y}", {"map": {"href": href}}, time=spans[y], shape=(made.cells, made.cells), proj=proj)
        for y, href in hrefs.items()
    ]
    bind(made, {"type": "static", "href": str(static(made.folder / "stac", known)), "collection": "made"})


# Files ----------------------------------------------------------------------------------------------------------


def test_a_corrupt_file_lowers_the_coverage_and_is_a_row(made: Little) -> None:
    file = made.maps / "cover-2021.tif"
    with rasterio.open(file) as raster:
        windows = [place for place, _ in raster.block_windows(1)]
        tags = [
            [int(raster.get_tag_item(f"BLOCK_{what}_{j}_{i}", "TIFF", bidx=1)) for what in ("OFFSET", "SIZE")]
            for i, j in windows
        ]
    content = bytearray(file.read_bytes())
    for start, size in tags:
        content[start : start + size] = b"\xff" * size
    file.write_bytes(content)
    without(made, "its pixels cannot be decoded")


@pytest.mark.parametrize("proj", [True, False], ids=["placed by its item", "placed by its header"])
def test_a_missing_file_lowers_the_coverage_and_is_a_row(made: Little, proj: bool) -> None:
    (made.maps / "cover-2021.tif").unlink()
    items(made, {y: str(made.maps / f"cover-{y}.tif") for y in YEARS}, proj=proj)
    without(made, "there is no such file")


def test_if_every_file_is_missing_nothing_is_run(made: Little) -> None:
    items(made, {y: str(made.maps / f"nothing-{y}.tif") for y in YEARS}, proj=False)
    kind, message = refused(made)
    assert kind == "CatalogError"
    assert "cover-2020: there is no such file; cover-2021: there is no such file" in message
    assert "Mend the files, or take another source." in message


def test_an_address_that_is_not_found_lowers_the_coverage_and_is_a_row(made: Little) -> None:
    with loopback.serving(made.maps) as server:
        items(made, {2020: f"{server.url}/cover-2020.tif", 2021: f"{server.url}/gone.tif"})
        stored = without(made, "the server answered 404 (not found)")
    (lost,) = stored.reads[stored.reads.status == "failed"].itertuples()
    assert lost.tries == 1  # what is not there will not be there in a second
    assert stored.reads.href.str.endswith("/gone.tif").sum() == 1


def test_a_band_that_marks_unseen_pixels_in_no_way_is_refused(made: Little) -> None:
    tif(made.maps / "lights-2020.tif", np.ones((40, 40), "int16"))
    band = {"asset": "data", "kind": "rate", "unit": "nW cm-2 sr-1"}
    origin = {"type": "folder", "href": str(made.maps), "pattern": "lights-{year}.tif"}
    write(made, "my-lights", {"id": "my-lights", "geomon:bands": {"light": band}, "geomon:origins": [origin]})
    lights = ["run", "night-lights", "-z", str(made.zones), "-p", "2020", "--store", str(made.store)]
    kind, message = refused(made, *lights, "--use", "radiance=my-lights")
    assert kind == "CatalogError"
    assert "'light' of lights-2020 marks unseen pixels in no way" in message
    assert "neither the collection nor the item nor the file names a nodata value, and it has no legend" in message
    assert 'Add "nodata" to the band' in message


def test_a_file_without_a_crs_is_refused(made: Little) -> None:
    tif(made.maps / "cover-2021.tif", np.full((40, 40), 10, "uint8"), crs=None, nodata=0)
    kind, message = refused(made)
    assert kind == "CatalogError"
    assert f"{made.maps / 'cover-2021.tif'} has no CRS, and its item names none" in message
    assert "Add proj:code to the item, or write the CRS into the file" in message


def test_a_class_group_that_does_not_exist_is_told_with_those_that_do(made: Little) -> None:
    classes = [{"value": 10, "name": "trees", "groups": ["forrest"]}, {"value": 30, "name": "grass"}]
    classes += [{"value": 80, "name": "lake", "groups": ["water"]}, {"value": 0, "name": "none", "nodata": True}]
    origin = {"type": "folder", "href": str(made.maps), "pattern": "cover-{year}.tif"}
    band = {"asset": "data", "kind": "class", "classes": classes}
    write(made, "my-map", {"id": "my-map", "geomon:bands": {"map": band}, "geomon:origins": [origin]})
    assert refused(made, *asked(made, "--use", "cover=my-map")) == (
        "CatalogError",
        "my-map has no class group 'forest'; it has 'forrest', 'grass', 'lake', 'trees', 'water'. "
        "Did you mean 'forrest'?",
    )


# Zones ----------------------------------------------------------------------------------------------------------


def test_zones_that_lie_elsewhere_are_refused_with_the_place(made: Little) -> None:
    draw(made.zones, {"A": shapely.box(100, 10, 101, 11)})
    kind, message = refused(made)
    assert kind == "CatalogError"
    assert "esa-worldcover band 'map' for 2020/2021 in the box 100, 10, 101, 11" in message
    assert "it has '2020', '2021'; of these some lie in the period, but not in the box" in message
    assert "Ask for another period or place." in message


def test_one_zone_outside_the_data_has_no_value_and_is_named_before_the_run(made: Little) -> None:
    draw(made.zones, {"A": WEST, "B": shapely.box(30, 49.6, 30.2, 50)})
    code, facts = run(*asked(made))
    assert code == 3
    assert "No image of esa-worldcover touches 'B': no value there. Is the file of zones right?" in facts["remarks"]
    series = pd.DataFrame(facts["series"]).set_index(["ref_area", "time_period"])
    assert series.obs_status["B", "2020"] == "nothing was seen"
    assert series.obs_status["A", "2020"] == "" and series.obs_value["A", "2020"] == pytest.approx(50, abs=0.2)


@pytest.mark.parametrize(
    "flat", [shapely.box(10.3, 49.6, 10.3, 50), shapely.Polygon([(10, 49.6), (10.1, 49.6), (10, 49.6)])]
)
def test_a_zone_without_area_is_refused(made: Little, flat: shapely.Polygon) -> None:
    draw(made.zones, {"A": WEST, "B": flat})
    assert refused(made) == (
        "ZoneError",
        "'B' has no area: its outline is a line or a point. Draw it again, or leave it out.",
    )


def test_a_zone_that_crosses_itself_is_repaired_and_reported(made: Little) -> None:
    bowtie = shapely.Polygon([(10.2, 49.6), (10.4, 50), (10.4, 49.6), (10.2, 50)])
    draw(made.zones, {"A": WEST, "B": bowtie})
    code, facts = run(*asked(made))
    assert code == 0
    (said,) = [r for r in facts["remarks"] if "'B'" in r]
    assert said.startswith("'B' has an invalid outline (Self-intersection") and "repaired" in said
    (stored,) = Store(made.store).runs()
    assert said in stored.recipe["zones"]["remarks"]
    assert stored.zones.set_index("code").geometry["B"].area == pytest.approx(0.2 * 0.4 / 2)


def test_two_zones_with_one_code_are_refused_or_united_if_that_is_said(made: Little) -> None:
    draw(made.zones, {"A": WEST, "B": EAST}, code=["A", "A"])
    kind, message = refused(made)
    assert kind == "ZoneError"
    assert message.startswith("zones.geojson has several zones with one code: 'A'. Give each its own code")
    code, facts = run(*asked(made, "--dissolve"))
    assert code == 0 and {r["ref_area"] for r in facts["series"]} == {"A", "X"}


# Searches -------------------------------------------------------------------------------------------------------


def test_an_empty_search_says_what_was_asked_and_what_there_is(made: Little) -> None:
    with loopback.serving() as server:
        base = loopback.api(server, {"made": []})
        bind(made, {"type": "stac-api", "href": base, "collection": "made"})
        kind, message = refused(made)
    assert kind == "CatalogError"
    assert "Nothing found of esa-worldcover band 'map' for 2020/2021 in the box 10, 49.6, 10.4, 50" in message
    assert "its items run from 2020-01-01 to 2021-12-31" in message
    assert "Ask for another period or place." in message


def test_a_period_without_data_is_refused_with_those_that_have(made: Little) -> None:
    kind, message = refused(made, *asked(made, period="1990"))
    assert kind == "CatalogError"
    assert "for 1990 in the box" in message and "it has '2020', '2021'" in message


def test_periods_without_data_among_others_are_rows_with_the_reason(made: Little) -> None:
    code, facts = run(*asked(made, period="2019/2020"))
    assert (code, facts["withheld"], facts["values"]) == (3, 3, 3)
    assert {r["obs_status"] for r in facts["series"] if r["time_period"] == "2019"} == {"no image was found"}


def test_what_is_no_period_is_refused(made: Little) -> None:
    assert refused(made, *asked(made, period="202")) == (
        "InputError",
        "'202' is not a period. Write '2020', '2020-03', '2020-03-05' or '2016/2019'.",
    )


# Definitions, stores, statistics --------------------------------------------------------------------------------


def test_a_definition_whose_arguments_do_not_match_is_refused(made: Little) -> None:
    file = made.workspace / "indicators" / "mine.py"
    file.parent.mkdir()
    file.write_text(MINE)
    assert refused(made, "run", "mine", *asked(made)[2:]) == (
        "DefinitionError",
        "mine: measure takes 'cover', 'slope' but the record names the sources 'cover'. "
        "Add 'slope' where it is missing, in mine.py.",
    )


def test_an_indicator_that_does_not_exist_is_told_with_the_nearest(made: Little) -> None:
    kind, message = refused(made, "run", "15.1.2", *asked(made)[2:])
    assert kind == "InputError"
    assert message.startswith("There is no indicator '15.1.2'; there are '15.1.1', ")
    assert message.endswith("Did you mean '15.1.1'?")


def test_a_store_where_a_file_stands_is_refused_and_the_file_kept(made: Little) -> None:
    made.store.write_text("notes")
    kind, message = refused(made)
    assert kind == "StoreError"
    assert f"The store {made.store} cannot be written" in message
    assert "Name a folder or a bucket that you may write with --store" in message
    assert made.store.read_text() == "notes"


def test_a_store_that_is_a_file_is_not_an_empty_store(made: Little) -> None:
    made.store.write_text("notes")
    answer = CliRunner().invoke(app, ["store", "--store", str(made.store)])
    assert answer.exit_code == 1
    assert answer.stderr.startswith(f"StoreError: The store {made.store} is a file, not a folder.")


def test_statistics_that_are_not_there_are_refused_before_anything_is_read(made: Little) -> None:
    kind, message = refused(made, *asked(made, "--official", str(made.folder / "none.csv")))
    assert kind == "InputError"
    assert "none.csv, which cannot be read" in message and "Check the path." in message
