"""How often intervals hold the truth: invented maps with errors, zones and clouds, sampled and read off as runs are.

A case draws a truth, the map that a classifier makes of it, clouds that prefer some classes, and a reference sample
in each class of the map; what `share` and `total` make of the sums is compared with the truth of that ground.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import binomtest

from geomon.uncertainty import Errors, Mark, Sample, with_errors
from geomon.values import Estimate, share, total

SIDE = 120  # pixels
PARTS = 4  # zones of the country X
PIXEL = 900.0  # m2
WORDS = (total("wanted"), share("wanted", of="land"), share("wanted"))
AT = {"zone": ["X", *(f"Z{n}" for n in range(PARTS))], "period": ["2020"]}
ABOVE = {"X": "", **{f"Z{n}": "X" for n in range(PARTS)}}


@dataclass(frozen=True)
class Case:
    """An invented country: classes of its pixels in truth and on the map, and who saw them."""

    truth: NDArray[np.int64]
    map: NDArray[np.int64]
    seen: NDArray[np.bool_]
    zone: NDArray[np.int64]
    classes: int
    wanted: int
    """Classes below it are wanted; the last is no land."""
    counts: NDArray[np.int64]

    def ground(self, of: NDArray[np.int64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Square metres by zone (the country first) and class."""
        own = np.bincount((self.zone * self.classes + of)[where], minlength=PARTS * self.classes)
        parts = own.reshape(PARTS, self.classes) * PIXEL
        return np.vstack([parts.sum(axis=0), parts])

    def totals(self) -> xr.Dataset:
        """What the blocks of a run would leave."""
        found = self.ground(self.map, self.seen)
        hidden = self.ground(self.map, ~self.seen).sum(axis=1)
        made = {"wanted": found[:, : self.wanted].sum(axis=1), "land": found[:, :-1].sum(axis=1)}
        arrays = {
            n: xr.DataArray(v[:, None], dims=("zone", "period"), coords=AT, attrs={"kind": "area", "unit": "m2"})
            for n, v in made.items()
        }
        for what, number in (("seen", found.sum(axis=1)), ("unseen", hidden)):
            arrays[what] = xr.DataArray(
                np.stack([number[:, None]] * 2),
                dims=("quantity", "zone", "period"),
                coords={"quantity": ["wanted", "land"], **AT},
            )
        return xr.Dataset(arrays)

    def errors(self) -> Errors:
        """The sample, drawn in the whole country."""
        codes = range(self.classes)
        each = tuple((c,) for c in codes)
        counts = tuple(tuple(int(n) for n in line) for line in self.counts)
        marks = {
            "wanted": Mark({c: float(c < self.wanted) for c in codes}, {c: {} for c in codes}),
            "land": Mark({c: float(c < self.classes - 1) for c in codes}, {c: {} for c in codes}),
        }
        sample = Sample(rows=each, columns=each, counts=counts, ref_area="X", period="2020")
        return Errors(source="cover", product="invented", samples=(sample,), marks=marks, why={})

    def read(self, word: share | total, sampled: bool) -> Estimate:
        """An output as a run has it, with the sample or without."""
        totals = self.totals()
        if not sampled:
            return with_errors(word, word(totals), totals, {}, (), ABOVE)
        errors = self.errors()
        found = self.ground(self.map, self.seen)[:, None, :]
        codes = {errors.key: np.arange(float(self.classes)), **AT}
        classes = xr.DataArray(found, dims=("zone", "period", errors.key), coords=codes)
        return with_errors(word, word(totals), totals, {"cover": classes}, (errors,), ABOVE)

    def true(self, word: share | total, where: NDArray[np.bool_]) -> NDArray[np.float64]:
        """What the word would say of the truth, by zone."""
        ground = self.ground(self.truth, where)
        wanted: NDArray[np.float64] = ground[:, : self.wanted].sum(axis=1)
        if isinstance(word, total):
            return wanted
        whole = (ground[:, :-1] if word.of else ground).sum(axis=1)
        percent: NDArray[np.float64] = 100 * wanted / np.where(whole > 0, whole, np.nan)
        return percent


def case(rng: np.random.Generator, *, errs: bool) -> Case:
    """A country of 3 to 6 classes, each right on 60 to 97 % of its pixels, up to 40 % of it under clouds."""
    k = int(rng.integers(3, 7))
    shares = np.maximum(rng.dirichlet(np.ones(k)), 0.03)
    truth = rng.choice(k, SIDE * SIDE, p=shares / shares.sum())
    mapped = truth.copy()
    if errs:
        right = rng.uniform(0.6, 0.97, k)
        others = rng.dirichlet(np.ones(k), size=k)
        wrong = rng.random(truth.size) > right[truth]
        for c in range(k):
            hit = wrong & (truth == c)
            mapped[hit] = rng.choice(k, int(hit.sum()), p=others[c])
    clouds = rng.uniform(0, 0.4) * rng.random(k) * (rng.random() < 0.7)
    seen = rng.random(truth.size) >= clouds[truth]
    zone = np.sort(rng.integers(0, PARTS, truth.size))
    counts = np.zeros((k, k), np.int64)
    for c in range(k):
        there = truth[seen & (mapped == c)]
        if there.size:
            drawn = rng.choice(there, int(rng.integers(40, 250)))
            counts[c] = np.bincount(drawn, minlength=k)
    return Case(truth, mapped, seen, zone, k, int(rng.integers(1, k - 1)), counts)


def coverage(cases: int = 1000, seed: int = 20261124) -> dict[str, list[float]]:
    """How often intervals hold the truth, as [rate, low, high] with Wilson's interval of the rate over the cases.

    `interval_coverage`: intervals from a sample of the country, called 95 %, on the ground that was seen;
    `composed_hold`: those with the bounds of unseen ground around them, on all ground; `bounds_hold`: cases of a map
    without errors in which the bounds of all zones hold.
    """
    rng = np.random.default_rng(seed)
    hits: dict[str, list[bool]] = {"interval_coverage": [], "composed_hold": [], "bounds_hold": []}
    for n in range(cases):
        word = WORDS[n % len(WORDS)]
        own = case(rng, errs=True)
        got = own.read(word, sampled=True)
        part = next(c for c in got.components if c.name == "confusion")
        hits["interval_coverage"].append(inside(own.true(word, own.seen), part.lower, part.upper)[0])
        hits["composed_hold"].append(inside(own.true(word, own.seen | True), got.lower, got.upper)[0])
        clean = case(rng, errs=False)
        got = clean.read(word, sampled=False)
        hits["bounds_hold"].append(all(inside(clean.true(word, clean.seen | True), got.lower, got.upper)))
    return {name: rate(found) for name, found in hits.items()}


def inside(true: NDArray[np.float64], lower: xr.DataArray | None, upper: xr.DataArray | None) -> list[bool]:
    """Whether the truth of each zone lies within, to a part in 10^12; a truth without meaning does."""
    assert lower is not None and upper is not None
    room = 1e-12 * np.maximum(np.abs(np.nan_to_num(true)), 1.0)
    low, high = (x.transpose("zone", "period").values.ravel() for x in (lower, upper))
    return [bool(v) for v in np.isnan(true) | ((low <= true + room) & (true - room <= high))]


def rate(hits: list[bool]) -> list[float]:
    """Their share with Wilson's interval."""
    ends = binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
    return [sum(hits) / len(hits), float(ends.low), float(ends.high)]


if __name__ == "__main__":
    print(coverage())
