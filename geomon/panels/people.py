"""What a desk may show of people, and how it says that something is hidden."""

import logging
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geomon.errors import GeomonError, InputError
from geomon.panels.markup import element, told
from geomon.places import Place, exists
from geomon.protection import SUPPRESSED, Guard, protected
from geomon.texts import say

if TYPE_CHECKING:
    from geomon.panels.story import StoredRun, Story

log = logging.getLogger(__name__)

BOOKS = "releases"
"""The folder of a store that says what was published; exports write into it too."""
SHOWN: dict[str, pd.DataFrame] = {}


def shown(run: "StoredRun", guard: Guard | None) -> pd.DataFrame:
    """The series of a run as every visitor may see it, found once; all of it hidden if it must not be published.

    Of a run in a store it is entered into the books of what was published, which may refuse it.
    """
    if guard is None:
        return run.series
    root = run.folder.parent.parent
    if not exists(root / "catalog.json"):
        return protected(run.series, guard, run.zones, totals=run.totals)
    key = str(run.folder)
    if key not in SHOWN:
        SHOWN[key] = entered(run, guard, root)
    return SHOWN[key]


def entered(run: "StoredRun", guard: Guard, root: Place) -> pd.DataFrame:
    """The same for a run in a store, after it was entered into its books."""
    from geomon.protection.releases import release

    try:
        return release(run.series, guard, run.zones, root / BOOKS, code=run.indicator, name=run.id, totals=run.totals)
    except (GeomonError, OSError) as error:
        log.exception("The run %s is not shown", run.id)  # the areas and the folder are for the house only
        why = say("people.refused" if isinstance(error, InputError) else "people.books")
        return run.series.assign(**dict.fromkeys(["obs_value", "lower", "upper", "n_obs"], np.nan), obs_status=why)


def hidden(run: "StoredRun", rows: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows of a run have a value that is not shown, for whatever reason."""
    return rows["obs_value"].isna() & run.series["obs_value"].notna()


def reason(status: str, guard: Guard | None) -> str:
    """Why there is no value, in words."""
    if status != SUPPRESSED or guard is None:
        return status
    return say("people.status", fewest=guard.fewest, whom=say(f"people.{guard.theme}"))


def note(story: "Story", period: str = "") -> str:
    """How many values are hidden, of a period or of all, and why; nothing where nobody is counted."""
    guard = story.guard
    if guard is None:
        return ""
    rows = story.rows.reset_index()
    rows = rows[rows["time_period"] == period] if period else rows
    count = int((rows["obs_status"] == SUPPRESSED).sum())
    if rows["obs_status"].isin([say("people.refused"), say("people.books")]).any():
        return ""  # the reason stands where the values would be
    words = told(
        "people.hidden" if count else "people.none",
        count=count,
        all=len(rows),
        fewest=guard.fewest,
        whom=say(f"people.{guard.theme}"),
    )
    return element("p", words, "soft small")
