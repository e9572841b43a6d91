"""A definition in somebody's folder runs in a worker process, which finds it by its name."""

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import xarray as xr
from distributed import Client, LocalCluster

DEFINITION = '''"""Wet ground, of somebody's own."""

from geomon import Indicator, Output, Source, total


def measure(water):
    return {"wet": water > 0}


INDICATOR = Indicator(
    code="own.1",
    title="Wet ground",
    freq="A",
    sources={"water": Source("jrc-gsw")},
    grid="water",
    measure=measure,
    outputs={"wet": Output(total("wet"), "km2")},
)
'''


def test_a_worker_process_runs_a_definition_of_a_folder(tmp_path: Path, use_workspace: Callable[..., None]) -> None:
    file = tmp_path / "indicators" / "own_wet_ground.py"
    file.parent.mkdir()
    file.write_text(DEFINITION)
    use_workspace(tmp_path)
    indicator = import_module("geomon.workspace.indicators.own_wet_ground").INDICATOR
    water = xr.DataArray(np.array([[0.0, 1.0], [2.0, 0.0]]), dims=("y", "x"))
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        found_there = client.submit(inspect.getsourcefile, indicator.measure)
        measured = client.submit(indicator.measure, water=water)
        back = client.submit(type(indicator).__repr__, indicator)
        assert found_there.result(timeout=60) == str(file)
        np.testing.assert_array_equal(measured.result(timeout=60)["wet"], [[False, True], [True, False]])
        assert "own.1" in back.result(timeout=60)
