"""The page on scaling says what follows from its inputs, and its constants are those of the engine."""

import itertools
import re
from pathlib import Path

import pytest

from geomon import cost
from geomon.pipeline import BLOCK

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "scaling.md"
CORES = (16, 64, 256)


def tables() -> list[dict[str, list[str]]]:
    """The tables of the page: first column to the others."""
    found: list[dict[str, list[str]]] = []
    inside = False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if cells and not inside:
            found.append({})
        elif cells and not set(cells[0]) <= {"-"} | set():
            found[-1][cells[0]] = cells[1:]
        inside = bool(cells)
    return found


def number(text: str) -> float:
    """'0.05 USD a core-hour' is 0.05; '30.4 M km2' is 30.4."""
    return float(re.sub(r"[^\d.].*", "", text.replace(",", "")))


_, SIZES, INPUT, OUTPUT = tables()
GIVEN = {name: number(cells[0]) for name, cells in INPUT.items()}


def hours(bytes_: float, cells: float, blocks: float) -> float:
    """Core-hours of so many decoded bytes, cells and blocks."""
    decoding = bytes_ / (GIVEN["decoding"] * 1e6)
    composite = decoding * GIVEN["other work, beside decoding"] / 100
    measured = cells / (GIVEN["cells measured and added up"] * 1e6)
    return (decoding + composite + measured + blocks * GIVEN["each block beside its cells"]) / 3600


@pytest.mark.parametrize("column", [0, 1], ids=["a map", "images"])
def test_the_continent_follows_from_its_inputs(column: int) -> None:
    said = {name: cells[column] for name, cells in OUTPUT.items()}
    cells = GIVEN["land"] * 1e6 * 1e6 / GIVEN["cell"] ** 2
    blocks = cells / GIVEN["block"] ** 2 * (1 + GIVEN["blocks that borders add"] / 100)
    decoded = cells * (1 if column == 0 else GIVEN["images a year"] * GIVEN["bytes of an image"])
    read = decoded * GIVEN["compressed"] / 100
    needed = hours(decoded, cells, blocks)
    assert said["cells"] == f"{cells / 1e9:.0f} billion"
    assert said["blocks, each one task"] == f"{blocks:,.0f}"
    assert said["bytes decoded"] == f"{decoded / 1e12:.1f} TB"
    assert said["bytes read"] == f"{read / 1e12:.1f} TB"
    assert said["core-hours"] == f"{needed:.0f}"
    for cores in CORES:
        assert said[f"hours on {cores} cores"] == f"{needed / cores:.1f}"
    assert said["USD"] == f"{needed * GIVEN['price']:.1f}"
    assert said["GB/s of input on 256 cores"] == f"{read / (needed / 256 * 3600) / 1e9:.1f}"


def test_the_rates_are_those_that_a_plan_uses() -> None:
    assert GIVEN["decoding"] * 1e6 == cost.DECODING
    assert GIVEN["cells measured and added up"] * 1e6 == cost.CELLS
    assert GIVEN["each block beside its cells"] == cost.PER_BLOCK
    assert GIVEN["block"] == BLOCK


def test_each_size_is_four_times_the_one_before_and_takes_no_longer_than_that() -> None:
    rows = {int(name): cells for name, cells in SIZES.items()}
    widths = sorted(rows)
    assert [b / a for a, b in itertools.pairwise(widths)] == [2.0] * 3
    for before, after in itertools.pairwise(widths):
        ratio = number(rows[after][2]) / number(rows[before][2])
        assert number(rows[after][3]) == pytest.approx(ratio, abs=0.06) and ratio <= 4.3
