"""Series of people as they may be published, and an attacker who has everything that was."""

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.optimize import linprog

from geomon import Indicator, Output, Source, amount, mean, share, total
from geomon.errors import DefinitionError
from geomon.protection import SUPPRESSED, Guard, guard, guard_in, protected, suppressed
from geomon.series import tidy

PEOPLE = Guard("people", {"people": ("people",)})
SHARES = Guard("people", {"people": ("people",), "exposed": ("exposed",), "share": ("exposed", "people")})
TREE = {"N": "", "P": "N", "Q": "N", "p1": "P", "p2": "P", "p3": "P", "q1": "Q", "q2": "Q", "q3": "Q"}


def areas(tree: Mapping[str, str]) -> gpd.GeoDataFrame:
    """Areas of a tree; each leaf a square of 11 km."""
    codes = list(tree)
    leaves = [c for c in codes if c not in tree.values()]
    squares = [shapely.box(n / 10, 0, (n + 1) / 10, 0.1) for n in range(len(leaves))]
    shapes = [squares[leaves.index(c)] if c in leaves else None for c in codes]
    table = {"code": codes, "name": codes, "parent": list(tree.values())}
    return gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:4326")


def series(cells: Mapping[tuple[str, str, str, str], float]) -> pd.DataFrame:
    """A series of counts by output, area, period and breakdown; an output 'share' is in percent."""
    rows: list[dict[str, Any]] = [
        {
            "indicator": "people",
            **dict(zip(("series", "ref_area", "time_period", "breakdown"), key, strict=True)),
            "obs_value": count,
            "lower": count,
            "upper": 2 * count,
            "unit_measure": "percent" if key[0] == "share" else "people",
            "coverage": 0.9,
            "n_obs": 3.0,
        }
        for key, count in cells.items()
    ]
    return tidy(rows)


def summed(leaves: Mapping[str, float], tree: Mapping[str, str], name: str = "people", period: str = "2020") -> Any:
    """Cells of all areas of a tree from those of its leaves."""
    found: dict[tuple[str, str, str, str], float] = {}
    for code, count in leaves.items():
        while code:
            key = (name, code, period, "")
            found[key] = found.get(key, 0.0) + count
            code = tree[code]
    return found


def told(table: pd.DataFrame, name: str = "people") -> dict[str, Any]:
    """Value, or status where there is none, by area."""
    own = table[table["series"] == name]
    return {
        r["ref_area"]: r["obs_value"] if math.isfinite(r["obs_value"]) else r["obs_status"]
        for r in own.to_dict("records")
    }


LEAVES = {"p1": 4.0, "p2": 30.0, "p3": 500.0, "q1": 0.0, "q2": 70.0, "q3": 1234.0}


def test_a_small_count_is_hidden_with_another_of_its_province() -> None:
    found = told(protected(series(summed(LEAVES, TREE)), PEOPLE, areas(TREE), rounding=False))
    assert found == LEAVES | {"p1": SUPPRESSED, "p2": SUPPRESSED, "N": 1838.0, "P": 534.0, "Q": 1304.0}


def test_two_small_counts_do_not_protect_each_other() -> None:
    """Three and four are seven in all: a range of seven is narrower than ten."""
    found = told(protected(series(summed(LEAVES | {"p1": 3.0, "p2": 4.0}, TREE)), PEOPLE, areas(TREE), rounding=False))
    assert [found[a] for a in ("p1", "p2", "p3", "P", "N")] == [SUPPRESSED, SUPPRESSED, SUPPRESSED, 507, 1811]


def test_zero_stays_zero_and_missing_stays_missing() -> None:
    table = series(summed(LEAVES, TREE))
    missing = table["ref_area"] == "q2"
    table.loc[missing, ["obs_value", "lower", "upper"]] = np.nan
    table.loc[missing, "obs_status"] = "nothing was seen"
    made = protected(table, PEOPLE, areas(TREE))
    assert told(made)["q1"] == 0 and told(made)["q2"] == "nothing was seen"
    assert made[suppressed(made)]["ref_area"].tolist() == ["p1", "p2"]


def test_nothing_of_a_hidden_count_is_left_in_its_row() -> None:
    made = protected(series(summed(LEAVES, TREE)), PEOPLE, areas(TREE))
    row = made[made["ref_area"] == "p1"].iloc[0]
    assert row[["obs_value", "lower", "upper", "n_obs"]].isna().all()


