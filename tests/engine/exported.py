"""A stored run written by hand: a value, a zero, three kinds of missing, an interval without end, and breakdowns."""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geomon.ledger import to_table
from geomon.series import tidy
from geomon.store import Store, StoredRun
from geomon.texts import say

ID = "00aa11bb22cc33dd"
CREATED = "2026-01-02T03:04:05Z"
THIRD = 100 / 3
"""A number that no decimal text shorter than its repr gives back."""
LITTLE = say("status.little", share="41 %", needed="80 %")
UNDEFINED = say("status.undefined")


def row(area: str, period: str, value: float, **more: Any) -> dict[str, object]:
    """A row of the share of 15.1.1."""
    return {
        "indicator": "15.1.1",
        "series": "share",
        "ref_area": area,
        "time_period": period,
        "breakdown": "",
        "obs_value": value,
        "lower": value,
        "upper": value,
        "interval": "bounds",
        "unit_measure": "percent",
        "obs_status": "",
        "nature": "satellite estimate",
        "coverage": 1.0,
        "n_obs": 3.0,
        "params": "",
        "vintage": "0a1b",
        "run": ID,
        **more,
    }


def rows() -> list[dict[str, object]]:
    """Rwanda above two of its districts; the numbers are invented."""
    blank = {"lower": np.nan, "upper": np.nan}
    return [
        row("RW", "2020", THIRD, lower=30.1, upper=40.2, coverage=0.9),
        row("RW", "2021", 0.0),
        row("11", "2020", np.nan, obs_status=LITTLE, lower=1.5, upper=99.5, coverage=0.41),
        row("11", "2021", np.nan, obs_status=UNDEFINED, **blank),
        row("12", "2020", 1e-9, upper=np.inf, interval="one_sided", coverage=0.1 + 0.2),
        row("12", "2021", np.nan, obs_status="something else", n_obs=np.nan, **blank),
    ]


BREAKDOWNS = [row("RW", "2020", 10.0, breakdown="belt=1"), row("RW", "2020", 20.0, breakdown="belt=2")]


def stored(folder: Path, made: list[dict[str, object]], **recipe: Any) -> StoredRun:
    """A store that holds one run of these rows."""
    store = Store(folder)
    home = store.open_for("15.1.1", ID)
    tidy(made).to_parquet(home / "series.parquet")
    to_table([]).to_parquet(home / "totals.parquet")
    zones = {"code": ["RW", "11", "12"], "name": ["Rwanda", "Nyarugenge", "Gasabo"], "parent": ["", "RW", "RW"]}
    shapes = [None, shapely.box(30, -2, 30.5, -1), shapely.box(30.5, -2, 31, -1)]
    gpd.GeoDataFrame(zones, geometry=shapes, crs="EPSG:4326").to_parquet(home / "zones.parquet")
    official = {
        "series": "AG_LND_FRST",
        "tolerance": 5.0,
        "relative": False,
        "definition": "forest as land use",
        "differs": "",
    }
    told = {
        "title": "Forest area",
        "note": "What is seen.\nAnd what is not.",
        "freq": "A",
        "people": False,
        "outputs": {"share": {"title": "Tree cover", "unit": "percent", "official": official}},
        "collections": [
            {
                "id": "esa-worldcover",
                "title": "=SUM(A1:A9)",
                "licence": "CC-BY-4.0",
                "attribution": "© Somebody",
                "caveats": ["-1 is not a number here"],
            }
        ],
        "synthetic": True,
        **recipe,
    }
    (home / "recipe.json").write_text(json.dumps(told), encoding="utf-8")
    item = {
        "id": ID,
        "bbox": [30.0, -2.0, 31.0, -1.0],
        "properties": {
            "title": "Forest area",
            "description": "",
            "created": CREATED,
            "geomon:indicator": "15.1.1",
            "geomon:question": "q",
            "start_datetime": "2020-01-01T00:00:00Z",
            "end_datetime": "2021-12-31T00:00:00Z",
        },
        "assets": {},
    }
    return store.publish(home, item)


def same(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """Every cell of one table is in the other, NaN where NaN, to the last bit."""
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True, check_dtype=True)
