"""The data quality card says what was measured, and never guesses."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from geomon.cli import app
from geomon.errors import InputError
from geomon.quality import LIMITS, Card, Dimension, Limits, Measured, Subject, card, cards
from geomon.series import tidy
from tests.engine.little import asked, little

YEARS = [str(y) for y in range(2010, 2020)]
COVER = {"id": "cover-map", "update": "Finished: 2010 to 2019."}


def rows(area: str, values: list[float], **more: Any) -> list[dict[str, Any]]:
    """A series of one area over the first years."""
    common = {"indicator": "x", "series": "share", "unit_measure": "percent", "interval": "bounds", "coverage": 1.0}
    return [
        {
            **common,
            "ref_area": area,
            "time_period": year,
            "obs_value": value,
            "lower": value - 1,
            "upper": value + 1,
            "obs_status": "" if np.isfinite(value) else "too little was seen",
            **more,
        }
        for year, value in zip(YEARS, values, strict=False)
    ]


@dataclass(frozen=True)
class Made:
    """A stored run in memory: country X of the halves A and B, ten years from 2010."""

    id: str = "one"
    created: str = "2020-12-31T00:00:00Z"
    values: list[float] = field(default_factory=lambda: [50.0] * 10)
    recipe: dict[str, Any] = field(default_factory=dict)
    check: list[dict[str, Any]] | None = None
    indicator: str = "x"
    interval: str = "bounds"
    apart: float = 0.0
    """Square metres that the country has beyond its halves."""

    item: Any = field(default_factory=lambda: {"assets": {"map": METRES}, "bbox": [0, 0, 1, 1]})

    @property
    def series(self) -> pd.DataFrame:
        """The same values for all three."""
        return tidy([r for a in ("X", "A", "B") for r in rows(a, self.values, interval=self.interval)])

    @property
    def zones(self) -> gpd.GeoDataFrame:
        """Without shapes."""
        table = {"code": ["X", "A", "B"], "name": ["Land", "West", "East"], "parent": ["", "X", "X"]}
        return gpd.GeoDataFrame(table, geometry=[shapely.Point(0, 0)] * 3)

    @property
    def ledger(self) -> pd.DataFrame:
        """4 km2 in each half."""
        parts = {"counted": 1e6, "excluded": 3e6, "unseen": 0.0, "polygon": 4e6}
        half = [{"quantity": "forest", "zone": z, "period": "2010", **parts} for z in "AB"]
        whole = {"counted": 2e6 + self.apart, "excluded": 6e6, "unseen": 0.0, "polygon": 8e6}
        return pd.DataFrame([{"quantity": "forest", "zone": "X", "period": "2010", **whole}, *half])

    @property
    def reads(self) -> pd.DataFrame:
        """Ten files."""
        return pd.DataFrame({"status": ["ok"] * 10})


METRES = {"proj:transform": [100.0, 0, 0, 0, -100.0, 0], "proj:code": "EPSG:32633"}
FOREST = {"series": "FOREST", "tolerance": 5.0, "relative": False, "differs": "", "proxy": False}


def recipe(**more: Any) -> dict[str, Any]:
    """What was asked."""
    return {
        "freq": "A",
        "periods": YEARS,
        "outputs": {"share": {"title": "Forest", "official": more.pop("official", FOREST)}},
        "zones": {"digest": "z"},
        "collections": [COVER],
        "newest": {"cover-map": "2019-12-31"},
        "breaks": [],
        **more,
    }


def made(**more: Any) -> Made:
    """A run; what is not one of its fields belongs to the recipe."""
    own = {k: more.pop(k) for k in list(more) if k in Made.__dataclass_fields__}
    return Made(**{"recipe": recipe(**more), **own})


def one(run: Made, name: str, area: str = "X", **more: Any) -> Measured:
    """The measure of this name."""
    found = card(Subject(run, **more), "share", area)
    return next(m for d in found.dimensions for m in d.measures if m.name == name)


def light(run: Made, name: str, **more: Any) -> str:
    """The word of a dimension."""
    return next(d.light for d in card(Subject(run, **more), "share", "X").dimensions if d.name == name)


def test_a_dimension_is_as_good_as_its_worst_measure() -> None:
    def measures(*words: str) -> Dimension:
        made = (Measured(name=w, value=0.0, unit="", words=w, how="", light=w) for w in words)
        return Dimension("complete", tuple(made))

    assert measures("good", "with care").light == "with care"
    assert measures("poor", "not known").light == "poor"
    assert measures("good", "not known").light == "not known"
    assert measures("good", "").light == "good"
    assert measures().light == "not known"
    assert measures("good", "poor").because == "poor"


def test_limits_judge_upwards_or_downwards_and_nothing_of_what_is_missing() -> None:
    up, down = Limits(1, 2, "x", "why"), Limits(2, 1, "x", "why", down=True)
    assert [up.light(v) for v in (1, 2, 2.1, np.nan)] == ["good", "with care", "poor", "not known"]
    assert [down.light(v) for v in (2, 1, 0.9)] == ["good", "with care", "poor"]
    assert all(limits.why for limits in LIMITS.values())


def test_a_gap_is_counted_with_its_reason() -> None:
    gaps = made(values=[50.0] * 8 + [np.nan, 50.0])
    told = one(gaps, "periods")
    assert (told.value, told.light) == (90.0, "with care")
    assert told.words == "9 of 10 periods have a value; 2018: too little was seen"
    assert one(made(), "periods").light == "good"


def test_parts_count_in_the_newest_period_that_was_asked_for() -> None:
    assert one(made(), "parts").words == "2 of 2 areas inside have a value in 2019"
    assert one(made(values=[50.0] * 9 + [np.nan]), "parts").value == 0
    assert "parts" not in {m.name for d in card(Subject(made()), "share", "A").dimensions for m in d.measures}


def test_ages_are_counted_to_the_day_that_is_named() -> None:
    """The newest value is of 2019: one year before the day the run was made, seven before the end of 2026."""
    assert one(made(), "age").value == pytest.approx(1.0, abs=0.01)
    late = one(made(), "age", on="2026-12-31")
    assert (round(late.value), late.light) == (7, "poor")
    source = one(made(), "source", on="2026-12-31")
    assert "out of date" in source.words and "Finished: 2010 to 2019." in source.words
    assert "out of date" not in one(made(), "source").words
    with pytest.raises(InputError, match="'soon' is not a day"):
        card(Subject(made(), "soon"), "share", "X")


def test_the_age_of_a_file_is_that_of_its_own_day_and_not_of_the_period_it_is_used_for() -> None:
    """A map of 2016 that stands for 2019 is four years old at the end of 2020."""
    found = one(made(newest={"cover-map": "2016-12-31"}), "source")
    assert found.value == pytest.approx(4.0, abs=0.01) and "of 2016-12-31" in found.words


def test_a_file_of_which_the_run_recorded_no_day_has_no_age() -> None:
    found = one(made(newest={}), "source")
    assert np.isnan(found.value) and found.light == "not known"


def test_a_bias_that_is_a_share_of_the_official_value_does_not_carry_the_unit_of_the_output() -> None:
    finding = {"output": "share", "ref_area": "X", "verdict": "agrees", "publisher": "Office", "pairs": []}
    relative = one(made(check=[{**finding, "evidence": {"bias": 0.02, "relative": 1.0}}]), "agreement")
    assert (relative.value, relative.unit) == (0.02, "of the official value, as a share")
    assert one(made(check=[{**finding, "evidence": {"bias": 2.0, "relative": 0.0}}]), "agreement").unit == "percent"


def test_nothing_is_told_of_an_area_with_a_hidden_count_of_people() -> None:
    """Four people in each half: hidden, and nothing that is said of the halves gives them away."""
    people = {"share": {"title": "People", "unit": "people", "official": None}}
    run = Few(recipe=recipe(outputs=people, protect="people"), values=[4.0] * 10)
    assert Subject(run).hidden >= {("share", "A"), ("share", "B")}
    assert {c.ref_area for c in cards(Subject(run))} <= {"X"}
    with pytest.raises(InputError, match="hidden to protect people"):
        card(Subject(run), "share", "A")


class Few(Made):
    """The same run of a count of people."""

    @property
    def series(self) -> pd.DataFrame:
        """So many in each half."""
        return super().series.assign(unit_measure="people")

    @property
    def totals(self) -> None:
        """Not kept."""


def test_the_interval_stands_beside_the_tolerance() -> None:
    """Half of 49 to 51 is 1 of 5 points; of a tolerance of 2 % of 50 it is all."""
    assert one(made(), "width").value == pytest.approx(0.2)
    relative = made(official={**FOREST, "tolerance": 0.02, "relative": True})
    assert one(relative, "width").value == pytest.approx(1.0)
    assert one(made(official={**FOREST, "tolerance": 0.4}), "width").light == "poor"
    assert one(made(official=None), "width").light == "not known"


@pytest.mark.parametrize(
    ("interval", "word"), [("bounds", "not known"), ("bounds+confusion", "good"), ("bounds+model", "with care")]
)
def test_errors_of_the_classes_are_known_only_where_a_sample_says_them(interval: str, word: str) -> None:
    assert one(made(interval=interval), "classes").light == word


@pytest.mark.parametrize(
    ("verdict", "word"), [("agrees", "good"), ("differs in level", "with care"), ("not settled", "not known")]
)
def test_a_difference_is_no_proof_of_a_poor_series(verdict: str, word: str) -> None:
    finding = {"output": "share", "ref_area": "X", "verdict": verdict, "publisher": "Office", "pairs": []}
    assert one(made(check=[finding]), "agreement").light == word
    assert one(made(check=[{**finding, "ref_area": "A"}]), "agreement").light == "not known"


def test_a_step_at_a_break_is_held_against_the_usual_step() -> None:
    """Steps of 1 everywhere, of 4 into 2015."""
    values = [50.0, 51, 50, 51, 50, 54, 53, 54, 53, 54]
    broken = made(values=values, breaks=[["2015-01-01", "another sensor"]])
    assert one(broken, "breaks").words == "known breaks inside: 2015-01-01: another sensor"
    told = one(broken, "jump")
    assert (told.value, told.light) == (4.0, "poor")
    assert one(made(values=values, breaks=[["2009-01-01", "before it"]]), "breaks").light == "good"


def test_a_revision_is_the_largest_difference_from_the_run_before() -> None:
    before = made(id="two", created="2020-01-01T00:00:00Z", values=[50.0] * 9 + [48.0], engine="old")
    told = one(made(engine="new"), "revision", others=[before])
    assert (told.value, told.light) == (pytest.approx(0.4), "with care")
    assert "1 of 10 values differ from run two" in told.words
    assert one(made(engine="new"), "runs", others=[before]).words.endswith("what differs: engine")
    elsewhere = replace(before, recipe={**before.recipe, "zones": {"digest": "other"}})
    assert np.isnan(one(made(), "runs", others=[elsewhere]).value)


def test_a_country_that_is_not_its_parts_is_found() -> None:
    """A hundredth of 8 km2 too much."""
    assert one(made(), "gap").light == "good"
    told = one(made(apart=8e4), "gap")
    assert (told.value, told.light) == (pytest.approx(0.0099, rel=0.01), "poor")
    assert one(made(), "gap", area="A").words == "the books close to 0 of the area"


def test_the_definition_decides_how_relevant_a_series_is() -> None:
    assert one(made(), "definition").light == "good"
    assert one(made(official={**FOREST, "differs": "palms are in it"}), "definition").light == "with care"
    assert one(made(official={**FOREST, "proxy": True}), "definition").light == "poor"
    assert one(made(official=None), "definition").light == "not known"


def test_pixels_are_counted_over_the_area() -> None:
    """4 km2 of hectares are 400."""
    told = one(made(), "pixels", area="A")
    assert (told.value, told.light) == (400.0, "with care")
    assert np.isnan(one(made(item={"assets": {}, "bbox": [0, 0, 1, 1]}), "pixels").value)


def test_every_measure_says_how_it_was_made_and_json_holds_no_nan() -> None:
    found = cards(Subject(made(official=None)))
    assert [c.ref_area for c in found] == ["X", "A", "B"]
    assert all(m.how and m.words for c in found for d in c.dimensions for m in d.measures)
    text = json.dumps([c.as_dict() for c in found], allow_nan=False)
    assert json.loads(text)[0]["dimensions"][2]["light"] == "not known"


def test_an_output_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InputError, match=r"no output 'shares'; it has 'share'\. Did you mean 'share'"):
        card(Subject(made()), "shares", "X")
    with pytest.raises(InputError, match="no area 'Y'"):
        card(Subject(made()), "share", "Y")


def test_the_command_shows_the_card_of_the_whole(tmp_path: Path, use_workspace: Any) -> None:
    world = little(tmp_path)
    use_workspace(world.workspace)
    run = CliRunner()
    assert run.invoke(app, asked(world, "--official", str(world.official))).exit_code == 0
    shown = run.invoke(app, ["quality", "15.1.1", "--store", str(world.store), "--on", "2026-11-23", "--all"])
    assert shown.exit_code == 0
    assert "as of 2026-11-23" in shown.stdout and "2 of 2 periods have a value" in shown.stdout
    told = run.invoke(app, ["quality", "15.1.1", "--store", str(world.store), "--area", "A", "--json"])
    (only,) = json.loads(told.stdout)["cards"]
    assert (only["ref_area"], len(only["dimensions"])) == ("A", 5)
    wrong = run.invoke(app, ["quality", "15.1.1", "--store", str(world.store), "--area", "Q"])
    assert wrong.exit_code == 1 and "no area 'Q'" in wrong.stderr


def test_a_card_is_a_record() -> None:
    found = card(Subject(made()), "share", "X")
    assert isinstance(found, Card) and (found.run, found.name, found.on) == ("one", "Land", "2020-12-31")