def test_what_was_seen_of_a_withheld_count_is_hidden_too() -> None:
    """Its lower bound stands in the series of a run, and its parent holds it."""
    table = series(summed(LEAVES, TREE))
    little = table["ref_area"].isin(["p1"])
    table.loc[little, "obs_value"] = np.nan
    table.loc[little, "obs_status"] = "too little was seen"
    made = protected(table, PEOPLE, areas(TREE), rounding=False)
    assert told(made)["p1"] == "too little was seen"
    assert made[little]["lower"].isna().all()
    assert told(made)["p2"] == SUPPRESSED, "the province less its other districts would tell what was seen of p1"


def test_counts_are_rounded_with_their_bounds() -> None:
    made = protected(series(summed(LEAVES, TREE)), PEOPLE, areas(TREE)).set_index("ref_area")
    assert made.loc["q3", ["obs_value", "lower", "upper"]].tolist() == [1200, 1200, 2500]
    assert made.loc["q2", "obs_value"] == 70 and made.loc["p3", "obs_value"] == 500


def test_a_share_is_hidden_with_any_count_behind_it() -> None:
    people = {"p1": 200.0, "p2": 300.0, "p3": 500.0, "q1": 12.0, "q2": 70.0, "q3": 90.0}
    exposed = {"p1": 100.0, "p2": 50.0, "p3": 100.0, "q1": 10.0, "q2": 30.0, "q3": 40.0}
    cells = summed(people, TREE) | summed(exposed, TREE, "exposed")
    percent = {("share", *k[1:]): 100 * v / cells["people", *k[1:]] for k, v in cells.items() if k[0] == "exposed"}
    made = protected(series(cells | percent), SHARES, areas(TREE), rounding=False)
    assert told(made, "share")["q1"] == SUPPRESSED, "two people of q1 are not exposed"
    assert told(made, "share")["p1"] == 50
    both = {told(made, n)["q1"] for n in ("people", "exposed")}
    assert SUPPRESSED in both


def test_shares_of_counts_that_nobody_gave_are_hidden() -> None:
    cells = {("share", a, "2020", ""): 40.0 for a in TREE}
    care = Guard("people", {"share": ("exposed", "people")})
    assert protected(series(cells), care, areas(TREE))["obs_status"].eq(SUPPRESSED).all()


def test_totals_tell_what_shares_are_made_of() -> None:
    cells = {("share", a, "2020", ""): 40.0 for a in ("p1", "p2")}
    care = Guard("people", {"share": ("exposed", "people")})
    counts = {("exposed", "p1"): 4.0, ("people", "p1"): 10.0, ("exposed", "p2"): 40.0, ("people", "p2"): 100.0}
    totals = pd.DataFrame(
        [("total", q, "amount", "people", a, "2020", "[]", n) for (q, a), n in counts.items()],
        columns=["what", "quantity", "kind", "unit", "zone", "period", "keys", "number"],
    )
    made = protected(series(cells), care, areas({"p1": "", "p2": ""}), totals=totals)
    assert told(made, "share") == {"p1": SUPPRESSED, "p2": 40.0}


def test_a_month_does_not_follow_from_its_year() -> None:
    months = {f"2020-{m:02}": 40.0 + m for m in range(1, 13)} | {"2020-07": 3.0}
    cells = {("people", "A", m, ""): n for m, n in (months | {"2020": sum(months.values())}).items()}
    made = protected(series(cells), PEOPLE, areas({"A": ""}), rounding=False)
    assert set(made[suppressed(made)]["time_period"]) == {"2020-07", "2020-01"}


def test_the_year_of_a_stock_is_the_mean_of_its_months_to_an_attacker_too() -> None:
    months = {f"2020-{m:02}": 40.0 + m for m in range(1, 13)} | {"2020-07": 3.0}
    cells = {("people", "A", m, ""): n for m, n in (months | {"2020": sum(months.values()) / 12}).items()}
    made = protected(series(cells), PEOPLE, areas({"A": ""}), rounding=False)
    assert suppressed(made).sum() == 2


def test_an_area_too_small_to_publish_is_hidden_whatever_it_holds() -> None:
    zones = areas({"A": "", "B": ""})
    zones.geometry = [shapely.box(0, 0, 0.008, 0.008), shapely.box(1, 0, 1.1, 0.1)]
    cells = {("people", a, "2020", ""): 5000.0 for a in "AB"}
    assert told(protected(series(cells), PEOPLE, zones)) == {"A": SUPPRESSED, "B": 5000.0}


def test_all_and_by_class_are_one_table_in_whichever_outputs() -> None:
    """103 people less 100 men are 3."""
    cells = {("people", "A", "2020", ""): 103.0, ("sexes", "A", "2020", "sex=1"): 100.0}
    made = protected(series(cells | {("sexes", "A", "2020", "sex=2"): 3.0}), Guard("people", {}), areas({"A": ""}))
    assert suppressed(made).tolist() == [False, True, True]


