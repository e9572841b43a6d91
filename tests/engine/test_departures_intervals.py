"""Intervals of effects hold the planted one, at each scope, in panels drawn from the model of honest differences."""

import numpy as np
import pytest

from geomon.departures.compare import compare
from geomon.departures.records import Allowance, Panel

N, LENGTH = 9, 18
SEEDS = 400


def honest(rng, years):
    """Satellite minus official in tolerances: constants, drifts and noise of the country and of its areas."""
    allowed = Allowance()
    decades = (years - years.mean()) / 10
    nation = allowed.nation * rng.standard_normal() + allowed.drift_nation * rng.standard_normal() * decades
    area = allowed.area * rng.standard_normal((N, 1)) + allowed.drift_area * rng.standard_normal((N, 1)) * decades
    return nation + area + 0.1 * rng.standard_normal(LENGTH) + 0.35 * rng.standard_normal((N, LENGTH))


@pytest.mark.parametrize(("scope", "areas"), [("nation", range(N)), ("province", range(3, 6)), ("area", [7])])
def test_intervals_of_effects_hold(scope, areas):
    years = 2001.0 + np.arange(LENGTH)
    held = []
    for seed in range(SEEDS):
        rng = np.random.default_rng([seed, len(list(areas))])
        truth = 30 + 25 * rng.random((N, 1)) + 0.2 * rng.standard_normal((N, LENGTH))
        d = honest(rng, years)
        name = ("level", "trend", "break")[seed % 3]
        k = int(rng.integers(4, LENGTH - 4))
        shape = {"level": 1.0, "trend": (years - 2001) / 10, "break": np.arange(LENGTH) >= k}[name]
        d[list(areas)] += 3.0 * shape
        panel = Panel(
            areas=tuple(str(i) for i in range(N)),
            parents=tuple(str(i // 3) for i in range(N)),
            years=years,
            satellite=truth + 2 * d,
            official=truth,
            tolerance=2.0,
        )
        found = [r for r in compare(panel).reasons if (r.name, r.areas) == (name, tuple(areas))]
        held += [r.lower < 3 < r.upper for r in found[:1]]
    assert len(held) > 0.85 * SEEDS
    assert 0.92 < np.mean(held) < 0.98
