"""A series in the codes of a data structure: every code is looked up before anything is written."""

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from geomon.errors import InputError, did_you_mean, listing
from geomon.export.breakdowns import custom_codes
from geomon.export.message import Message, Observation
from geomon.export.release import Release
from geomon.export.said import Row, area_code, bound, comment, plain, source, time_of
from geomon.export.statuses import CONFIDENTIAL, FREE, NATURE_CODE, SUPPRESSED, code_of, flag
from geomon.export.structure import SERIES, TOTAL, Constraints, Structure
from geomon.export.units import choices

Fault = tuple[str, str]
"""What does not fit, and what could be done; '' if nothing is known."""
MOST = 8  # faults that are told at once
WHOLE = re.compile(r"-?\d+")
SAYING = ("COMMENT_OBS", "COMMENT_TS", "SOURCE_DETAIL")


@dataclass(frozen=True, kw_only=True)
class Target:
    """The structure that data shall keep to, and what else is known of it."""

    structure: Structure
    constraints: Constraints | None = None
    areas: Mapping[str, str]
    """Codes of the structure for areas that have another here."""
    national: bool = False
    """Whether data of this structure are a nation's own reporting."""


def coded(release: Release, target: Target) -> Message:
    """A series as a message of a structure; InputError that names every code the structure does not have."""
    structure = target.structure
    if not set(SAYING) & set(structure.attributes):
        raise InputError(
            f"{structure.reference} has none of the attributes {listing(SAYING)}, so nothing in it could say that a "
            "value is a satellite estimate. Export with geomon's own structure: --structure geomon."
        )
    rows = release.rows
    breakdowns = custom_codes({r["breakdown"] for r in rows} - {""}, structure)
    faults: Counter[Fault] = Counter()
    observations = []
    for row in rows:
        one = Coding(release, target, breakdowns, row)
        found = list(one.faults())
        faults.update(found)
        if not found:
            observations.append(one.observation())
    if twice := repeated(observations):
        faults[f"{len(twice)} keys stand for several rows, the first {'.'.join(twice[0])}", ""] += 1
    if faults:
        refuse(structure, faults)
    return message(release, structure, observations)


def repeated(observations: Iterable[Observation]) -> list[tuple[str, ...]]:
    """Keys that more than one observation has."""
    return [k for k, n in Counter(o.key for o in observations).items() if n > 1]


def refuse(structure: Structure, faults: Mapping[Fault, int]) -> None:
    """InputError with the faults, how often each is there, and what could be done."""
    shown = [f"{fault} ({count} rows)" if count > 1 else fault for (fault, _), count in list(faults.items())[:MOST]]
    more = f"; and {len(faults) - MOST} more" if len(faults) > MOST else ""
    told = f"{'; '.join(shown)}{more}"
    told += "" if told.endswith("?") else "."
    hints = " ".join(dict.fromkeys(hint for _, hint in faults if hint))
    raise InputError(
        f"The series does not keep to {structure.reference}, and nothing was written: {told} "
        f"{hints} Or name another structure; --structure geomon is geomon's own."
    )


def message(release: Release, structure: Structure, observations: Sequence[Observation]) -> Message:
    """The observations with what a message says once."""
    titles = "; ".join(a.title for a in release.about.values())
    return Message(
        structure=structure,
        observations=tuple(observations),
        id="GEOMON_" + "_".join(release.runs)[:200],
        prepared=release.created or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        test=release.synthetic,
        source=plain(f"{titles}. {source(release)}"),
    )


