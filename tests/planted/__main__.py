"""`python -m tests.planted WORLDS`: the exam, in tables and one JSON line. `--tune` sits it on seeds for tuning."""

import argparse
import importlib.util
import time
from collections.abc import Callable

from tests.planted.exam import EXAM, TUNING, sit, tasks
from tests.planted.tables import line, report


def main() -> None:
    """Sit the exam and print what came out."""
    asked = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    asked.add_argument("worlds", type=int, nargs="?", default=100, help="worlds of each plant in each condition")
    asked.add_argument("--tune", action="store_true", help=f"seeds below {TUNING}, for trying rules and thresholds")
    asked.add_argument("--cores", type=int, default=None, help="all if not given")
    said = asked.parse_args()
    todo = tasks(said.worlds, first=1 if said.tune else EXAM)
    if said.tune and todo[-1].seed >= TUNING:
        asked.error(f"{said.worlds} worlds a plant need seeds beyond {TUNING}; ask for fewer.")
    began = time.monotonic()
    marked = sorted(sit(todo, cores=said.cores), key=lambda m: m.check.seed)
    print(report(marked))
    intervals = _intervals()
    print(f"\n{len(marked)} worlds from seed {todo[0].seed}, {time.monotonic() - began:.0f} s")
    if intervals is None:
        print("interval_coverage and bounds_hold were not measured: there is no tests/planted/intervals.py.")
    print(line(marked, intervals))


def _intervals() -> dict[str, list[float]] | None:
    """Coverage of the intervals of single values, if that part of the exam is there."""
    if importlib.util.find_spec("tests.planted.intervals") is None:
        return None
    coverage: Callable[[int], dict[str, list[float]]]
    coverage = importlib.import_module("tests.planted.intervals").coverage
    return coverage(1000)


if __name__ == "__main__":
    main()
