"""`python -m tests.real`: numbers on real data, a JSON line each."""

import sys

from tests.real.numbers import lines, shared

if not (shared() / "catalog.json").is_file():
    sys.exit(f"NO REAL DATA: {shared()} has no catalog.json. Name the folder that has it in GEOMON_SHARED_DATA.")
for line in lines():
    print(line, flush=True)
