"""Learn to read defects: small countries in which one thing is wrong on purpose, and what the check says of each."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape

import numpy as np

from geomon.causes import Together, clause
from geomon.departures.compare import compare
from geomon.departures.records import Floats, Panel, Reason, Version
from geomon.panels.markup import element, fold, table, told
from geomon.panels.numbers import Unit, typeset
from geomon.texts import say

YEARS = np.arange(2004.0, 2025.0)
PROVINCES = ("North", "Middle", "South")
DISTRICTS = 15
TOLERANCE = 5.0  # percentage points
SIZE = 2.5  # tolerances of what is planted
NORTH, ONE, OTHER = tuple(range(5)), 2, 3
TURN = 11  # position of the year in which something begins
LATER = np.arange(len(YEARS)) >= TURN
WIDTH, HEIGHT, EDGE = 320, 140, 8
WIDE, CLOSE = 8.0, 2.0  # tolerances that a picture shows at the least


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One thing that was planted, the district that is drawn, and what was found."""

    name: str
    panel: Panel
    drawn: tuple[int, ...]
    """Districts whose two series are drawn."""
    first: str
    """What the check says first; empty if it says nothing."""
    place: int
    """At which place of the ranking the planted name stands, or stands as a twin; 0: not at all."""


def honest(seed: int = 7) -> Panel:
    """A country whose two sides differ as honest sides do: forest in percent of land, 15 districts, 21 years."""
    random = np.random.default_rng(seed)
    level = np.array([68.0, 74.0, 47.0, 61.0, 66.0, *random.uniform(40, 75, DISTRICTS - 5)])[:, None]
    waves = np.cumsum(random.normal(0, 0.5, (DISTRICTS, len(YEARS))), 1)
    real = level + random.uniform(-0.35, 0.1, DISTRICTS)[:, None] * (YEARS - YEARS[0]) + waves
    satellite = real + random.normal(0, 0.6, real.shape)
    official = real + random.normal(0, 0.6, real.shape) + random.normal(0, 0.8, DISTRICTS)[:, None]
    return Panel(
        areas=tuple(f"D{n:02d}" for n in range(DISTRICTS)),
        parents=tuple(PROVINCES[n // 5] for n in range(DISTRICTS)),
        years=YEARS,
        satellite=satellite,
        official=official,
        tolerance=TOLERANCE,
        fraction=True,
        unseen=random.uniform(0.0, 0.12, real.shape),
        neighbours=tuple((n, n + 1) for n in range(DISTRICTS - 1)),
    )


def moved(panel: Panel, areas: tuple[int, ...], shift: Floats | float) -> Panel:
    """The official values of some districts, lower by `shift` tolerances."""
    official = panel.official.copy()
    official[list(areas)] -= TOLERANCE * shift
    return replace(panel, official=official)


def level(panel: Panel) -> Panel:
    """One district reports too little, always."""
    return moved(panel, (ONE,), SIZE)


def trend(panel: Panel) -> Panel:
    """One district drifts away by 2.5 tolerances in ten years."""
    return moved(panel, (ONE,), SIZE * (YEARS - YEARS.mean()) / 10)


def jump(panel: Panel) -> Panel:
    """A province counts by a new method from one year on."""
    return moved(panel, NORTH, np.where(LATER, SIZE, 0.0))


def optimistic(panel: Panel) -> Panel:
    """The last four years of a province are better than they were."""
    return moved(panel, NORTH, -1.4 * SIZE * np.clip((YEARS - YEARS[-5]) / 4, 0, 1))


def sensor(panel: Panel) -> Panel:
    """Another sensor sees less everywhere, and its change is on record."""
    satellite = panel.satellite - TOLERANCE * np.where(LATER, SIZE, 0.0)
    return replace(panel, satellite=satellite, satellite_breaks=(float(YEARS[TURN]),))


def unit(panel: Panel) -> Panel:
    """Fractions in a column of percent, from one year on."""
    official = panel.official.copy()
    official[ONE, TURN:] /= 100
    return replace(panel, official=official)


def swap(panel: Panel) -> Panel:
    """Two districts under each other's name."""
    official = panel.official.copy()
    official[[ONE, OTHER]] = official[[OTHER, ONE]]
    return replace(panel, official=official)


def interpolated(panel: Panel) -> Panel:
    """Counted every fifth year, with lines between."""
    official = panel.official.copy()
    for n in NORTH:
        official[n] = np.interp(YEARS, YEARS[::5], official[n, ::5])
    return replace(panel, official=np.round(official, 2))


def copied(panel: Panel) -> Panel:
    """A province repeats a year."""
    official = np.round(panel.official, 2)
    official[list(NORTH), TURN] = official[list(NORTH), TURN - 1]
    return replace(panel, official=official)


def boundary(panel: Panel) -> Panel:
    """A wooded fifth of one district counts with its neighbour from one year on."""
    new = panel.satellite.copy()
    new[ONE] -= 14.0
    new[OTHER] += 9.0
    official = np.where(LATER, panel.official + new - panel.satellite, panel.official)
    return replace(panel, official=official, versions=(Version(name="new", since=float(YEARS[TURN]), satellite=new),))


def definition(panel: Panel) -> Panel:
    """The office leaves plantations out, everywhere in the same proportion, and says so."""
    return replace(panel, official=0.78 * panel.official, definition=say("check.page.lesson.definition.declared"))


def gap(panel: Panel) -> Panel:
    """The satellite misses forest where clouds hide the ground."""
    unseen = np.random.default_rng(11).uniform(0.0, 0.5, panel.satellite.shape)
    return replace(panel, satellite=panel.satellite - 8 * TOLERANCE * unseen, unseen=unseen)


PLANTS: dict[str, tuple[Callable[[Panel], Panel], tuple[int, ...]]] = {
    "level": (level, (ONE,)),
    "trend": (trend, (ONE,)),
    "break": (jump, (ONE,)),
    "unit": (unit, (ONE,)),
    "swap": (swap, (ONE, OTHER)),
    "interpolated": (interpolated, (ONE,)),
    "boundary": (boundary, (ONE,)),
    "copied": (copied, (ONE,)),
    "optimistic": (optimistic, (ONE,)),
    "definition": (definition, (ONE,)),
    "sensor": (sensor, (ONE,)),
    "gap": (gap, (ONE,)),
}
"""Name of a departure -> how it is planted, and which districts are drawn."""


@functools.cache
def lesson(name: str) -> Lesson:
    """The lesson on one departure; 'honest' is the country in which nothing was planted."""
    plant, drawn = PLANTS.get(name, (lambda panel: panel, (ONE,)))
    panel = plant(honest())
    found = compare(panel)
    reasons = [r for r in found.reasons if not r.remark or name == r.name]
    place = next((n for n, r in enumerate(reasons, 1) if name in (r.name, *r.twins)), 0)
    names = {code: say("check.page.lesson.district", n=n + 1) for n, code in enumerate(panel.areas)}
    together = Together(
        panel=panel,
        compared=found,
        places=(),
        remarks=(),
        levels=(),
        names=names,
        labels=tuple(f"{y:.0f}" for y in YEARS),
        unit="percent",
        publisher=say("check.page.lesson.office"),
    )
    first = clause(best(reasons, name), together) if reasons else ""
    return Lesson(name=name, panel=panel, drawn=drawn, first=first, place=place)


def best(reasons: list[Reason], name: str) -> Reason:
    """The first reason; a straight line is a remark, and is told where it is what was planted."""
    return next((r for r in reasons if r.remark and r.name == name), reasons[0])


def page() -> str:
    """All lessons, each with its drawing, its two sentences, and what the check says."""
    cards = "".join(card(lesson(name)) for name in ("honest", *PLANTS))
    title = element("h2", say("check.page.lessons"))
    lead = element("p", told("check.page.lessons.lead", n=len(PLANTS) + 1, tolerance=f"{TOLERANCE:g}"), "soft note")
    return f'{title}{lead}{legend()}<div class="lessons">{cards}</div>'


def legend() -> str:
    """What is drawn how."""
    marks = (("dot", "series.satellite"), ("diamond", "series.official"))
    items = "".join(f'<li><i class="{mark}" aria-hidden="true"></i>{say(words)}</li>' for mark, words in marks)
    return f'<ul class="key">{items}</ul>'


def card(one: Lesson) -> str:
    """One lesson."""
    title = element("h3", say(f"check.page.lesson.{one.name}.title"))
    words = element("p", say(f"check.page.lesson.{one.name}"))
    if one.first:
        sentence = typeset(one.first[:1].upper() + one.first[1:])
        said = told("check.page.lesson.says", words=sentence)
    else:
        said = say("check.page.lesson.silent")
    score = say(f"check.page.lesson.place.{min(one.place, 3)}") if one.name != "honest" else ""
    said = element("p", f"{said} {score}".strip(), "said")
    return element("article", title + drawing(one) + words + said + numbers(one), "lesson")


def numbers(one: Lesson) -> str:
    """The drawing as a table, on demand."""
    columns = [("pair.period", False)]
    head = [(say(k), n) for k, n in columns]
    for n in one.drawn:
        name = say("check.page.lesson.district", n=n + 1) if len(one.drawn) > 1 else ""
        head += [(f"{say(f'pair.{side}')} {name}".strip(), True) for side in ("satellite", "official")]
    write = Unit("percent").bare
    sides = [side[n] for n in one.drawn for side in (one.panel.satellite, one.panel.official)]
    rows = [("", [f"{year:.0f}", *(write(float(s[k])) for s in sides)]) for k, year in enumerate(YEARS)]
    return fold(say("series.table"), table(head, rows, scroll=say(f"check.page.lesson.{one.name}.title")))


def drawing(one: Lesson) -> str:
    """The two series of a district, or of two, as a picture that a table stands behind."""
    shown = [(one.panel.satellite[n], one.panel.official[n]) for n in one.drawn]
    every = np.concatenate([side for pair in shown for side in pair])
    low, high = float(every.min()), float(every.max())
    least = CLOSE if one.name in ("interpolated", "copied") else WIDE  # honest noise should not look like a defect
    high = max(high, low + least * TOLERANCE)

    def at(k: int, value: float) -> tuple[float, float]:
        x = EDGE + (WIDTH - 2 * EDGE) * k / (len(YEARS) - 1)
        return x, HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (value - low) / (high - low)

    parts = []
    for n, (ours, theirs) in enumerate(shown):
        line = " ".join("{:.1f},{:.1f}".format(*at(k, float(v))) for k, v in enumerate(ours))
        parts.append(f'<polyline class="ours{" two" if n else ""}" points="{line}"/>')
        for k, v in enumerate(theirs):
            x, y = at(k, float(v))
            parts.append(f'<path class="theirs" d="M{x:.1f} {y - 4:.1f}l4 4-4 4-4-4z"/>')
    label = escape(say("check.page.lesson.drawing", what=say(f"check.page.lesson.{one.name}.title")))
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}"'
    return f"<svg {box}>{''.join(parts)}</svg>"
