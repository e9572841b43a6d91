"""Results are a STAC catalog; the item is written last, and once."""

import json
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pystac
import pytest
import rasterio
import shapely

from geomon import Zones, store
from geomon.cli.plans import plan_facts
from geomon.errors import StoreError
from geomon.pipeline import Plan, plan
from geomon.places import create
from geomon.sources.catalog import Catalog
from geomon.sources.records import Origin
from geomon.store import Store, kept_blocks
from tests.engine.made import PLACE, STEP, tif

TREES, WATER, GRASS = 10, 80, 30


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """WorldCover of two years over 40 x 40 cells: trees above, grass below, a lake, a hole in 2021."""
    for year in (2020, 2021):
        codes = np.full((40, 40), GRASS, "uint8")
        codes[:20] = TREES
        codes[30:, 30:] = WATER
        codes[0, 0] = 0 if year == 2021 else TREES
        tif(tmp_path / "maps" / f"cover-{year}.tif", codes, nodata=0)
    ours = Catalog.open()
    cover = ours.collection("esa-worldcover")
    origin = Origin("folder", str(tmp_path / "maps"), pattern="cover-{year}.tif")
    return ours.with_collection(replace(cover, origins=(origin,)))


def zones(*, cells: int = 40) -> Zones:
    """Two halves of a country, side by side."""
    west, north, half = PLACE[2], PLACE[5], cells * STEP / 2
    boxes = [shapely.box(west + n * half, north - cells * STEP, west + (n + 1) * half, north) for n in (0, 1)]
    frame = gpd.GeoDataFrame({"code": ["A", "B"], "parent": ["X", "X"]}, geometry=boxes, crs="EPSG:4326")
    return Zones.of(frame, code="code", name="code", parent="parent")


def asked(catalog: Catalog, store: Path | None, **more: object) -> Plan:
    return plan("15.1.1", zones(), "2020/2021", catalog=catalog, store=store, block=16, **more)


def test_a_run_opens_in_any_stac_browser(catalog: Catalog, tmp_path: Path) -> None:
    asked(catalog, tmp_path / "store").run()
    root = pystac.Catalog.from_file(str(tmp_path / "store" / "catalog.json"))
    found = list(root.get_items(recursive=True))
    assert len(found) == 1
    for document in (root, *root.get_collections(), *found):
        facts = document.to_dict(include_self_link=False)
        facts["stac_extensions"] = []  # their schemas lie on the internet
        pystac.validation.validate_dict(facts)
    for asset in found[0].get_assets().values():
        assert Path(asset.get_absolute_href() or "").is_file()


def test_what_is_said_of_a_file_is_so(catalog: Catalog, tmp_path: Path) -> None:
    made = asked(catalog, tmp_path / "store").run().stored
    assert made is not None
    for asset in made.item["assets"].values():
        content = (made.folder / asset["href"]).read_bytes()
        assert asset["file:size"] == len(content)


def test_the_map_is_a_cog_with_the_classes_of_the_record(catalog: Catalog, tmp_path: Path) -> None:
    made = asked(catalog, tmp_path / "store").run().stored
    assert made is not None
    with rasterio.open(made.maps["2021"]) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (file.nodata, file.crs.to_epsg()) == (255, 4326)
        pixels = file.read(1)
    forest, seen = made.item["assets"]["map-2021"]["classification:classes"]
    assert (seen["value"], forest["value"], forest["name"]) == (0, 1, "forest")
    assert (pixels[1:20] == 1).all() and (pixels[20:] == 0).all() and pixels[0, 0] == 255


def test_a_second_run_is_answered_by_the_store(catalog: Catalog, tmp_path: Path) -> None:
    first, second = (asked(catalog, tmp_path / "store").run() for _ in range(2))
    assert (first.fresh, second.fresh) == (True, False)
    assert first.series.equals(second.series)
    assert len(Store(tmp_path / "store").runs("15.1.1")) == 1


def test_another_definition_is_another_question_and_other_items_another_recipe(catalog: Catalog) -> None:
    from geomon.registry import indicator

    first = asked(catalog, None)
    stricter = replace(indicator("15.1.1"), minimum_coverage=0.9)
    other = plan(stricter, zones(), "2020/2021", catalog=catalog, block=16)
    assert first.question != other.question
    fewer = catalog.collection("esa-worldcover").origins[0]
    maps = Path(fewer.href)
    with rasterio.open(maps / "cover-2021.tif", "r+") as file:
        file.write(np.full((40, 40), TREES, "uint8"), 1)
    os.utime(maps / "cover-2021.tif", (1, 1))
    again = asked(catalog, None)
    assert again.question == first.question
    assert again.id != first.id


