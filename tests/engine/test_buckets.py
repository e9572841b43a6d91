"""Results in a bucket and pixels from one: the same numbers, through refusals and restarts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
import pandas as pd
import pytest

from geomon.errors import StoreError
from geomon.pipeline import Plan, plan
from geomon.places import atomic, clear, content, create, options, place, table
from geomon.sources.catalog import Catalog
from geomon.store import Store, kept_blocks
from tests.engine.buckets import BUCKET, S3, s3
from tests.engine.little import Little, little, started

YEARS = "2020/2021"


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    with s3(monkeypatch) as made:
        yield made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Little:
    return little(tmp_path_factory.mktemp("country"))


def planned(made: Little, store: str | Path, catalog: Catalog | None = None, block: int = 16) -> Plan:
    ours = catalog or Catalog.open(made.workspace / "catalogs", Path("catalogs"))
    return plan("15.1.1", str(made.zones), YEARS, catalog=ours, store=store, block=block)


def numbers(series: pd.DataFrame) -> list[object]:
    return series[["ref_area", "time_period", "obs_value", "lower", "upper", "coverage"]].values.tolist()


@pytest.fixture(scope="module")
def expected(made: Little, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    return numbers(planned(made, tmp_path_factory.mktemp("store")).run().series)


def test_a_store_in_a_bucket_is_the_same_store(made: Little, there: S3, expected: list[object]) -> None:
    address = f"{there.address}/results"
    run = planned(made, address).run()
    assert run.fresh and numbers(run.series) == expected
    (stored,) = Store(address).runs()
    assert (stored.id, numbers(stored.series)) == (run.id, expected)
    assert stored.zones.crs == "EPSG:4326" and len(stored.reads) and stored.check is None
    assert sorted(stored.maps) == ["2020", "2021"]
    assert not [k for k in there.names() if "/blocks/" in k]  # cleared once it is published
    assert f"results/15.1.1/{run.id}/{run.id}.json" in there.names()
    catalog = json.loads(there.client.get_object(Bucket=BUCKET, Key="results/catalog.json")["Body"].read())
    assert catalog["type"] == "Catalog"
    again = planned(made, address).run()
    assert not again.fresh and numbers(again.series) == expected


def test_a_map_in_a_bucket_is_a_source(made: Little, there: S3, expected: list[object]) -> None:
    address = f"{there.address}/results"
    planned(made, address).run()
    ours = Catalog.open(made.workspace / "catalogs", Path("catalogs"))
    run = plan("15.1.1", str(made.zones), "2020", catalog=ours, store=address, block=16, use={"cover": "runs/15.1.1"})
    scenes = next(iter(run.setting.scenes.values()))
    assert scenes[0].granules[0].href.startswith("s3://")


def test_pixels_from_a_bucket(made: Little, there: S3, expected: list[object], tmp_path: Path) -> None:
    """A catalogue, a static STAC and its files, all in the bucket."""
    there.upload(made.maps, "maps")
    granule = {"2020": "cover-2020.tif", "2021": "cover-2021.tif"}
    local = planned(made, tmp_path / "local")
    items = []
    for scenes in local.setting.scenes.values():
        for scene in scenes:
            (g,) = scene.granules
            items.append(item(scene.label, granule[scene.label], g.crs, g.transform, g.shape))
    write_static(there, items)
    ours = Catalog.open(f"{there.address}/catalogs", Path("catalogs"))
    run = planned(made, tmp_path / "store", ours).run()
    assert numbers(run.series) == expected
    assert run.reads.href.str.startswith("s3://").all() and (run.reads.status == "ok").all()


def item(year: str, file: str, crs: str, transform: tuple[float, ...], shape: tuple[int, int]) -> dict[str, object]:
    west, north = transform[2], transform[5]
    east, south = west + transform[0] * shape[1], north + transform[4] * shape[0]
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [],
        "id": f"cover-{year}",
        "collection": "esa-worldcover",
        "bbox": [west, south, east, north],
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {
            "datetime": f"{year}-01-01T00:00:00Z",
            "start_datetime": f"{year}-01-01T00:00:00Z",
            "end_datetime": f"{year}-12-31T23:59:59Z",
            "proj:code": crs,
            "proj:transform": list(transform),
            "proj:shape": list(shape),
        },
        "links": [],
        "assets": {"map": {"href": f"../maps/{file}", "roles": ["data"]}},
    }


def write_static(there: S3, items: list[dict[str, object]]) -> None:
    def put(key: str, document: object) -> None:
        there.client.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document).encode())

    for one in items:
        put(f"stac/{one['id']}.json", one)
    put(
        "stac/collection.json",
        {
            "type": "Collection",
            "stac_version": "1.0.0",
            "id": "esa-worldcover",
            "description": "In a bucket",
            "license": "other",
            "extent": {
                "spatial": {"bbox": [[-180, -90, 180, 90]]},
                "temporal": {"interval": [["2020-01-01T00:00:00Z", "2021-12-31T23:59:59Z"]]},
            },
            "links": [{"rel": "item", "href": f"./{one['id']}.json"} for one in items],
        },
    )
    put(
        "catalogs/esa-worldcover/collection.json",
        {
            "id": "esa-worldcover",
            "geomon:extends": "esa-worldcover",
            "geomon:origins": [{"type": "static", "href": "../../stac/collection.json"}],
        },
    )


def test_refusals_for_a_while_change_nothing(made: Little, there: S3, expected: list[object], tmp_path: Path) -> None:
    """Every third request is answered by 503, for reads and writes alike."""
    there.upload(made.maps, "maps")
    there.every = 3
    run = planned(made, f"{there.address}/results").run()
    there.every = 0
    assert numbers(run.series) == expected
    assert numbers(Store(f"{there.address}/results").run(run.id).series) == expected


def test_blocks_in_a_bucket_are_not_computed_twice(made: Little, there: S3, expected: list[object]) -> None:
    asked = planned(made, f"{there.address}/results")
    assert asked.store is not None
    folder = asked.store.open_for("15.1.1", asked.id)
    first = planned(made, f"{there.address}/results")

    class Stopped(Exception):
        pass

    def stop(done: int, all_: int) -> None:
        if done >= 3:
            raise Stopped

    with pytest.raises(Stopped):
        first.run(stop, workers=1)
    kept = kept_blocks(folder / "blocks")
    assert 3 <= len(kept) < len(first.tasks)
    before, asked_before = {k for k in there.names() if "/blocks/" in k}, len(there.asked)
    counted: list[tuple[int, int]] = []
    run = planned(made, f"{there.address}/results").run(lambda done, all_: counted.append((done, all_)))
    assert numbers(run.series) == expected
    assert counted[0][0] > len(kept)
    written = {path.removeprefix(f"/{BUCKET}/") for method, path in there.asked[asked_before:] if method == "PUT"}
    assert any("/blocks/" in k for k in written) and not before & written


def test_of_two_writers_the_first_stays(there: S3) -> None:
    item = place(f"{there.address}/x/item.json")
    assert create(item, b"first") and not create(item, b"second")
    assert item.read_bytes() == b"first"
    with atomic(place(f"{there.address}/x/t.parquet")) as path:
        pd.DataFrame({"a": [1, 2]}).to_parquet(path)
    assert table(place(f"{there.address}/x/t.parquet")).a.tolist() == [1, 2]
    assert not path.exists()
    clear(place(f"{there.address}/x"))
    assert there.names() == []


def test_a_name_may_hold_any_character(there: S3, tmp_path: Path) -> None:
    for folder in (there.address, str(tmp_path)):
        for name in ("a#1", "a#2", "a?1", "a b"):
            assert create(place(f"{folder}/{name}"), name.encode())
            assert content(place(f"{folder}/{name}")) == name.encode()
    assert there.names() == ["a b", "a#1", "a#2", "a?1"]


def test_a_put_whose_answer_was_lost_has_written(there: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The bucket stores the object and the 503 comes after; the repetition is refused."""
    put = obstore.put

    def twice(*arguments: Any, **options: Any) -> Any:
        put(*arguments, **options)
        return put(*arguments, **options)

    monkeypatch.setattr(obstore, "put", twice)
    assert create(place(f"{there.address}/item.json"), b"ours")
    monkeypatch.undo()
    local = tmp_path / "item.json"
    assert [create(local, b) for b in (b"ours", b"ours", b"theirs")] == [True, True, False]


