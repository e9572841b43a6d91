"""What changed between two vintages of official statistics: revised, new and dropped values, largest first.

Nothing that makes two vintages different is left out: where the value is the same, or there is none on either
side, its bounds, the reason why it is missing, its note and its publisher count as well.
"""

import numpy as np
import pandas as pd

from geomon.official.units import factor

KEY = ["series", "ref_area", "time_period"]
CHANGES = ("revised", "unit", "nature", "definition", "bounds", "remark", "new", "dropped")
COLUMNS = (
    *("change", *KEY, "old", "new", "difference", "relative", "unit_old", "unit_new", "nature_old", "nature_new"),
    *("definition_old", "definition_new", "lower_old", "lower_new", "upper_old", "upper_new"),
    *("obs_status_old", "obs_status_new", "note_old", "note_new", "publisher_old", "publisher_new"),
)
WORDS = ("unit_measure", "nature", "definition", "obs_status", "note", "publisher")
SAME = 1e-12  # as a share of the value: what two spellings of one number may differ by


def revisions(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Each key that changed, in columns COLUMNS; `difference` is new minus old in the new unit.

    A value in another unit is converted first: if it is the same then, only its unit changed. A value that
    became missing was dropped. Sorted by the size of the change as a share of the old value.
    """
    sides = [unique_keys(t) for t in (old, new)]
    key = KEY if all(s is not None for s in sides) else [*KEY, "publisher", "definition"]
    a, b = (t.set_index(key) for t in (old, new))
    both = a.join(b, how="outer", lsuffix="_old", rsuffix="_new").reset_index()
    both["present"] = both.obs_status_old.notna() & both.obs_status_new.notna()
    for name in WORDS:
        for side in ("_old", "_new"):
            if name + side not in both:
                both[name + side] = both[name]
            both[name + side] = both[name + side].fillna("")
    pairs = both[["unit_measure_old", "unit_measure_new"]].drop_duplicates().itertuples(index=False, name=None)
    known = {(u, v): 1.0 if u == v else factor(str(u), str(v)) for u, v in pairs}
    units = zip(both.unit_measure_old, both.unit_measure_new, strict=True)
    times = pd.Series([known[u] for u in units], index=both.index, dtype="float64")
    both["difference"] = both.obs_value_new - both.obs_value_old * times
    base = (both.obs_value_old * times).abs()
    both.loc[both.difference.abs() <= SAME * base, "difference"] = 0.0
    both["relative"] = (both.difference / base).where(base > 0, np.where(both.difference == 0, 0.0, np.inf))
    both.loc[both.difference.isna(), "relative"] = np.nan
    both["change"] = kind_of(both)
    found = both[both.change != ""].rename(
        columns={"obs_value_old": "old", "obs_value_new": "new"}
        | {f"unit_measure_{s}": f"unit_{s}" for s in ("old", "new")}
    )
    found = found.assign(rank=found.change.map(CHANGES.index), size=-found.relative.abs().fillna(np.inf))
    return found.sort_values(["rank", "size", *KEY], kind="stable")[list(COLUMNS)].reset_index(drop=True)


def unique_keys(table: pd.DataFrame) -> pd.DataFrame | None:
    """The table, or None if series, area and period do not tell its values apart."""
    return None if table.duplicated(KEY).any() else table


def kind_of(both: pd.DataFrame) -> pd.Series:
    """What happened to each key; '' for nothing."""
    there = both.obs_value_old.notna(), both.obs_value_new.notna()
    kinds = pd.Series("", index=both.index, dtype=object)
    for name in ("obs_status", "note", "publisher"):
        kinds[both[f"{name}_old"] != both[f"{name}_new"]] = "remark"
    for name in ("lower", "upper"):
        kinds[~same(both[f"{name}_old"], both[f"{name}_new"])] = "bounds"
    for name, kind in (("definition", "definition"), ("nature", "nature"), ("unit_measure", "unit")):
        kinds[both.present & (both[f"{name}_old"] != both[f"{name}_new"])] = kind
    kinds[both.difference.fillna(0.0) != 0] = "revised"
    kinds[there[0] & ~there[1]] = "dropped"
    kinds[~there[0] & there[1]] = "new"
    return kinds


def same(a: pd.Series, b: pd.Series) -> pd.Series:
    """Where two columns of numbers agree, or both have none."""
    return ((a - b).abs() <= SAME * a.abs()) | (a.isna() & b.isna())
