"""One area that wanders by itself: what its difference would show without any departure."""

import numpy as np

from geomon.departures.noise import Noise
from geomon.departures.records import Floats, Reason
from geomon.departures.shapes import Bank

MEMORY = 0.8  # correlation of neighbours in time of a series that wanders
SIZES = (0.5, 1.0, 1.5, 2.0)  # of it beside the noise of the area
MARGIN = 2.8  # log likelihood by which a departure must be ahead
BESIDE = 4.0  # log likelihood by which a departure beside the wandering stands, whatever wandering alone explains
JUDGED = ("trend", "break", "optimistic")


def wanders(model: Noise, shapes: Bank, reason: Reason, e: Floats) -> bool:
    """Whether wandering explains a difference e (areas, years) without NaN about as well as a reason about one area.

    The panel gives one memory for all areas; the few that have a longer one look like breaks and late departures. A
    departure that is clear beside any wandering stands: a drift of five tolerances is no wandering because it is not
    quite straight.
    """
    if reason.scope != "area" or reason.name not in JUDGED:
        return False
    tried = float(np.log(len(shapes.of(reason.name))))
    alone, beside = wandering(model, reason.areas[0], e, shapes.shapes[int(float(reason.evidence["row"]))])
    return float(reason.evidence["z"]) ** 2 / 2 - tried < alone + MARGIN and beside - tried < BESIDE


def wandering(model: Noise, area: int, e: Floats, shape: Floats) -> tuple[float, float]:
    """Log likelihood won if one area wanders, beside the noise of the panel; and what the shape wins on top of it."""
    _, total = model.solve(e)
    seen = model.seen[area]
    rest, x = (e[area] - model.pooled @ total)[seen], shape[seen]
    precision = model.precision[area][np.ix_(seen, seen)]
    usual = np.linalg.inv(precision)
    years = model.years[seen]
    near = MEMORY ** np.abs(years[:, None] - years)
    more = usual + (np.array(SIZES) * model.own[area])[:, None, None] ** 2 * near
    volume = np.linalg.slogdet(more)[1] - np.linalg.slogdet(usual)[1]
    solved = np.array([np.linalg.solve(one, np.column_stack([rest, x])) for one in more])
    gain = (rest @ precision @ rest - solved[:, :, 0] @ rest - volume) / 2
    best = int(gain.argmax())
    weighed = solved[best, :, 1]
    return float(gain[best]), float((weighed @ rest) ** 2 / max(weighed @ x, 1e-12) / 2)
