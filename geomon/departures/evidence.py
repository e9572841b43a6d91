"""How much a shape of the whole country explains while the noise of the country is itself in doubt."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtr

from geomon.departures.noise import Noise
from geomon.departures.records import Floats


@dataclass(frozen=True)
class Weighed:
    """Effects on the whole country under each size of its noise, (shapes, sizes), and what they explain."""

    effect: Floats
    error: Floats
    share: Floats
    """Log likelihood of each, beside no effect under any size: they add up over sizes."""

    @property
    def gain(self) -> Floats:
        """(shapes,) log likelihood won by each shape, whatever the size of the noise."""
        return np.asarray(np.logaddexp.reduce(self.share, axis=1))


def weighed(model: Noise, total: Floats, top: Floats, sums: Floats, power: Floats) -> Weighed:
    """Shapes x of the whole panel V-weighed by areas: `top` x'Pe, `sums` (shapes, years) of Px, `power` x'Px."""
    null = model.weighed(total)
    null = null - np.logaddexp.reduce(null)
    across = np.einsum("st,gtu->sgu", sums, model.sized)
    bottom = power[:, None] - np.einsum("sgu,su->sg", across, sums)
    good = bottom > 1e-6
    over = top[:, None] - across @ total
    effect = np.where(good, over / np.where(good, bottom, 1.0), 0.0)
    error = np.where(good, 1 / np.sqrt(np.where(good, bottom, 1.0)), np.inf)
    return Weighed(effect, error, np.where(good, effect * over / 2, 0.0) + null)


def doubt(model: Noise, bottom: Floats, more: Floats) -> Floats:
    """Degrees of freedom of effects with these precisions, now and if the country's noise were a tenth larger."""
    bottom, more = np.maximum(bottom, 1e-9), np.maximum(more, 1e-9)
    share = np.clip((1 / more - 1 / bottom) * 10 * bottom, 1e-3, 1.0)
    return np.asarray(model.freedom / share**2)


def judged(z: float, count: float, freedom: float) -> float:
    """p of a size in standard errors that is the largest of so many tried."""
    single = 2 * float(ndtr(-z) if np.isinf(freedom) else stdtr(freedom, -z))
    return min(1.0, single * count)
