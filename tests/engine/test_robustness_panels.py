"""What a desk shows of quality and of the specification curve."""

import os
from typing import Any

import numpy as np
import pytest

from geomon import workspace
from geomon.panels import quality
from geomon.panels import robustness as panel
from geomon.panels.chart import LOOKS
from geomon.panels.story import Story
from geomon.robustness import robustness
from geomon.store import Store, StoredRun
from tests.engine.little import little


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    """The default run of six specifications: trees or shrubs as well, over all years, the first ten, the last ten."""
    world = little(tmp_path_factory.mktemp("country"), years=range(2008, 2020))
    own = {"cover": ("esa-worldcover",)}
    before = os.environ.get(workspace.VARIABLE, "")
    workspace.use(world.workspace)
    robustness("15.1.1", world.zones, "2008/2019", store=world.store, use=own, workers=1)
    workspace.use(*filter(None, before.split(os.pathsep)))
    (found,) = Store(world.store).runs()
    return found


@pytest.fixture
def story(run: StoredRun) -> Story:
    """Its only output."""
    return Story(run, "share")


def test_the_card_names_five_dimensions_and_its_day(story: Story) -> None:
    html = quality.card(story, "X", day="2026-11-23")
    assert [word in html for word in ("Complete", "Timely", "Accurate", "Consistent", "Relevant")] == [True] * 5
    assert "as of 2026-11-23" in html and "12 of 12 periods have a value" in html
    assert "out of date" in html  # the newest map is of 2019


def test_the_card_of_an_area_with_a_hidden_number_is_not_shown(story: Story) -> None:
    object.__setattr__(story, "tellable", {"A"})
    assert "Not shown" in quality.card(story, "X") and "Complete" in quality.card(story, "A")


def test_the_curve_belongs_to_the_run_that_is_its_default(story: Story) -> None:
    found = panel.result(story)
    assert found is not None and found["specifications"][0]["run"] == story.run.id
    html = panel.words(story, "X", found)
    assert "The fall of tree cover as a share of land in" in html and "6 of 6 specifications were tried" in html
    assert "geomon robustness 15.1.1" in panel.words(story, "X", None)
    assert panel.curve(story, "nowhere", found) is None


def test_each_specification_is_a_point_and_has_a_dot_for_each_choice(story: Story) -> None:
    found = panel.result(story)
    shown = panel.curve(story, "X", found)
    assert found is not None and shown is not None
    data = panel.points(story, found, shown)
    assert len(data) == 6 and data["value"].is_monotonic_increasing
    assert list(data[data["number"] == 1]["spec"]) == ["default"]
    dots = panel.chosen(story, "X", found, shown, LOOKS["light"]).data
    assert len(dots) == 6 * 2  # what is counted, and the years
    assert set(dots[dots["colour"] == LOOKS["light"].accent]["rank"]) == set(data[data["number"] == 1]["rank"])


def test_what_gave_no_value_is_a_cross_and_not_a_gap(story: Story) -> None:
    found = panel.result(story)
    shown: Any = panel.curve(story, "X", found)
    lost = {**shown["points"][-1], "value": None, "lower": None, "upper": None, "why": "no such file"}
    shown = {**shown, "points": [*shown["points"][:-1], lost]}
    assert found is not None
    layers = panel.chart(story, "X", found, shown, LOOKS["dark"])
    cross = next(layer for layer in layers if layer.vdims and layer.vdims[0].name == "foot")
    assert list(cross.data["told"]) == ["no such file"]
    assert np.isfinite(cross.data["foot"]).all()


def test_other_choices_of_a_count_of_people_are_not_shown(story: Story) -> None:
    story.recipe["protect"] = "people"
    try:
        found = panel.result(story)
        assert panel.curve(story, "X", found) is None
        assert "could tell a hidden number" in panel.words(story, "X", found)
    finally:
        story.recipe["protect"] = ""