@dataclass(frozen=True)
class Coding:
    """One row on its way into a structure."""

    release: Release
    target: Target
    breakdowns: Mapping[str, str]
    row: Row

    def faults(self) -> Iterator[Fault]:
        """Every code that the structure or its constraints do not have."""
        structure, row, told = self.target.structure, self.row, self.release.told(self.row)
        if not told.official:
            name = f"{row['indicator']} {row['series']}"
            yield f"{name} stands beside no official series, so it has no SERIES code", "Leave it out with --series."
        if not self.area:
            names = structure.codes["REF_AREA"]
            near = did_you_mean(self.release.names.get(row["ref_area"], ""), names.values())
            hint = f"REF_AREA has {listing(names)}: give the codes of yours with --area ZONE=CODE."
            yield f"the area {row['ref_area']!r} has no code in REF_AREA.{near}".rstrip("."), hint
        if not self.unit:
            has = f"UNIT_MEASURE has {listing(structure.codes.get('UNIT_MEASURE', {}))}."
            yield f"no code of UNIT_MEASURE says {row['unit_measure']!r}", has
        if row["breakdown"] and "CUST_BREAKDOWN" not in structure.dimensions:
            yield f"it has no CUST_BREAKDOWN for {row['breakdown']!r}", "Leave out --breakdowns."
        if told.official and self.area and self.unit:
            yield from self.faults_of_codes()

    def faults_of_codes(self) -> Iterator[Fault]:
        """The same for a row that has an area, a unit and an official series."""
        structure, constraints = self.target.structure, self.target.constraints
        series = self.release.told(self.row).official
        said = {**self.key, **self.of_series, **self.of_observation}
        for name, code in said.items():
            known = structure.codes.get(name)
            if known is not None and code not in known:
                yield f"{code!r} is not in its list {name}", f"{name} has {listing(known)}."
        for name, attribute in structure.attributes.items():
            if attribute.mandatory and not said.get(name):
                yield f"it demands {name}, for which a series has nothing", ""
        if constraints is None:
            return
        if series not in constraints.by_series:
            yield f"its constraints have no series {series!r}.{did_you_mean(series, constraints.by_series)}", ""
            return
        for name, code in said.items():
            allowed = constraints.allowed(series, name)
            if allowed is not None and code not in allowed:
                yield f"{series} may have {listing(allowed)} for {name}, not {code!r}", ""

    @property
    def area(self) -> str:
        """The code of the row's area in the structure, '' if it has none."""
        code = str(self.row["ref_area"])
        known = self.target.structure.codes.get("REF_AREA")
        name, country = self.release.names.get(code, ""), code in self.release.countries
        return area_code(code, name, known, self.target.areas, country)

    @property
    def unit(self) -> tuple[str, int, int] | None:
        """The code of the unit, UNIT_MULT, and the power of ten by which the value is multiplied."""
        series = self.release.told(self.row).official
        codes, constraints = self.target.structure.codes.get("UNIT_MEASURE", {}), self.target.constraints
        known = constraints if constraints and series in constraints.by_series else None
        units = known.allowed(series, "UNIT_MEASURE") if known else None
        multipliers = known.allowed(series, "UNIT_MULT") if known else None
        found = choices(self.row["unit_measure"], codes)
        if not found:
            return None
        code, power = next(((c, p) for c, p in found if units is None or c in units), found[0])
        natural = power if power > 0 and power % 3 == 0 else 0
        allowed = sorted(int(m) for m in multipliers or () if WHOLE.fullmatch(m)) or [natural]
        multiplier = min(allowed, key=lambda m: abs(m - natural))
        return code, multiplier, power - multiplier

    @property
    def key(self) -> dict[str, str]:
        """A code for each dimension."""
        freq, time = time_of(self.row["time_period"])
        own = {
            "FREQ": freq,
            "REPORTING_TYPE": "N" if self.target.national else "G",
            "SERIES": self.release.told(self.row).official,
            "REF_AREA": self.area,
            "TIME_PERIOD": time,
        }
        if self.row["breakdown"]:
            own["CUST_BREAKDOWN"] = self.breakdowns[self.row["breakdown"]]
        return {d: own.get(d, TOTAL) for d in self.target.structure.dimensions}

    @property
    def of_series(self) -> dict[str, str]:
        """Attributes that hold for all times."""
        told = self.release.told(self.row)
        assert self.unit is not None
        return self.known(
            {
                "UNIT_MEASURE": self.unit[0],
                "COMMENT_TS": told.summary,
                "CUST_BREAKDOWN_LB": self.row["breakdown"],
                "DATA_LAST_UPDATE": self.release.created,
            }
        )

    @property
    def of_observation(self) -> dict[str, str]:
        """Attributes of this time."""
        row, told = self.row, self.release.told(self.row)
        assert self.unit is not None
        _, multiplier, power = self.unit
        return self.known(
            {
                "OBS_STATUS": code_of(row, told.differs),
                "CONF_STATUS": CONFIDENTIAL if flag(row) == SUPPRESSED else FREE,
                "UNIT_MULT": str(multiplier),
                "NATURE": NATURE_CODE,
                "TIME_DETAIL": row["time_period"],
                "LOWER_BOUND": bound(row["lower"], power),
                "UPPER_BOUND": bound(row["upper"], power),
                "SOURCE_DETAIL": source(self.release),
                "COMMENT_OBS": comment(row, self.release),
            }
        )

    def known(self, said: Mapping[str, str]) -> dict[str, str]:
        """Attributes that the structure has and that say something."""
        return {n: plain(t) for n, t in said.items() if n in self.target.structure.attributes and t}

    def observation(self) -> Observation:
        """The row in codes."""
        assert self.unit is not None
        structure, attributes = self.target.structure, {**self.of_series, **self.of_observation}
        upper = {n for n in attributes if structure.level(n) == SERIES}
        return Observation(
            key=tuple(self.key.values()),
            value=bound(self.row["obs_value"], self.unit[2]),
            series=tuple(sorted((n, t) for n, t in attributes.items() if n in upper)),
            own=tuple(sorted((n, t) for n, t in attributes.items() if n not in upper)),
        )
