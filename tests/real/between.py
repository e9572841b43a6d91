"""Two publishers of one figure: `python -m tests.real.between` prints one JSON line for each series that they share."""

import json
from collections.abc import Iterator

from geomon.between import between
from geomon.official import read_csv
from tests.real.numbers import shared

TOLERANCES = {
    "AG_LND_FRST": 0.01,
    "AG_LND_FRSTN": 0.1,
    "AG_LND_TOTL": 0.1,
    "NY_GDP_PCAP": 0.5,
    "EN_ATM_PM25[location=allarea]": 2.0,
}
"""Series -> the difference that counts as none, in the unit of the UN: percent, 1000 ha, percent a year, ug/m3."""


def lines() -> Iterator[str]:
    """Pairs, how many differ, and how many of those each reason explains."""
    folder = shared() / "tables" / "official"
    un, bank = read_csv(folder / "unsd_sdg_2020q3_extract.csv"), read_csv(folder / "wdi_extract.csv")
    for series, tolerance in TOLERANCES.items():
        (found,) = between(un, bank, [series], tolerance=tolerance)
        reasons = dict(zip(found.reasons.reason, found.reasons.pairs.tolist(), strict=True))
        counts = {"pairs": len(found.pairs), "areas": found.pairs.ref_area.nunique(), "differing": len(found.differing)}
        yield json.dumps({"series": series, "tolerance": tolerance, **counts, "reasons": reasons})


if __name__ == "__main__":
    for line in lines():
        print(line, flush=True)