def test_a_folder_without_its_item_is_not_a_run(catalog: Catalog, tmp_path: Path) -> None:
    made = asked(catalog, tmp_path / "store").run().stored
    assert made is not None
    (made.folder / f"{made.id}.json").unlink()
    assert Store(tmp_path / "store").runs() == []


def test_finished_blocks_are_used_again(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = asked(catalog, tmp_path / "one").run()
    asking = asked(catalog, tmp_path / "two")
    computed: list[str] = []
    import geomon.tasks as tasks

    whole = tasks.run_task

    def until_the_third(task, setting):  # type: ignore[no-untyped-def]
        computed.append(task.key)
        if len(computed) == 4:
            raise KeyboardInterrupt
        return whole(task, setting)

    monkeypatch.setattr(tasks, "run_task", until_the_third)
    with pytest.raises(KeyboardInterrupt):
        asking.run(workers=1)
    folder = Store(tmp_path / "two").folder("15.1.1", asking.id)
    kept = kept_blocks(folder / "blocks")
    assert len(kept) == 3 and not (folder / f"{asking.id}.json").exists()
    computed[:] = ["", "", "", "", ""]
    resumed = asked(catalog, tmp_path / "two").run()
    assert not kept & set(computed)
    assert resumed.stored is not None and undisturbed.stored is not None
    assert resumed.stored.totals.equals(undisturbed.stored.totals)


def test_two_equal_runs_at_once_do_no_harm(catalog: Catalog, tmp_path: Path) -> None:
    plans = [asked(catalog, tmp_path / "store") for _ in range(2)]
    made: list[object] = []
    both = [threading.Thread(target=lambda p=p: made.append(p.run().series)) for p in plans]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(made) == 2
    (stored,) = Store(tmp_path / "store").runs()
    assert stored.series.equals(made[0]) and stored.series.equals(made[1])
    assert not list(stored.folder.glob(".*"))


@pytest.fixture
def partial(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The next attempt after a run of which the first block was lost."""
    from geomon import tasks

    asking, whole = asked(catalog, tmp_path / "store"), tasks.run_task

    def all_but_one(task, setting):  # type: ignore[no-untyped-def]
        if task.key == asking.tasks[0].key and task.owner is asking.tasks[0].owner:
            raise MemoryError
        return whole(task, setting)

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "run_task", all_but_one)
        assert asking.run(workers=1).stored
    return asked(catalog, tmp_path / "store")


def test_a_plan_counts_the_blocks_that_need_not_be_computed(partial: Plan) -> None:
    """Those of the attempt before, and none of a survey."""
    assert partial.store is not None
    before = partial.store.folder("15.1.1", partial.recipe["before"]) / "blocks"
    create(before / "survey-0-0-16.done", b"")
    kept = len(partial.tasks) - 1
    assert plan_facts(partial, partial.cost)["kept_blocks"] == kept
    assert partial.kept.startswith(f"{kept} of {kept + 1} blocks are kept")


@pytest.mark.parametrize("gone", ["rows.parquet", "npz", "done"])
def test_blocks_that_an_equal_run_took_meanwhile_are_computed_again(
    partial: Plan, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    """It takes the folder away while we copy from it."""
    assert partial.store is not None
    before, read = partial.store.folder("15.1.1", partial.recipe["before"]) / "blocks", store.content

    def content(file: Path) -> bytes:
        if file.parent == before and file.name.endswith(gone):
            shutil.rmtree(before)
        return read(file)

    monkeypatch.setattr(store, "content", content)
    assert not (partial.run(workers=1).reads.status == "failed").any()


def test_create_writes_once(tmp_path: Path) -> None:
    assert create(tmp_path / "item.json", b"first")
    assert not create(tmp_path / "item.json", b"second")
    assert (tmp_path / "item.json").read_bytes() == b"first"


def test_a_run_that_is_not_there_is_told_with_those_that_are(catalog: Catalog, tmp_path: Path) -> None:
    made = asked(catalog, tmp_path / "store").run()
    with pytest.raises(StoreError, match=f"has no run 'nothing'; it has '{made.id}'"):
        Store(tmp_path / "store").run("nothing")


def test_a_store_where_a_file_stands_is_refused_before_anything_is_read(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(StoreError, match=r"cannot be written.*--store"):
        asked(catalog, tmp_path / "store").run()


def test_the_recipe_says_what_a_doubting_reader_asks(catalog: Catalog, tmp_path: Path) -> None:
    made = asked(catalog, tmp_path / "store").run().stored
    assert made is not None
    recipe = made.recipe
    assert recipe["note"].startswith("SDG 15.1.1: forest area")
    assert recipe["breaks"] and recipe["attribution"] and recipe["collections"][0]["licence"]
    assert {year for year in ("2020", "2021") if f"|cover-{year}|" in json.dumps(recipe["items"])} == {"2020", "2021"}
