"""What was published before decides what may be published now."""

import json
import multiprocessing
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geomon.errors import InputError, StoreError
from geomon.protection import SUPPRESSED, Guard, suppressed
from geomon.protection.noise import with_noise
from geomon.protection.releases import release
from geomon.series import tidy

CARE = Guard("people", {"people": ("people",)})


def frame(shapes: dict[str, shapely.Geometry | None], parent: str = "") -> gpd.GeoDataFrame:
    rows = [(code, "" if code == parent else parent, shape) for code, shape in shapes.items()]
    codes, parents, geometry = zip(*rows, strict=True)
    table = {"code": codes, "name": codes, "parent": parents}
    return gpd.GeoDataFrame(table, geometry=list(geometry), crs="EPSG:4326")


def counts(found: dict[str, float], period: str = "2020", run: str = "") -> pd.DataFrame:
    common = {"indicator": "people", "series": "people", "unit_measure": "people", "run": run}
    return tidy([{**common, "ref_area": a, "time_period": period, "obs_value": n} for a, n in found.items()])


WEST, EAST = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)
VILLAGE = shapely.box(0.9, 0, 1, 0.1)
OLD = frame({"N": None, "west": WEST, "east": EAST}, "N")
NEW = frame({"N": None, "west": WEST - VILLAGE, "east": EAST | VILLAGE}, "N")


def entries(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.glob("people/*.json"))


def test_a_boundary_moved_by_a_village_would_tell_its_people(tmp_path: Path) -> None:
    release(counts({"N": 506, "west": 206, "east": 300}), CARE, OLD, tmp_path, name="old")
    with pytest.raises(InputError, match=r"new beside what was published before \(old\) would give away 1 counts"):
        release(counts({"N": 506, "west": 200, "east": 306}), CARE, NEW, tmp_path, name="new")
    assert entries(tmp_path) == ["0001.json"]


def test_a_boundary_moved_by_a_town_tells_nobody(tmp_path: Path) -> None:
    release(counts({"N": 556, "west": 256, "east": 300}), CARE, OLD, tmp_path)
    made = release(counts({"N": 556, "west": 200, "east": 356}), CARE, NEW, tmp_path, rounding=False)
    assert made["obs_value"].tolist() == [556, 200, 356]
    assert entries(tmp_path) == ["0001.json", "0002.json"]


def test_another_period_on_other_areas_is_another_table(tmp_path: Path) -> None:
    release(counts({"N": 506, "west": 206, "east": 300}), CARE, OLD, tmp_path)
    release(counts({"N": 506, "west": 200, "east": 306}, "2021"), CARE, NEW, tmp_path)
    assert entries(tmp_path) == ["0001.json", "0002.json"]


def test_the_same_release_is_entered_once(tmp_path: Path) -> None:
    for _ in range(3):
        made = release(counts({"N": 506, "west": 6, "east": 500}), CARE, OLD, tmp_path)
        assert suppressed(made).tolist() == [False, True, True]
    assert entries(tmp_path) == ["0001.json"]


def test_what_was_hidden_stays_hidden_when_another_product_counts_more(tmp_path: Path) -> None:
    release(counts({"N": 506, "west": 6, "east": 500}), CARE, OLD, tmp_path)
    made = release(counts({"N": 520, "west": 15, "east": 505}), CARE, OLD, tmp_path)
    assert made["obs_status"].tolist() == ["", SUPPRESSED, SUPPRESSED]


def test_a_total_that_would_tell_the_last_area_is_hidden(tmp_path: Path) -> None:
    tree = frame({"N": None, "a": WEST, "b": EAST, "c": shapely.box(2, 0, 3, 1)}, "N")
    release(counts({"a": 100, "b": 200}), CARE, tree, tmp_path)
    made = release(counts({"N": 305, "a": 100, "b": 200, "c": 5}), CARE, tree, tmp_path)
    assert made["obs_status"].tolist() == [SUPPRESSED, "", "", SUPPRESSED]


