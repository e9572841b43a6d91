"""Districts of one country are judged together: each finding has its place, its reasons and a grade."""

from io import StringIO
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geomon.check import Finding, check
from geomon.errors import InputError
from geomon.indicator import Indicator, Official, Output, Source
from geomon.official import read_csv
from geomon.series import tidy

YEARS = 16
PROVINCES = ("P1", "P2", "P3")
DISTRICTS = [f"{p}{letter}" for p in PROVINCES for letter in "abcdef"]
ZONES = pd.DataFrame(
    [
        ("C", "Country", ""),
        *((p, f"Province {p}", "C") for p in PROVINCES),
        *((d, f"District {d}", d[:2]) for d in DISTRICTS),
    ],
    columns=["code", "name", "parent"],
)
LATE = np.arange(YEARS) >= 9


def measure(cover: Any) -> dict[str, Any]:
    return {}


def indicator(**more: Any) -> Indicator:
    official: dict[str, Any] = {"tolerance": 2.0, "fraction": True} | more
    return Indicator(
        code="0.0.0",
        title="Tree cover",
        sources={"cover": Source("any")},
        grid="cover",
        measure=measure,
        outputs={"share": Output(lambda totals: None, "percent", official=Official("S", **official))},
        unseen="Not seen: who lives there.",
    )


