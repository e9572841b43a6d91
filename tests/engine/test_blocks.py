"""One block: what its rows hold, in numbers to check by hand."""

import math
import threading
from dataclasses import replace

import numpy as np
import pytest
import shapely
import xarray as xr

from geomon import Indicator, Output, Source, amount, area, blocks, rate, total
from geomon.blocks import execute
from geomon.errors import DefinitionError
from geomon.period import Period
from geomon.pipeline import Run, plan
from geomon.reading_off import exact, percent
from geomon.tabulate import Task, grouped, ranked, run_task
from geomon.testing import World, raster, window
from geomon.zones import Zone, Zones

WINDOW = window("EPSG:6933", 0, 200, 100, (2, 2))  # four cells of a hectare, of an equal-area grid
PIXELS = np.array([[1.0, 2.0], [np.nan, 4.0]])
WEST = shapely.box(0, 0, 150, 200)  # the left cells, and half of the right ones
ZONES = Zones((Zone("W", "", "", WEST),), "EPSG:6933")


def measure(x: xr.DataArray) -> dict:
    """Every kind of quantity."""
    return {
        "big": x > 1,
        "some": area(x / 4).by(odd=x % 2),
        "people": amount(x, "people"),
        "heat": rate(x, "K"),
    }


INDICATOR = Indicator(
    code="toy",
    title="Every kind of quantity",
    sources={"x": Source("x")},
    grid="x",
    measure=measure,
    outputs={"big": Output(total("big"), "ha"), "people": Output(total("people"), "people")},
    map="some",
    minimum_coverage=0.5,
)


def catalog(*dates: np.ndarray) -> World:
    """Dates of four pixels."""
    return World((raster("x", WINDOW, {f"2020-0{n + 1}": d for n, d in enumerate(dates)}, kind="rate"),))


def run(*, dates: tuple[np.ndarray, ...] = (PIXELS,), indicator: Indicator = INDICATOR) -> Run:
    """A run on the west."""
    return plan(indicator, ZONES, ["2020"], catalog=catalog(*dates)).run(workers=1)


def test_the_rows_of_a_block() -> None:
    """Cells of 10,000 m2, the right ones by half; the lower left was not seen."""
    ((done,)) = run().done
    found = {(r.what, r.quantity, r.keys): r.number for r in done.rows}
    assert found["seen", "big", ()] == pytest.approx(20_000)
    assert found["unseen", "big", ()] == pytest.approx(10_000)
    assert found["total", "big", ()] == pytest.approx(10_000), "2 and 4, half a cell each"
    assert found["total", "people", ()] == pytest.approx(1 + 2 / 2 + 4 / 2), "split by cover"
    assert found["total", "heat", ()] == pytest.approx(1 * 10_000 + 2 * 5_000 + 4 * 5_000), "times area"
    assert found["total", "some", (("odd", 1.0),)] == pytest.approx(2_500)
    assert found["total", "some", (("odd", 0.0),)] == pytest.approx(5_000 / 2 + 5_000)
    assert found["dates", "", (("n", 1.0),)] == pytest.approx(20_000)
    assert found["dates", "", (("n", 0.0),)] == pytest.approx(10_000)


def test_the_map_shows_the_first_key_where_it_was_seen() -> None:
    ((done,)) = run().done
    np.testing.assert_array_equal(done.maps["2020"], [[1, 0], [np.nan, 0]])


def test_every_read_is_noted() -> None:
    ((done,)) = run().done
    assert [(r.collection, r.item, r.status) for r in done.reads] == [("x", "x-2020-01", "ok")]


def test_n_obs_counts_distinct_dates() -> None:
    """Left column: 2 dates above, 1 below; right column 2. The median over the ground is 2."""
    other = np.array([[1.0, 2.0], [3.0, 4.0]])

    def mean(x: xr.DataArray) -> dict:
        return measure(x.mean("time").assign_attrs(x.attrs))

    series = run(
        dates=(PIXELS, other), indicator=replace(INDICATOR, measure=mean, sources={"x": Source("x", window="period")})
    ).series
    assert set(series.n_obs) == {2.0}
    assert (series.coverage == 1).all()


