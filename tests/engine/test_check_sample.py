"""What trainees will see: every departure planted in the sample country's statistics is named, and nothing else."""

import geopandas as gpd
import pandas as pd
import pytest

from geomon import registry
from geomon.check import Finding, check
from geomon.official import read_csv
from geomon.sample import build
from geomon.sample.official import PLANTED
from geomon.series import tidy

SIZE = 120
OUTPUTS = {
    "forest share": ("15.1.1", "share", "percent"),
    "permanent water": ("6.6.1", "permanent", "km2"),
    "seasonal water": ("6.6.1", "seasonal", "km2"),
}
VERDICTS = {
    "level": "differs in level",
    "break": "differs in level",
    "direction": "differs in direction",
    "definition": "differs by definition",
    "few": "not enough data",
    "unit": "defect in the data",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Finding]:
    """Findings by official series and area, with the true values as what the satellite sees."""
    sample = build(tmp_path_factory.mktemp("country") / "selvara", size=SIZE)
    truth, zones = pd.read_parquet(sample.truth), gpd.read_file(sample.zones)
    findings = {}
    for code, breaks in (("15.1.1", [("2021-01-01", "another algorithm")]), ("6.6.1", [])):
        rows = truth[truth.quantity.map(lambda q: OUTPUTS.get(q, ("",))[0]) == code]
        series = pd.DataFrame(
            {
                "series": rows.quantity.map(lambda q: OUTPUTS[q][1]),
                "ref_area": rows.ref_area,
                "time_period": rows.time_period,
                "obs_value": rows.value,
                "unit_measure": rows.quantity.map(lambda q: OUTPUTS[q][2]),
                "coverage": rows.seen,
            }
        )
        indicator = registry.indicator(code)
        told = tidy([{str(k): v for k, v in row.items()} for row in series.to_dict("records")])
        for finding in check(told, read_csv(sample.official), indicator, breaks=breaks, zones=zones):
            official = indicator.outputs[finding.output].official
            assert official is not None
            findings[official.series, finding.ref_area] = finding
    return findings


@pytest.mark.parametrize("planted", [p for p in PLANTED if p.kind in VERDICTS], ids=lambda p: p.kind)
def test_what_is_planted_is_named(found: dict[tuple[str, str], Finding], planted: object) -> None:
    kind, series, areas = (getattr(planted, name) for name in ("kind", "series", "areas"))
    assert {found[series, area].verdict for area in areas} == {VERDICTS[kind]}
    if kind in ("level", "break", "unit"):
        assert {found[series, area].causes[0]["name"] for area in areas} == {kind}


def laid_to_the_algorithm(finding: Finding) -> bool:
    """Whether it is the known change of the satellite's algorithm, which moved one district by eleven points."""
    return bool(finding.causes) and (finding.causes[0]["name"], finding.causes[0]["since"]) == ("sensor", "2021")


def test_nothing_else_is_called_different(found: dict[tuple[str, str], Finding]) -> None:
    touched = {(p.series, area) for p in PLANTED for area in p.areas}
    strange = [
        (key, finding.verdict)
        for key, finding in found.items()
        if key not in touched and finding.verdict.startswith(("differs", "defect"))
        if not laid_to_the_algorithm(finding)
    ]
    assert strange == []
