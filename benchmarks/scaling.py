"""How time and memory grow: the sample country at four sizes, and at three times the years, by the whole engine."""

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.pairs import rounded
from benchmarks.zones import DATA
from geomon import sample
from geomon.sample import borders, land, stac
from geomon.sample.shots import Grids
from geomon.sample.world import world

SIZES = (300, 600, 1200, 2400)
"""Cells of the land cover from west to east; each country has four times the pixels of the one before."""
BLOCK, THREADS, TIMES = 256, 2, 2
YEARS = range(2018, 2021)
CODE, YEAR, SPAN = "15.1.1", "2020", "2018/2020"
ONE = """
import json, sys, time
from pathlib import Path

code, folder, period, store, block, threads = sys.argv[1:]
from geomon import workspace
workspace.use(Path(folder) / "workspace")
zones = Path(folder) / "zones.geojson"
from geomon.pipeline import plan
from geomon.registry import indicator
from benchmarks.pairs import reset_peak, resident

warm = plan(indicator(code), zones, period.partition("/")[0], block=64)
from dataclasses import replace
run = replace(warm, tasks=warm.tasks[:2])  # imports and compiles
run.cost
from geomon.tasks import do_block
for task in run.tasks:
    do_block(task, run.setting, None)
asking = plan(indicator(code), zones, period, block=int(block), store=store)
reset_peak()
before, begun, used = resident("VmRSS"), time.perf_counter(), time.process_time()
done = asking.run(workers=int(threads))
print(json.dumps({
    "seconds": time.perf_counter() - begun,
    "cpu": time.process_time() - used,
    "peak": resident("VmHWM") - before,
    "process": resident("VmHWM"),
    "blocks": len(asking.tasks),
    "bytes": int(done.reads.bytes.sum()),
    "cost": asking.cost_on(threads=int(threads)),
}))
"""


def country(size: int) -> Path:
    """The folder of the sample country's districts and its land cover of three years; made if it is not there."""
    folder = DATA / "sample" / str(size)
    if not (folder / "zones.geojson").exists():
        whole = world(sample.SEED)
        areas = borders.areas(whole)
        hidden = next(area for area in areas if area.code == land.HIDDEN[1])
        only = {"esa-worldcover": stac.TITLES["esa-worldcover"]}
        with mock.patch.multiple(land, COVER_YEARS=YEARS, WATER_YEARS=()), mock.patch.object(stac, "TITLES", only):
            ground = land.render(whole, Grids.of(size).land, hidden)
            stac.write(land.cover_shots(ground), folder / "stac", folder / "workspace")
        borders.write(areas, folder / "zones.geojson", stac.STATEMENT)
    return folder


def once(size: int, period: str = YEAR) -> dict[str, Any]:
    """One run in a process of its own: seconds, seconds of processors, MiB above where it began, bytes decoded."""
    with tempfile.TemporaryDirectory() as store:
        arguments = [CODE, str(country(size)), period, store, str(BLOCK), str(THREADS)]
        said = subprocess.run([sys.executable, "-c", ONE, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(said.stdout.splitlines()[-1]))


def best(size: int, period: str = YEAR) -> dict[str, Any]:
    """The run that took the processors least: a machine that others use only ever takes longer."""
    return min((once(size, period) for _ in range(TIMES)), key=lambda r: float(r["cpu"]))


def pairs() -> Iterator[dict[str, Any]]:
    """Four times the area, three times over, and three times the years."""
    found = {size: best(size) for size in SIZES}
    for small, large in itertools.pairwise(SIZES):
        yield row(f"forest share, {large} cells wide", "itself at a quarter of the area", found[large], found[small])
    middle = SIZES[-2]
    yield row(f"forest share of {SPAN}", "itself for one year", best(middle, SPAN), found[middle])


def row(name: str, peer: str, ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """`ratio` is how many times as long the larger run took."""
    return {
        "name": f"scaling: {name}",
        "peer": peer,
        "ours_s": rounded(ours["seconds"]),
        "peer_s": rounded(theirs["seconds"]),
        "ratio": rounded(ours["cpu"] / theirs["cpu"]),
        "max_abs_diff": 0.0,
        "ours_peak_mib": round(ours["peak"], 1),
        "peer_peak_mib": round(theirs["peak"], 1),
        "blocks": ours["blocks"],
        "decoded_bytes": ours["bytes"],
    }