def test_the_series_is_withheld_where_too_little_was_seen() -> None:
    series = run().series.set_index("series")
    assert series.loc["big"].coverage == pytest.approx(2 / 3)
    assert (series.loc["big"].obs_value, series.loc["big"].lower, series.loc["big"].upper) == pytest.approx((1, 1, 2))
    blind = np.array([[np.nan, 2.0], [np.nan, 4.0]])
    row = run(dates=(blind,)).series.set_index("series").loc["big"]
    assert math.isnan(row.obs_value) and row.obs_status == "too little was seen: 33.3 % of the 50 % needed"
    assert (row.lower, row.upper) == pytest.approx((1, 3))
    nothing = run(dates=(PIXELS * np.nan,)).series
    assert set(nothing.obs_status) == {"nothing was seen"}


def test_an_error_in_a_block_ends_the_run() -> None:
    with pytest.raises(DefinitionError, match="plain number"):
        run(indicator=replace(INDICATOR, measure=lambda x: {"big": x}))


def test_two_runs_at_once_in_a_process_keep_their_blocks_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has one block of the same number: neither may be taken for the other's."""
    both, compute, made = threading.Barrier(2, timeout=60), blocks.compute, dict[str, list[str]]()

    def at_once(*tasks: object, **how: object) -> object:
        both.wait()
        return compute(*tasks, **how)

    def run_one(name: str) -> None:
        made[name] = execute([name], None, lambda task, _: f"of {task}", workers=1)  # type: ignore[arg-type, list-item]

    monkeypatch.setattr(blocks, "compute", at_once)
    threads = [threading.Thread(target=run_one, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == {"one": ["of one"], "other": ["of other"]}


def test_progress_counts_blocks() -> None:
    made = plan(INDICATOR, ZONES, ["2020"], catalog=catalog(PIXELS), block=1)
    told: list[tuple[int, int]] = []
    done = execute(made.tasks, made.setting, run_task, workers=1, progress=lambda n, of: told.append((n, of)))
    assert told == [(n, 4) for n in range(1, 5)]
    assert [d.key for d in done] == [t.key for t in made.tasks]


def test_a_zone_of_another_block_has_no_rows() -> None:
    made = plan(INDICATOR, ZONES, ["2020"], catalog=catalog(PIXELS))
    (task,) = made.tasks
    far = Task("far", task.owner, task.window, (Zone("far", "", "", shapely.box(900, 900, 950, 950)),), task.periods)
    assert run_task(far, made.setting).rows == ()
    assert task.periods == (Period.of("2020"),)


def test_keys_are_combined() -> None:
    keys = {"a": np.array([1.0, 2, 1, 1, np.nan]), "b": np.array([5.0, 5, 6, 5, 7])}
    labels, which = grouped(keys, np.isfinite(keys["a"]))
    assert labels == [(("a", 1.0), ("b", 5.0)), (("a", 1.0), ("b", 6.0)), (("a", 2.0), ("b", 5.0))]
    assert which[:4].tolist() == [0, 2, 1, 0]
    assert grouped({}, np.ones(3, bool))[0] == [()]


@pytest.mark.parametrize(
    "values",
    [[3.0, -2.0, 3.0, 0.0], [0.1, 1e300, 0.1], [5e12, 5e12 + 1, -5e12], [2.5, 2.0], [7.0], []],
    ids=["whole", "far apart", "large", "halves", "one", "none"],
)
def test_values_are_ranked_as_numpy_ranks_them(values: list[float]) -> None:
    distinct, place = np.unique(np.array(values), return_inverse=True)
    found, where = ranked(np.array(values))
    assert (found.tolist(), where.tolist()) == (distinct.tolist(), place.tolist())


@pytest.mark.parametrize(
    ("key", "text"),
    [(-1.0, "-1"), (0.5, "0.5"), (-5005249597250.0, "-5005249597250"), (0.1 + 0.2, "0.30000000000000004")],
)
def test_keys_are_written_in_full(key: float, text: str) -> None:
    assert exact(key) == text


@pytest.mark.parametrize(("share", "text"), [(0.41, "41 %"), (0.79999, "79.9 %"), (0.8, "80 %"), (0.0, "0 %")])
def test_a_share_is_never_rounded_up(share: float, text: str) -> None:
    assert percent(share) == text