def world(seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """True values of districts by year, and honest official ones: 0.4 points of noise in each."""
    random = np.random.default_rng(seed)
    base = random.uniform(30, 60, len(DISTRICTS))[:, None] + random.normal(0, 1, (len(DISTRICTS), YEARS))
    made = [base, base + random.normal(0, 0.4, base.shape)]
    return tuple(pd.DataFrame(v, index=DISTRICTS, columns=[str(2001 + n) for n in range(YEARS)]) for v in made)  # type: ignore[return-value]


def above(values: pd.DataFrame) -> pd.DataFrame:
    """With provinces and the country as means of their districts."""
    provinces = values.groupby(values.index.str[:2]).mean()
    return pd.concat([values, provinces, provinces.mean().to_frame("C").T])


def findings(
    ours: pd.DataFrame,
    theirs: pd.DataFrame,
    made: Indicator | None = None,
    wide: dict[tuple[str, str], float] | None = None,
    **more: Any,
) -> dict[str, Finding]:
    """By area; `wide` are upper ends of intervals of an area and year."""
    long = [
        values.rename_axis("ref_area").reset_index().melt("ref_area", var_name="time_period", value_name="obs_value")
        for values in (ours, theirs)
    ]
    series = tidy(long[0].assign(series="share", unit_measure="percent", coverage=1.0).to_dict("records"))
    for (area, year), upper in (wide or {}).items():
        row = (series.ref_area == area) & (series.time_period == year)
        series.loc[row, ["lower", "upper", "interval"]] = [float(series[row].obs_value.iloc[0]), upper, "bounds"]
    text = long[1].dropna().assign(series="S", unit_measure="percent").to_csv(index=False)
    official = read_csv(StringIO(text), publisher="the office")
    found = check(series, official, made or indicator(), **({"zones": ZONES} | more))
    return {f.ref_area: f for f in found}


def planted(where: str, change: Any, seed: int = 1) -> dict[str, Finding]:
    """The findings with a change of the official values of the districts whose code begins so."""
    ours, theirs = world(seed)
    rows = theirs.index.str.startswith(where)
    theirs[rows] = change(theirs[rows])
    return findings(above(ours), above(theirs))


def test_honest_districts_agree_with_a_grade_and_its_rule() -> None:
    found = findings(*map(above, world()))
    assert {f.verdict for f in found.values()} <= {"agrees", "not settled"}
    assert [found[c].verdict for c in ("C", *PROVINCES)] == ["agrees"] * 4
    graded = found["P1a"]
    assert (graded.verdict, graded.grade) == ("agrees", "A") and graded.grade_rule.startswith("A: equal within")
    assert graded.not_seen == "Not seen: who lives there."
    assert 0.7 < graded.evidence["ccc_lower"] < graded.evidence["ccc"] < graded.evidence["ccc_upper"] < 1


def test_a_break_of_a_province_is_found_there_and_nowhere_else() -> None:
    found = planted("P2", lambda v: v + 5 * LATE)
    touched = {area for area, f in found.items() if f.verdict.startswith(("differs", "defect"))}
    assert touched == {"P2", *(d for d in DISTRICTS if d.startswith("P2"))} | ({"C"} & touched)
    cause = found["P2c"].causes[0]
    assert (cause["name"], cause["scope"], cause["since"]) == ("break", "province", "2010")
    assert cause["lower"] < -4.6 and cause["upper"] > -5.4
    assert "jumps in 2010 in Province P2" in found["P2c"].sentence and found["P2c"].grade == "D"
    assert any("Province P2" in reason for reason in found["C"].reasons)


def test_hectares_in_one_district_are_a_defect_and_repaired() -> None:
    found = planted("P3b", lambda v: v / 100)
    assert found["P3b"].verdict == "defect in the data"
    assert found["P3b"].reasons[1] == "repaired, the comparison says: agrees"
    assert found["P3b"].causes[0]["evidence"]["factor"] == pytest.approx(0.01)


def test_two_departures_are_found_each_in_its_place() -> None:
    ours, theirs = world()
    theirs.loc["P1a"] += 6
    theirs.loc["P3f"] *= 100
    found = findings(above(ours), above(theirs))
    assert found["P1a"].causes[0]["name"] == "level" and found["P3f"].causes[0]["name"] == "unit"
    assert "6" in found["P1a"].sentence and "less than the office reports in District P1a" in found["P1a"].sentence


def test_a_declared_definition_names_a_level_of_the_whole_country() -> None:
    ours, theirs = world()
    made = indicator(differs="The map counts orchards.")
    found = findings(above(ours), above(theirs - 6), made)
    assert {found[a].verdict for a in ("P1a", "P3c", "P2", "C")} == {"differs by definition"}
    assert found["P1a"].reasons[0] == "The map counts orchards."
    undeclared = findings(above(ours), above(theirs - 6))["P1a"]
    assert "or another definition: the numbers cannot tell" in undeclared.reasons[0]
    assert undeclared.causes[0]["twins"] == ("definition",)


def test_a_district_that_falls_while_the_office_sees_it_rise_differs_in_direction() -> None:
    ours, theirs = world()
    slope = np.arange(YEARS) * 0.5
    ours.loc["P2d"] -= slope
    theirs.loc["P2d"] = 50 + slope
    found = findings(above(ours), above(theirs))["P2d"]
    assert found.verdict == "differs in direction"
    assert found.evidence["knots_official"] == 2 and found.evidence["p_slope_official"] > 0.05
    assert any("straight lines: they carry 2 independent values, not 16" in reason for reason in found.reasons)


def test_a_district_with_seven_years_is_judged_alone_and_has_no_grade() -> None:
    ours, theirs = world()
    theirs.loc["P1a", theirs.columns[:9]] = np.nan
    found = findings(above(ours), above(theirs))["P1a"]
    assert found.grade == "" and found.grade_rule.startswith("no grade")
    assert found.evidence["n"] == 7


def test_without_zones_every_district_is_judged_alone() -> None:
    found = findings(*map(above, world()), zones=None)
    assert all("score" not in f.evidence for f in found.values())
    assert found["P1a"].sentence.startswith("Tree cover, P1a, 2001 to 2016")


def test_countries_of_the_world_have_nothing_to_do_with_one_another() -> None:
    codes = ["AUT", "BEL", "CHE", "DEU"]
    ours, theirs = (values.iloc[:4].set_axis(codes) for values in world())
    zones = pd.DataFrame({"code": codes, "name": codes, "parent": ""})
    found = findings(ours, theirs + 6, zones=zones)
    assert {f.verdict for f in found.values()} == {"differs in level"}
    assert {c["scope"] for f in found.values() for c in f.causes} == {"area"}


def test_a_moved_border_on_file_is_followed_and_the_difference_falls() -> None:
    ours, theirs = world()
    other = ours.copy()
    other.loc["P1a"] += 8
    other.loc["P1b"] -= 8
    theirs.loc[["P1a", "P1b"]] += np.outer([8, -8], LATE)
    boxes = [shapely.box(n % 6, n // 6, n % 6 + 1, n // 6 + 1) for n in range(len(DISTRICTS))]
    shapes = dict(zip(DISTRICTS, boxes, strict=True))
    zones = gpd.GeoDataFrame(
        ZONES, geometry=[shapes.get(c, shapely.box(0, 0, 6, 3)) for c in ZONES.code], crs="EPSG:4326"
    )
    long = other.rename_axis("ref_area").reset_index().melt("ref_area", var_name="time_period", value_name="obs_value")
    rows = tidy(long.assign(series="share", unit_measure="percent").to_dict("records"))
    strange = [rows.assign(series="other", obs_value=0.0), rows.assign(breakdown="some", obs_value=0.0)]
    versions = [("law of 2010", "2010-01-01", pd.concat([rows, *strange], ignore_index=True))]
    found = findings(above(ours), above(theirs), zones=zones, versions=versions)
    assert found["P1a"].verdict == "defect in the data" and found["P1a"].causes[0]["name"] == "boundary"
    assert found["P1a"].reasons[1] == "repaired, the comparison says: agrees"
    assert "the boundaries on file that fit: law of 2010" in found["P1a"].reasons


def test_figures_marked_preliminary_are_said() -> None:
    ours, theirs = (above(v).loc[["C"]] for v in world())
    series = tidy(
        [
            {"series": "share", "ref_area": "C", "time_period": p, "obs_value": v, "unit_measure": "percent"}
            for p, v in ours.loc["C"].items()
        ]
    )
    rows = [
        {
            "series": "S",
            "ref_area": "C",
            "time_period": p,
            "obs_value": v,
            "unit_measure": "percent",
            "note": "provisional" if p == "2016" else "",
        }
        for p, v in theirs.loc["C"].items()
    ]
    (found,) = check(
        series, read_csv(StringIO(pd.DataFrame(rows).to_csv(index=False)), publisher="the office"), indicator()
    )
    assert any("preliminary or of another vintage: 2016 (provisional)" in reason for reason in found.reasons)


def test_a_share_that_is_not_its_parts_is_said_and_the_part_that_differs_named() -> None:
    years = [str(2001 + n) for n in range(6)]
    ours, theirs = [], []
    for name, code, unit, mine, their in (
        ("share", "S", "percent", 40.0, 40.0),
        ("part", "N", "km2", 400.0, 440.0),
        ("whole", "D", "km2", 1000.0, 1000.0),
    ):
        ours += [
            {"series": name, "ref_area": "C", "time_period": y, "obs_value": mine, "unit_measure": unit} for y in years
        ]
        theirs += [
            {"series": code, "ref_area": "C", "time_period": y, "obs_value": their, "unit_measure": unit} for y in years
        ]
    outputs = {
        "share": Output(lambda totals: None, "percent", official=Official("S", 2.0, numerator="N", denominator="D")),
        "part": Output(lambda totals: None, "km2", official=Official("N", 0.05, relative=True)),
        "whole": Output(lambda totals: None, "km2", official=Official("D", 0.05, relative=True)),
    }
    made = Indicator(
        code="0.0.0", title="T", sources={"cover": Source("any")}, grid="cover", measure=measure, outputs=outputs
    )
    found = check(
        tidy(ours), read_csv(StringIO(pd.DataFrame(theirs).to_csv(index=False)), publisher="the office"), made
    )
    share = next(f for f in found if f.output == "share")
    assert any("comes from the numerator (N): the parts differ by -9.1 %" in reason for reason in share.reasons)
    assert any("in 2006 they make 44.0 %, the office reports 40.0 %" in reason for reason in share.reasons)


def test_a_break_that_the_office_marks_in_its_notes_is_laid_to_it() -> None:
    ours, theirs = world()
    long = [
        v.rename_axis("ref_area").reset_index().melt("ref_area", var_name="time_period", value_name="obs_value")
        for v in (ours, theirs + 5 * LATE)
    ]
    long[1]["note"] = np.where(long[1].time_period == "2010", "break in series", "")
    series = tidy(long[0].assign(series="share", unit_measure="percent").to_dict("records"))
    text = long[1].assign(series="S", unit_measure="percent").to_csv(index=False)
    found = check(series, read_csv(StringIO(text), publisher="the office"), indicator(), zones=ZONES)
    assert {f.causes[0]["name"] for f in found} == {"break"}
    words = "declared changes of method in the official series: break in series (2010-01-01)"
    assert words in found[0].reasons


def test_a_departure_of_one_country_is_not_held_against_another() -> None:
    zones = ZONES.assign(parent=[{"C": "", "P3": "K"}.get(c, p) for c, p in zip(ZONES.code, ZONES.parent, strict=True)])
    zones = pd.concat([zones, pd.DataFrame([("K", "Other country", "")], columns=zones.columns)])
    ours, theirs = world()
    theirs[theirs.index.str.startswith("P3")] += 6
    found = findings(ours, theirs, zones=zones)
    assert {found[d].verdict for d in DISTRICTS[:12]} == {"agrees"}
    assert {found[d].causes[0]["scope"] for d in DISTRICTS[12:]} == {"nation"}


def test_a_zero_beside_forty_is_no_missing_value_where_ratios_are_compared() -> None:
    ours, theirs = world()
    made = Indicator(
        code="0.0.0",
        title="Water",
        sources={"cover": Source("any")},
        grid="cover",
        measure=measure,
        outputs={"share": Output(lambda totals: None, "percent", official=Official("S", 0.1, relative=True))},
    )
    assert findings(above(ours), above(theirs), made)["P1a"].verdict == "agrees"
    ours.loc["P1a", ["2003", "2004", "2005", "2006"]] = 0
    assert findings(above(ours), above(theirs), made)["P1a"].verdict != "agrees"


def test_a_break_that_another_country_marks_is_not_declared_here() -> None:
    zones = ZONES.assign(parent=[{"C": "", "P3": "K"}.get(c, p) for c, p in zip(ZONES.code, ZONES.parent, strict=True)])
    zones = pd.concat([zones, pd.DataFrame([("K", "Other country", "")], columns=zones.columns)])
    ours, theirs = world()
    long = [
        v.rename_axis("ref_area").reset_index().melt("ref_area", var_name="time_period", value_name="obs_value")
        for v in (ours, theirs + 5 * LATE)
    ]
    marked = (long[1].time_period == "2010") & long[1].ref_area.str.startswith("P3")
    long[1]["note"] = np.where(marked, "break in series", np.where(long[1].time_period == "2005", "no break", ""))
    series = tidy(long[0].assign(series="share", unit_measure="percent").to_dict("records"))
    text = long[1].assign(series="S", unit_measure="percent").to_csv(index=False)
    found = {
        f.ref_area: f for f in check(series, read_csv(StringIO(text), publisher="the office"), indicator(), zones=zones)
    }
    words = "declared changes of method in the official series: break in series (2010-01-01)"
    assert words in found["P3a"].reasons
    assert not any("declared changes" in reason for reason in found["P1a"].reasons)


def test_a_unit_slip_beside_a_level_of_its_province_is_no_level_of_its_own() -> None:
    ours, theirs = world(5)
    theirs[theirs.index.str.startswith("P2")] -= 5
    theirs.loc["P2c"] *= 1000
    found = findings(ours, theirs)
    assert (found["P2c"].verdict, found["P2c"].causes[0]["name"]) == ("defect in the data", "unit")
    assert found["P2a"].verdict == "differs in level"


def test_an_interval_that_holds_every_official_value_leaves_a_level_unsettled() -> None:
    ours, theirs = world()
    theirs[theirs.index.str.startswith("P2")] -= 5
    long = [
        v.rename_axis("ref_area").reset_index().melt("ref_area", var_name="time_period", value_name="obs_value")
        for v in (ours, theirs)
    ]
    rows = long[0].assign(series="share", unit_measure="percent", interval="bounds", upper=long[0].obs_value + 0.1)
    series = tidy(rows.to_dict("records"))
    text = long[1].assign(series="S", unit_measure="percent").to_csv(index=False)
    found = {
        f.ref_area: f for f in check(series, read_csv(StringIO(text), publisher="the office"), indicator(), zones=ZONES)
    }
    assert (found["P2a"].verdict, found["P2a"].grade) == ("not settled", "C")
    assert "the satellite's own interval reaches the official values" in found["P2a"].reasons[0]
    assert found["P2a"].causes[0]["name"] == "level"


def test_the_order_of_rows_changes_nothing() -> None:
    ours, theirs = world(3)
    theirs[theirs.index.str.startswith("P2")] -= 5
    theirs.loc["P1a"] *= 0.1
    plain = findings(above(ours), above(theirs))
    mixed = findings(
        above(ours).sample(frac=1, random_state=1),
        above(theirs).sample(frac=1, random_state=2),
        zones=ZONES.sample(frac=1, random_state=3),
    )
    assert {a: (f.verdict, f.sentence, f.reasons) for a, f in plain.items()} == {
        a: (mixed[a].verdict, mixed[a].sentence, mixed[a].reasons) for a in plain
    }


def test_zones_that_lie_in_themselves_are_refused() -> None:
    zones = ZONES.assign(parent=["P1" if code == "C" else p for code, p in zip(ZONES.code, ZONES.parent, strict=True)])
    with pytest.raises(InputError, match="lies in itself"):
        findings(*world(), zones=zones)


def test_months_are_no_years_of_districts_together() -> None:
    ours, theirs = (
        v.set_axis([f"2020-{n + 1:02d}" for n in range(12)], axis=1) for v in (v.iloc[:, :12] for v in world())
    )
    theirs.loc["P1a"] -= 6
    found = findings(ours, theirs)
    assert {f.grade for f in found.values()} == {""}
    assert "another definition would look the same" in found["P1a"].reasons[0]


def test_a_cloudy_year_whose_interval_holds_the_official_figure_makes_no_district_differ() -> None:
    """In 2006 half of P1a's water is unseen: 20 of 40, and anything up to 60. Its neighbours have no water at all."""
    ours, theirs = world()
    for values in (ours, theirs):
        values.loc[["P1b", "P1c", "P1d", "P1e", "P1f"]] = 0.0
    ours.loc["P1a", "2006"] = theirs.loc["P1a", "2006"] / 2
    water = indicator(relative=True, fraction=False, tolerance=0.05)
    found = findings(ours, theirs, water, wide={("P1a", "2006"): 60.0})
    assert {code: found[code].verdict for code in DISTRICTS if code.startswith("P1")} == dict.fromkeys(
        [code for code in DISTRICTS if code.startswith("P1")], "agrees"
    )
    assert any("own interval holds the official value there" in reason for reason in found["P1a"].reasons)
    bare = findings(ours, theirs, water)
    assert bare["P1a"].verdict == "differs in level"
    assert bare["P1b"].verdict == "agrees"
