"""What a plan says of its cost is what the run then takes."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from geomon import Indicator, Layer, Output, Source, Survey, amount, area, cost, total
from geomon.pipeline import Plan, plan
from geomon.sample import Sample
from geomon.testing import World, raster, window
from geomon.zones import Zone, Zones
from tests.engine.little import little

CELL = 100
FINE, COARSE = window("EPSG:6933", 0, 6400, CELL, (64, 64)), window("EPSG:6933", 0, 6400, 4 * CELL, (16, 16))
ZONES = Zones((Zone("A", "", "", shapely.box(0, 0, 6400, 6400)),), "EPSG:6933")
WORLD = World(
    (
        raster("fine", FINE, {f"20{n}": np.full((64, 64), float(n)) for n in (18, 19, 20)}, kind="rate"),
        raster("coarse", COARSE, {"2019": np.ones((16, 16)), "2020": np.ones((16, 16))}, kind="amount"),
    )
)


def measure(fine: Any, coarse: Any) -> dict:
    """A rate over its years, and an amount."""
    return {"high": area(fine.mean("time") > 5), "people": amount(coarse, "people")}


INDICATOR = Indicator(
    code="toy",
    title="A rate over three years and an amount of one",
    sources={"fine": Source("fine", window="2Y"), "coarse": Source("coarse")},
    grid="fine",
    measure=measure,
    outputs={"high": Output(total("high"), "km2"), "people": Output(total("people"), "people")},
)


def asked(block: int = 32, **more: Any) -> Plan:
    """Two years of it."""
    return plan(more.pop("indicator", INDICATOR), ZONES, ("2019", "2020"), catalog=WORLD, block=block, **more)


def test_reads_and_bytes_are_counted_by_hand() -> None:
    """4 blocks of 32 x 32. Each period needs two years of the fine source, of which they share one."""
    said = asked().cost
    assert (said["blocks"], said["block_cells"], said["periods"], said["zones"]) == (4, 32 * 32, 2, 1)
    assert said["files"] == 3 + 2
    assert said["reads"] == 4 * (3 + 2)
    fine = 3 * 32 * 32 * 8
    assert said["decoded_bytes"] == pytest.approx(4 * (fine + 2 * 9 * 9 * 8), rel=0.05)  # a cell around each coarse one
    assert said["largest_block_bytes"] == pytest.approx(fine + 2 * 9 * 9 * 8, rel=0.05)


@pytest.mark.parametrize("block", [16, 32, 64])
def test_what_was_read_is_what_was_said(block: int) -> None:
    asking = asked(block)
    run = asking.run(workers=1)
    assert run.reads.bytes.sum() == pytest.approx(asking.cost["decoded_bytes"], rel=0.05)
    assert run.reads.blocks.sum() == asking.cost["reads"]


def test_a_margin_and_what_is_not_there_count() -> None:
    padded = Layer(
        kernel=lambda fine: fine.mean("time"), sources={"fine": Source("fine", window="2Y")}, kind="rate", margin="8 px"
    )
    wide = Indicator(**{**vars(INDICATOR), "sources": {"fine": padded, "coarse": Source("coarse")}})
    more = asked(indicator=wide).cost["decoded_bytes"] / asked().cost["decoded_bytes"]
    assert more == pytest.approx((40 / 32) ** 2, rel=0.05)  # each block lies in a corner of the world


def test_a_sample_of_many_blocks_stands_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = asked(block=4).cost
    monkeypatch.setattr(cost, "SAMPLE", 40)
    part = asked(block=4).cost
    for name in ("reads", "decoded_bytes", "seconds_on_one_core"):
        assert part[name] == pytest.approx(whole[name], rel=0.1)
    assert part["blocks"] == whole["blocks"] == 256


def test_workers_and_threads_share_time_and_add_up_memory() -> None:
    one, threads, workers = (asked().cost_on(**how) for how in ({"threads": 1}, {"threads": 4}, {"workers": 4}))
    block = one["memory_bytes_per_worker"] - cost.STARTED
    assert threads["memory_bytes_per_worker"] == pytest.approx(cost.STARTED + 4 * block)
    assert workers["memory_bytes_per_worker"] == one["memory_bytes_per_worker"]
    assert workers["memory_bytes"] > 5 * cost.STARTED
    assert threads["seconds"] == workers["seconds"] == pytest.approx(one["seconds"] / 4, abs=0.06)


def test_one_block_is_not_shared_by_many_threads() -> None:
    one, many, workers = (asked(64).cost_on(**how) for how in ({"threads": 1}, {"threads": 64}, {"workers": 64}))
    assert many == one
    assert workers["seconds"] == one["seconds"] > 0


def bright_alone(fine: Any) -> dict:
    """The same quantity, beside nothing."""
    return {"high": area(fine > 5)}


def bright(fine: Any) -> dict:
    """Ground that is bright."""
    return {"bright": area(fine > 5)}


@pytest.mark.parametrize(
    "beside",
    [
        Survey(bright, total("bright"), {"fine": Source("fine")}),
        Layer(lambda fine: 2 * fine, {"fine": Source("fine")}, kind="rate", over="country"),
    ],
    ids=["survey", "country layer"],
)
def test_what_is_made_over_the_whole_country_counts(beside: Any) -> None:
    """A quarter of a country of 64 x 64 cells is asked for: one block, after two images of the whole country."""
    parts = [Zone(n, "", "X", shapely.box(x, 3200 * (n < "Q"), x + 3200, 6400)) for n, x in (("P", 0), ("Q", 3200))]
    country = Zones((*parts, Zone("X", "", "", None)), "EPSG:6933")
    indicator = Indicator(
        code="toy",
        title="Beside the whole country",
        sources={"fine": Source("fine"), "beside": beside},
        grid="fine",
        measure=lambda fine, beside: {"high": area(fine > 5)},
        outputs={"high": Output(total("high"), "km2")},
    )
    asking = plan(indicator, country.select(["P"]), ("2019", "2020"), catalog=WORLD, block=32)
    run = asking.run(workers=1)
    assert asking.cost["blocks"] == 1
    assert asking.cost["reads"] == run.reads.blocks.sum() > 2
    assert asking.cost["decoded_bytes"] == pytest.approx(run.reads.bytes.sum(), rel=0.05)
    layers = 2 * 64 * 64 * 8 if isinstance(beside, Layer) else 0
    bare = replace(asking, indicator=replace(indicator, sources={"fine": Source("fine")}, measure=bright_alone))
    for how in ({"threads": 1}, {"workers": 4}):
        said, least = asking.cost_on(**how), bare.cost_on(**how)
        assert said["memory_bytes_per_worker"] - least["memory_bytes_per_worker"] >= layers
        assert said["memory_bytes"] - least["memory_bytes"] >= 5 * layers * ("workers" in how)


RUN = """
import json, sys
from pathlib import Path
from geomon import workspace
code, zones, period, block, store, folder = sys.argv[1:]
workspace.use(folder)
from geomon.pipeline import plan
from geomon.registry import indicator
asking = plan(indicator(code), zones, period, block=int(block), store=store)
done = asking.run(workers=1)
peak = next(int(l.split()[1]) * 1024 for l in Path("/proc/self/status").read_text().splitlines() if l[:6] == "VmHWM:")
print(json.dumps({"peak": peak, "said": asking.cost_on(threads=1), "bytes": int(done.reads.bytes.sum())}))
"""


def peak_of(code: str, zones: Path, period: str, block: int, store: Path, workspace: Path) -> dict[str, Any]:
    """A run in a process of its own, on one thread."""
    arguments = [code, str(zones), period, str(block), str(store), str(workspace)]
    said = subprocess.run([sys.executable, "-c", RUN, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(said.stdout))


@pytest.mark.slow
@pytest.mark.parametrize(("cells", "block"), [(200, 100), (3000, 3000)], ids=["small blocks", "large blocks"])
def test_memory_stays_below_what_is_said_and_is_not_far_from_it(tmp_path: Path, cells: int, block: int) -> None:
    made = little(tmp_path, cells=cells)
    found = peak_of("15.1.1", made.zones, "2020/2021", block, made.store, made.workspace)
    assert found["said"]["memory_bytes"] / 3 < found["peak"] < found["said"]["memory_bytes"]
    assert found["bytes"] == found["said"]["decoded_bytes"]


@pytest.mark.slow
def test_a_composite_takes_what_is_said(country: Sample, tmp_path: Path) -> None:
    """The water of a day from images of weeks, on a grid of its own."""
    found = peak_of("water-extent", country.zones, "2023-08-14", 256, tmp_path, country.workspace)
    assert found["said"]["memory_bytes"] / 3 < found["peak"] < found["said"]["memory_bytes"]
    assert found["bytes"] == pytest.approx(found["said"]["decoded_bytes"], rel=0.3)
