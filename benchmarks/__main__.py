"""`python -m benchmarks [GROUP ...]`: geomon beside its peers; all groups if none is named."""

import importlib
import sys
import time
import warnings

from benchmarks.pairs import RESULTS, Disagreement, compare, keep, table

GROUPS = ("zonal", "classes", "coverage", "trend", "smooth", "spi", "focal", "pipeline", "scaling", "check")


def main(asked: list[str]) -> int:
    """Run the groups; 2 for a name that is none, 1 if values disagree."""
    unknown = [g for g in asked if g not in GROUPS]
    if unknown:
        print(f"There is no group {', '.join(unknown)}. There are {', '.join(GROUPS)}.", file=sys.stderr)
        return 2
    for group in asked or GROUPS:
        start = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the peers
            module = importlib.import_module(f"benchmarks.{group}")
            rows = []
            for pair in module.pairs():
                try:
                    rows.append(compare(pair) if not isinstance(pair, dict) else pair)
                except Disagreement as error:
                    print(error, file=sys.stderr)
                    return 1
                print(
                    f"{rows[-1]['name']} beside {rows[-1]['peer']}: {rows[-1]['ratio']}x", file=sys.stderr, flush=True
                )
        keep(group, rows)
        print(f"\n### {group} ({time.monotonic() - start:.0f} s)\n\n{table(rows)}", flush=True)
    print(f"\nAll of it: {RESULTS.relative_to(RESULTS.parents[2])}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
