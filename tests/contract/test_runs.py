"""Results are catalogued like inputs: a run's map is a source of the next run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geomon import Indicator, Output, Source, area, classes, total
from geomon.errors import CatalogError
from geomon.pipeline import Run, plan
from geomon.store import Store
from geomon.testing import farthest
from tests.contract.cases import CASES, DAY, POLYGONS, WORLD, ZONES
from tests.contract.definitions import cities, flood, forest_share, impact_check, night_lights, people_in_flood

THEIRS = Source("their-map")


def publish(indicator: Indicator, periods: tuple[str, ...], store: Path, **asked: object) -> Run:
    """A run on the small country, in a store."""
    zones = asked.pop("zones", ZONES)
    return plan(indicator, zones, periods, catalog=WORLD, store=store, block=16, **asked).run(workers=1)


@pytest.mark.parametrize("name", ["impact map, raster", "impact map, polygons"])
def test_a_stored_map_gives_what_the_same_map_in_memory_gives(name: str, tmp_path: Path) -> None:
    publish(flood.INDICATOR, (DAY,), tmp_path)
    theirs = THEIRS if name.endswith("raster") else POLYGONS
    run = publish(impact_check.INDICATOR, (DAY,), tmp_path, use={"theirs": theirs})
    fresh = plan(impact_check.INDICATOR, ZONES, (DAY,), catalog=WORLD, store=tmp_path, block=23, use={"theirs": theirs})
    assert farthest(CASES[name].plan().run(workers=1), fresh.run(workers=1)) < 1e-12
    assert set(run.reads.collection) >= {"runs/toy-flood"}


def test_the_map_is_part_of_the_recipe(tmp_path: Path) -> None:
    ask = {"catalog": WORLD, "store": tmp_path, "use": {"theirs": THEIRS}}
    publish(flood.INDICATOR, (DAY,), tmp_path)
    one = plan(impact_check.INDICATOR, ZONES, (DAY,), **ask)
    publish(replace(flood.INDICATOR, measure=flood.measure, title="Made otherwise", code="toy-other"), (DAY,), tmp_path)
    assert plan(impact_check.INDICATOR, ZONES, (DAY,), **ask).id == one.id, "another indicator's map changes nothing"
    wetter = {"now": Source("radar", period="2020-02-20")}
    publish(flood.INDICATOR, (DAY,), tmp_path, use=wetter)
    two = plan(impact_check.INDICATOR, ZONES, (DAY,), **ask)
    assert two.id != one.id and two.question == one.question, "the newest run of the day counts"


def test_the_run_that_covers_most_of_the_place_counts(tmp_path: Path) -> None:
    whole = publish(flood.INDICATOR, (DAY,), tmp_path)
    publish(flood.INDICATOR, (DAY,), tmp_path, zones=ZONES.select(["A1"]))
    made = plan(impact_check.INDICATOR, ZONES, (DAY,), catalog=WORLD, store=tmp_path, use={"theirs": THEIRS})
    scenes = [s for (where, _), found in made.setting.scenes.items() if "runs/toy-flood" in where for s in found]
    assert [g.item for s in scenes for g in s.granules] == [whole.id]


def test_a_run_can_be_named_by_its_id(tmp_path: Path) -> None:
    run = publish(forest_share.INDICATOR, ("2020", "2021"), tmp_path)

    def measure(cover: object) -> dict:
        return {"forest": classes(cover, "forest")}  # type: ignore[arg-type]

    again = replace(
        forest_share.INDICATOR,
        measure=measure,
        sources={"cover": Source(f"runs/{run.id}")},
        outputs={"forest": Output(total("forest"), "km2")},
    )
    second = plan(again, ZONES, ("2020", "2021"), catalog=WORLD, store=tmp_path).run(workers=1)
    assert run.totals is not None and second.totals is not None
    for what in ("forest", "unseen"):
        one, two = (r.totals[what].sel(**({"quantity": "forest"} if what == "unseen" else {})) for r in (run, second))
        np.testing.assert_allclose(one.values, two.values, rtol=1e-12)


@pytest.mark.parametrize(
    ("indicator", "periods", "kind", "unit"),
    [
        (forest_share.INDICATOR, ("2020",), "class", "1"),
        (replace(night_lights.INDICATOR, map="light"), ("2019",), "rate", "nW cm-2 sr-1"),
        (cities.INDICATOR, ("2000", "2010"), "class", "1"),
        (replace(CASES["people in a flood"].indicator, map="exposed"), (DAY,), "amount", "people"),
    ],
    ids=lambda v: getattr(v, "code", None),
)
def test_a_map_knows_what_its_pixels_are(
    indicator: Indicator, periods: tuple[str, ...], kind: str, unit: str, tmp_path: Path
) -> None:
    publish(indicator, periods, tmp_path)

    def measure(made: object) -> dict:
        return {"ground": area()}

    source = {"made": Source(f"runs/{indicator.code}")}
    next_ = replace(
        forest_share.INDICATOR,
        measure=measure,
        sources=source,
        grid="made",
        map="",
        outputs={"ground": Output(total("ground"), "km2")},
    )
    made = plan(next_, ZONES, periods[:1], catalog=WORLD, store=tmp_path)
    (known,) = made.setting.known.values()
    assert (known.band.kind, known.band.unit) == (kind, unit)


def test_there_must_be_a_store_and_a_run(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"no store was named .* Say store="):
        plan(impact_check.INDICATOR, ZONES, (DAY,), catalog=WORLD, use={"theirs": THEIRS})
    publish(forest_share.INDICATOR, ("2020",), tmp_path)
    with pytest.raises(CatalogError, match=r"no run of 'toy-flood' with a map; it has maps of 'toy-15.1.1'"):
        plan(impact_check.INDICATOR, ZONES, (DAY,), catalog=WORLD, store=tmp_path, use={"theirs": THEIRS})
    publish(flood.INDICATOR, (DAY,), tmp_path)
    with pytest.raises(CatalogError, match=r"Nothing found of runs/toy-flood for 2020-03-06; it has '2020-03-05'"):
        plan(
            impact_check.INDICATOR, ZONES, ("2020-03-06",), catalog=WORLD, store=Store(tmp_path), use={"theirs": THEIRS}
        )


def test_sentences_about_people_are_made_of_what_may_be_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts are rounded there, and small ones are not in it."""
    given: list[pd.DataFrame] = []
    monkeypatch.setattr("geomon.publishing.progress", lambda series, *_, **__: given.append(series) or [])
    run = publish(people_in_flood.INDICATOR, (DAY,), tmp_path)
    values = given[0]["obs_value"].dropna()
    assert len(values) and (values % 5 == 0).all() and not (run.series["obs_value"].dropna() % 5 == 0).all()