def test_what_is_left_of_a_total_is_a_count_too(tmp_path: Path) -> None:
    """An area without a row of its own: the total less the others."""
    tree = frame({"N": None, "a": WEST, "b": EAST, "c": shapely.box(2, 0, 3, 1)}, "N")
    assert suppressed(release(counts({"N": 305, "a": 100, "b": 200}), CARE, tree, tmp_path)).sum() == 1


def test_a_count_that_can_be_hidden_no_more_is_refused(tmp_path: Path) -> None:
    """The total and all other areas are out, and another product counts few in the last one."""
    tree = frame({"N": None, "a": WEST, "b": EAST, "c": shapely.box(2, 0, 3, 1)}, "N")
    release(counts({"N": 320, "a": 100, "b": 200}), CARE, tree, tmp_path, name="first")
    with pytest.raises(InputError, match=r"second beside what was published before \(first\) .* 'c 2020'"):
        release(counts({"N": 305, "a": 100, "b": 200, "c": 5}), CARE, tree, tmp_path, name="second")


def test_a_month_after_its_year_is_hidden_if_it_tells_another(tmp_path: Path) -> None:
    one = frame({"A": WEST})
    release(counts({"A": 445.0}), CARE, one, tmp_path)
    for month in range(1, 11):
        made = release(counts({"A": 40.0}, f"2020-{month:02}"), CARE, one, tmp_path)
        assert not suppressed(made).any()
    release(counts({"A": 5.0}, "2020-12"), CARE, one, tmp_path)
    assert suppressed(release(counts({"A": 40.0}, "2020-11"), CARE, one, tmp_path)).all()


def test_other_products_on_other_areas_are_held_beside_each_other_too(tmp_path: Path) -> None:
    """Their numbers contradict each other, and a difference is still taken of them."""
    release(counts({"N": 600, "west": 250, "east": 350}), CARE, OLD, tmp_path)
    with pytest.raises(InputError, match="would give away"):
        release(counts({"N": 30, "west": 12, "east": 18}), CARE, NEW, tmp_path)


def test_months_of_moved_areas_are_their_year(tmp_path: Path) -> None:
    release(counts({"N": 506, "west": 206, "east": 300}), CARE, OLD, tmp_path)
    months = [counts({"N": 506 / 12, "west": 200 / 12, "east": 306 / 12}, f"2020-{m:02}") for m in range(1, 13)]
    with pytest.raises(InputError, match="would give away 1 counts"):
        release(pd.concat(months), CARE, NEW, tmp_path)


def test_classes_of_moved_areas_are_all(tmp_path: Path) -> None:
    release(counts({"N": 506, "west": 206, "east": 300}), CARE, OLD, tmp_path)
    sexes = [counts({"N": 253, "west": 100, "east": 153}).assign(breakdown=f"sex={n}") for n in (1, 2)]
    with pytest.raises(InputError, match="would give away 1 counts"):
        release(pd.concat(sexes), CARE, NEW, tmp_path)


@pytest.mark.parametrize(
    ("old", "new"), [("206.0", "600.0"), ("true", "false"), ("206.0", "null"), ('"cells"', '"others"'), ("{", "[{")]
)
def test_an_entry_that_was_changed_is_said(tmp_path: Path, old: str, new: str) -> None:
    release(counts({"N": 506, "west": 206, "east": 300}), CARE, OLD, tmp_path)
    entry = tmp_path / "people" / "0001.json"
    text = entry.read_text().replace(old, new)
    entry.write_text(text + "]" if new == "[{" else text)
    with pytest.raises(StoreError, match="Restore it"):
        release(counts({"N": 506, "west": 200, "east": 306}), CARE, NEW, tmp_path)


@pytest.mark.parametrize("text", [None, b"PAR1"])
def test_areas_that_were_lost_or_changed_are_said(tmp_path: Path, text: bytes | None) -> None:
    release(counts({"N": 506, "west": 206, "east": 300}), CARE, OLD, tmp_path)
    path = next(tmp_path.glob("people/zones-*"))
    path.unlink()
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(StoreError, match="cannot be read"):
        release(counts({"N": 506, "west": 200, "east": 306}), CARE, NEW, tmp_path)


