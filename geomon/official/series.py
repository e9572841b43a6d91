"""Codes of one series at different publishers."""

# World Bank code: code in the UN SDG database. The figures come from the same national reports.
SAME = {
    "AG.LND.FRST.ZS": "AG_LND_FRST",
    "AG.LND.FRST.K2": "AG_LND_FRSTN",
    "AG.LND.TOTL.K2": "AG_LND_TOTL",
}


def same_series(a: str, b: str) -> bool:
    """Whether two codes name the same series: equal, or known as its code at another publisher."""
    return SAME.get(a, a) == SAME.get(b, b)