def test_one_month_tells_the_rest_of_its_year_in_every_area() -> None:
    """In a 4 are left, and they follow from N and b as well as from a."""
    tree = {"N": "", "a": "N", "b": "N"}
    cells = summed({"a": 104.0, "b": 230.0}, tree) | summed({"a": 100.0, "b": 200.0}, tree, period="2020-01")
    made = protected(series(cells), PEOPLE, areas(tree), rounding=False)
    gone = set(made[suppressed(made)]["ref_area"])
    assert "a" in gone and gone & {"N", "b"}


def test_spans_that_share_a_year_tell_another() -> None:
    spans = {"2015/2017": 103.0, "2015/2016": 100.0, "2016/2017": 90.0}
    cells = {("people", "A", period, ""): n for period, n in spans.items()}
    assert suppressed(protected(series(cells), PEOPLE, areas({"A": ""}))).sum() == 1


def test_an_area_without_a_row_does_not_part_those_above_it_from_those_below() -> None:
    cells = {k: n for k, n in summed(LEAVES, TREE).items() if k[1] != "P"}
    found = told(protected(series(cells), PEOPLE, areas(TREE), rounding=False))
    assert found["p1"] == SUPPRESSED and found["p2"] == SUPPRESSED


def test_a_bound_is_rounded_outwards() -> None:
    """107 people who were all seen are not 110 at least."""
    table = series({("people", "A", "2020", ""): 107.0, ("people", "B", "2020", ""): 1234.0})
    table["upper"] = table["obs_value"]
    made = protected(table, PEOPLE, areas({"A": "", "B": ""}))
    assert made[["lower", "obs_value", "upper"]].to_numpy().tolist() == [[100, 110, 110], [1200, 1200, 1300]]


def test_less_than_nobody_is_a_difference_and_hidden() -> None:
    cells = {("people", "A", "2020", ""): -5.0, ("people", "B", "2020", ""): 500.0}
    assert told(protected(series(cells), PEOPLE, areas({"A": "", "B": ""}))) == {"A": SUPPRESSED, "B": 500.0}


def test_another_count_of_a_guarded_indicator_is_a_count_too() -> None:
    table = series({("people", "A", "2020", ""): 500.0, ("homes", "A", "2020", ""): 4.0})
    table["unit_measure"] = ["people", "households"]
    totals = pd.DataFrame(columns=["what", "quantity", "kind", "unit", "zone", "period", "keys", "number"])
    care = Guard("people", {"people": ("people",), "homes": ("homes",)})
    assert told(protected(table, care, areas({"A": ""}), totals=totals), "homes") == {"A": SUPPRESSED}


@pytest.mark.parametrize(
    ("unit", "theme"),
    [("persons", "people"), ("1000 people", "people"), ("households", "households"), ("plots", "plots")],
)
def test_a_unit_that_counts_is_guarded_by_any_name(unit: str, theme: str) -> None:
    made = guard(definition(outputs={"all": Output(total("people"), unit)}))
    assert made is not None and made.theme == theme
    assert guard_in({"outputs": {"all": {"unit": unit}}}) == Guard(theme, {})


@pytest.mark.parametrize(("theme", "count", "seen"), [("people", 9.0, False), ("households", 6.0, True)])
def test_each_theme_has_its_threshold(theme: str, count: float, seen: bool) -> None:
    table = series({("people", "A", "2020", ""): count}).assign(unit_measure=theme)
    made = protected(table, Guard(theme, {"people": ("people",)}), areas({"A": ""}))
    assert suppressed(made).tolist() == [not seen]


def definition(**more: Any) -> Indicator:
    return Indicator(
        code="people",
        title="People",
        sources={"people": Source("worldpop")},
        grid="people",
        measure=lambda people: {"people": amount(people, "people")},
        **more,
    )


def test_whatever_counts_people_is_guarded() -> None:
    counts = definition(outputs={"all": Output(total("people"), "people")})
    assert guard(counts) == Guard("people", {"all": ("people",)})
    light = definition(outputs={"mean": Output(mean("people"), "km2")})
    assert guard(light) is None
    assert guard(definition(outputs=light.outputs, protect="plots")).fewest == 3  # type: ignore[union-attr]
    with pytest.raises(DefinitionError, match="none of 'households', 'people', 'plots', 'sensitive'"):
        definition(outputs=light.outputs, protect="persons")


def test_a_recipe_of_before_is_guarded_as_well() -> None:
    assert guard_in({"people": True, "outputs": {"n": {"unit": "1"}}}) == Guard("people", {})
    assert guard_in({"outputs": {"n": {"unit": "people"}}}) == Guard("people", {})
    assert guard_in({"outputs": {"n": {"unit": "km2"}}}) is None