def test_what_stopped_half_way_is_not_there(there: S3) -> None:
    with pytest.raises(RuntimeError), atomic(place(f"{there.address}/half.bin")) as path:
        path.write_bytes(b"half")
        raise RuntimeError
    assert there.names() == [] and not path.exists()


def test_a_bucket_that_is_not_there_is_named(made: Little, there: S3) -> None:
    with pytest.raises(
        StoreError, match=r"s3://nowhere/results cannot be written: NoSuchBucket\. Name a folder or a bucket"
    ):
        planned(made, "s3://nowhere/results").run()
    with pytest.raises(StoreError, match="s3://nowhere/results cannot be read: NoSuchBucket"):
        Store("s3://nowhere/results").runs()


def test_an_endpoint_without_tls_is_allowed_only_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert options("s3") == {}
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    assert options("s3") == {"endpoint": "http://127.0.0.1:9000", "client_options": {"allow_http": True}}
    assert options("gs") == {}


def test_the_command_line_takes_a_bucket(made: Little, there: S3, expected: list[object]) -> None:
    address = f"{there.address}/results"
    command = ["run", "15.1.1", "-z", str(made.zones), "-p", YEARS, "--store", address, "--block", "16", "--json"]
    first, again = told(made, command), told(made, command)
    assert (first["store"], first["fresh"], again["fresh"]) == (address, True, False)
    (listed,) = told(made, ["store", "--store", address, "--json"])
    assert listed["run"] == first["run"] and listed["folder"].startswith(address)


def told(made: Little, arguments: list[str]) -> Any:
    """What a command says in JSON, in a process of its own."""
    process = started(made, arguments)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)