def test_a_lost_entry_is_said(tmp_path: Path) -> None:
    release(counts({"N": 506, "west": 206, "east": 300}), CARE, OLD, tmp_path)
    release(counts({"N": 506, "west": 206, "east": 300}, "2021"), CARE, OLD, tmp_path)
    (tmp_path / "people" / "0001.json").unlink()
    with pytest.raises(StoreError, match="lacks entries"):
        release(counts({"N": 506, "west": 206, "east": 300}, "2022"), CARE, OLD, tmp_path)


def one_of_two(folder: Path, moved: bool, answers: "multiprocessing.Queue[str]") -> None:
    zones, found = (NEW, {"N": 506, "west": 200, "east": 306}) if moved else (OLD, {"N": 506, "west": 206, "east": 300})
    try:
        release(counts(found), CARE, zones, folder)
        answers.put("published")
    except InputError:
        answers.put("refused")


def test_of_two_processes_at_one_moment_one_is_refused(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    answers = spawn.Queue()
    both = [spawn.Process(target=one_of_two, args=(tmp_path, moved, answers)) for moved in (True, False)]
    for process in both:
        process.start()
    found = sorted(answers.get(timeout=60) for _ in both)
    for process in both:
        process.join()
    assert found == ["published", "refused"]
    assert len(json.loads((tmp_path / "people" / "0001.json").read_text())["cells"]) == 3


# ---- noise


def whole(period: str = "2020") -> pd.DataFrame:
    return counts({"N": 506, "west": 6, "east": 500}, period)


def test_noise_is_the_same_for_the_same_counts_and_costs_once(tmp_path: Path) -> None:
    first, again = (with_noise(whole(), CARE, OLD, tmp_path, year=2026) for _ in range(2))
    assert first["obs_value"].tolist() == again["obs_value"].tolist()
    assert len(list(tmp_path.glob("noise-2026/*.json"))) == 1


def test_areas_are_added_up_from_their_noisy_parts(tmp_path: Path) -> None:
    made = with_noise(whole(), CARE, OLD, tmp_path, year=2026).set_index("ref_area")
    assert made.at["N", "obs_value"] == made.at["west", "obs_value"] + made.at["east", "obs_value"]
    assert (made["upper"] - made["obs_value"]).tolist() == [5, 3, 3]
    assert set(made["interval"]) == {"noise"}


def test_a_year_has_a_budget(tmp_path: Path) -> None:
    for year in ("2017", "2018", "2019", "2020"):
        with_noise(whole(year), CARE, OLD, tmp_path, year=2026)
    with pytest.raises(InputError, match="1 tables with noise would spend 1 of the 0 that are left of 4"):
        with_noise(whole("2021"), CARE, OLD, tmp_path, year=2026)
    with_noise(whole("2021"), CARE, OLD, tmp_path, year=2027)


def test_a_budget_that_hides_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hides nobody"):
        with_noise(whole(), CARE, OLD, tmp_path, year=2026, epsilon=50, limit=100)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["{}", '{"epsilon": -50, "seeds": {}}', '{"epsilon": 1, "seeds": null}'])
def test_a_budget_that_was_changed_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "noise-2026").mkdir()
    (tmp_path / "noise-2026" / "0001.json").write_text(text)
    with pytest.raises(StoreError, match="Restore it"):
        with_noise(whole(), CARE, OLD, tmp_path, year=2026)


def test_counts_with_digits_get_no_noise_and_spend_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="whole counts"):
        with_noise(counts({"N": 506.5, "west": 6.5, "east": 500}), CARE, OLD, tmp_path, year=2026)
    assert not list(tmp_path.rglob("*.json"))


def spend(folder: Path, period: str, answers: "multiprocessing.Queue[str]") -> None:
    try:
        with_noise(whole(period), CARE, OLD, folder, year=2026)
        answers.put("published")
    except InputError:
        answers.put("refused")


def test_processes_cannot_overspend_together(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    answers = spawn.Queue()
    every = [spawn.Process(target=spend, args=(tmp_path, str(2015 + n), answers)) for n in range(6)]
    for process in every:
        process.start()
    found = sorted(answers.get(timeout=60) for _ in every)
    for process in every:
        process.join()
    assert found == ["published"] * 4 + ["refused"] * 2