def test_an_indicator_of_nobody_is_left_alone() -> None:
    table = series(summed(LEAVES, TREE)).assign(unit_measure="km2")
    light = definition(outputs={"people": Output(share("people"), "percent")})
    pd.testing.assert_frame_equal(protected(table, light, areas(TREE)), table)


# ---- the attack

PERIODS = ("2020-01", "2020-02", "2020")
CLASSES = ("sex=1", "sex=2", "")


def country(seed: int) -> tuple[dict[str, str], pd.DataFrame, dict[tuple[str, str, str, str], list[int]]]:
    """Zones, all tables of exposed and all people by sex and month, and the units that each cell holds.

    A unit is a district, month and sex, exposed or not: what nobody can part further.
    """
    rng = np.random.default_rng(seed)
    tree = {"N": "", "P": "N", "Q": "N"} | {f"{p}{n}".lower(): p for p in "PQ" for n in range(int(rng.integers(2, 4)))}
    leaves = [c for c in tree if c.islower()]
    units = list(itertools.product(leaves, PERIODS[:2], CLASSES[:2], (True, False)))
    counts = np.floor(np.exp(rng.normal(3.2, 1.3, len(units)))) * (rng.random(len(units)) > 0.1)
    held: dict[tuple[str, str, str, str], list[int]] = {}
    for n, (zone, month, sex, exposed) in enumerate(units):
        above = [zone, tree[zone], "N"]
        for name in ("people", "exposed") if exposed else ("people",):
            for key in itertools.product((name,), above, (month, "2020"), (sex, "")):
                held.setdefault(key, []).append(n)
    cells = {key: float(counts[own].sum()) for key, own in held.items()}
    rates = {
        ("share", *k[1:]): 100 * n / d for k, n in cells.items() if k[0] == "exposed" and (d := cells["people", *k[1:]])
    }
    return tree, series(cells | rates), held


def narrowed(table: pd.DataFrame, held: Mapping[Any, list[int]], truth: Mapping[Any, float]) -> dict[Any, float]:
    """Every small count, of a cell or of those of it who are not exposed, and the width of its range to an attacker.

    He knows what the units of each cell are, that no count is negative, each published count and each share.
    """
    size = 1 + max(n for own in held.values() for n in own)
    left, right = [], []
    for row in table.dropna(subset="obs_value").to_dict("records"):
        key = tuple(row[n] for n in ("series", "ref_area", "time_period", "breakdown"))
        line = np.zeros(size)
        if key[0] == "share":
            line[held["people", *key[1:]]] -= row["obs_value"] / 100
            line[held["exposed", *key[1:]]] += 1
            right.append(0.0)
        else:
            line[held[key]] += 1
            right.append(row["obs_value"])
        left.append(line)
    rest = {
        ("rest", *k[1:]): [n for n in held[k] if n not in held.get(("exposed", *k[1:]), ())]
        for k in held
        if k[0] == "people"
    }
    known = dict(truth) | {k: truth["people", *k[1:]] - truth.get(("exposed", *k[1:]), 0.0) for k in rest}
    found = {}
    for key, own in (dict(held) | rest).items():
        if 0 < known[key] < 10:
            aim = np.zeros(size)
            aim[own] = 1
            ends = [linprog(s * aim, A_eq=np.array(left), b_eq=right, method="highs") for s in (1, -1)]
            assert all(e.status in (0, 3) for e in ends)
            found[key] = math.inf if ends[1].status == 3 else -ends[1].fun - ends[0].fun
    return found


def attacked(seeds: Iterable[int], how: str) -> tuple[int, int]:
    """Small counts whose range is narrower than the threshold, and all small counts."""
    open_, every = 0, 0
    for seed in seeds:
        tree, table, held = country(seed)
        truth = {
            tuple(r[:4]): r[4]
            for r in table[["series", "ref_area", "time_period", "breakdown", "obs_value"]].to_numpy()
        }
        shown = table.copy()
        if how == "protected":
            shown = protected(table, SHARES, areas(tree), rounding=False)
        elif how == "threshold":
            shown.loc[
                (shown["series"] != "share") & (shown["obs_value"] > 0) & (shown["obs_value"] < 10), "obs_value"
            ] = np.nan
        widths = narrowed(shown, held, truth)
        open_ += sum(w < 10 - 1e-4 for w in widths.values())
        every += len(widths)
    return open_, every


def test_no_small_count_is_narrowed_by_all_that_is_published() -> None:
    given_away, every = attacked(range(30), "protected")
    assert every > 300 and given_away == 0


@pytest.mark.parametrize("how", ["nothing", "threshold"])
def test_the_attack_succeeds_without_protection(how: str) -> None:
    given_away, every = attacked(range(3), how)
    assert given_away > every / 2
