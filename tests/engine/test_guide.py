"""What the README and the guide show works as it is shown."""

import json
import re
import runpy
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from geomon import sample
from geomon.cli import app
from geomon.sources.catalog import Catalog
from tests.engine.little import Little, asked, little
from tests.engine.made import tif

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md")))
LINK = r'\[[^\]]*\]\(([^)#]+)\)|(?:href|src)="([^"#]+)"'  # of pages and of images, in Markdown and in HTML
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, kind: str) -> list[str]:
    """The blocks of code of a kind on a page."""
    return [text for found, text in BLOCK.findall(page.read_text(encoding="utf-8")) if found == kind]


def commands() -> Iterator[Any]:
    """Every command line of geomon that is shown."""
    for page in PAGES:
        for block in blocks(page, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("geomon "):
                    yield pytest.param(shlex.split(line, comments=True)[1:], id=f"{page.stem}: {line}"[:70])


@pytest.fixture
def made(tmp_path: Path, use_workspace: Callable[..., None]) -> Little:
    """The little country."""
    return little(tmp_path)


@pytest.mark.parametrize("words", list(commands()))
def test_every_command_that_is_shown_is_right_usage(words: list[str]) -> None:
    answer = CliRunner().invoke(app, [*words, "--help"])  # all words are parsed, then help is shown
    assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(LINK, page.read_text(encoding="utf-8"))
    links = [markdown or html for markdown, html in links]
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_readme_names_no_host(root: Path) -> None:
    assert "http" not in (root / "README.md").read_text(encoding="utf-8")


def test_an_indicator_in_35_lines(made: Little, root: Path) -> None:
    (text,) = [block for block in blocks(root / "README.md", "python") if "INDICATOR" in block]
    assert len(text.splitlines()) <= 35
    file = made.folder / "mine" / "indicators" / "cropland.py"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    codes = np.full((40, 40), 30, "uint8")
    codes[:10] = 40
    tif(made.maps / "cover-2020.tif", codes, nodata=0)
    mine = ["--workspace", str(file.parents[1]), "--workspace", str(made.workspace)]
    answer = CliRunner().invoke(app, ["run", "cropland", *asked(made, *mine, "--json", period="2020")[2:]])
    assert answer.exit_code == 0, answer.stderr
    values = {(r["ref_area"], r["series"]): r["obs_value"] for r in json.loads(answer.stdout)["series"]}
    assert values["A", "share"] == pytest.approx(25, abs=0.1)
    assert values["X", "area"] == pytest.approx(values["A", "area"] + values["B", "area"])


def test_a_masked_composite(
    country: sample.Sample, root: Path, tmp_path: Path, use_workspace: Callable[..., None]
) -> None:
    texts = blocks(root / "docs" / "guide" / "add-an-indicator.md", "python")
    (text,) = [block for block in texts if "INDICATOR" in block]
    assert len(text.splitlines()) <= 30
    file = tmp_path / "mine" / "indicators" / "greenness.py"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    use_workspace(file.parents[1], country.workspace)
    zones, store = str(country.zones), str(tmp_path / "store")
    answer = CliRunner().invoke(app, ["run", "greenness", "-z", zones, "-p", "2023-07", "--store", store, "--json"])
    assert answer.exit_code == 3, answer.stderr  # most districts were not seen often enough
    values = {r["ref_area"]: r["obs_value"] for r in json.loads(answer.stdout)["series"] if r["coverage"] >= 0.8}
    assert values == {"XS0201": pytest.approx(0.74, abs=0.02)}


def test_real_numbers_without_the_real_data_are_a_loud_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GEOMON_SHARED_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match=f"NO REAL DATA: {tmp_path} has no catalog.json. Name the folder"):
        runpy.run_module("tests.real", run_name="__main__")


def test_a_product_of_your_own(made: Little, root: Path) -> None:
    (text,) = blocks(root / "docs" / "guide" / "your-own-product.md", "json")
    file = made.folder / "mine" / "catalogs" / "national-cover" / "collection.json"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    codes = np.full((40, 40), 2, "uint8")
    codes[:20] = 1
    for year in (2020, 2022):
        tif(made.folder / "mine" / "maps" / f"cover-{year}.tif", codes)
    use = ["--workspace", str(file.parents[2]), "--use", "cover=national-cover", "--json"]
    answer = CliRunner().invoke(app, asked(made, *use, period="2020"))
    assert answer.exit_code == 0, answer.stderr
    (share,) = [r["obs_value"] for r in json.loads(answer.stdout)["series"] if r["ref_area"] == "A"]
    assert share == pytest.approx(50, abs=0.2)


def test_our_product_bound_to_your_files(made: Little, root: Path) -> None:
    text = blocks(root / "docs" / "guide" / "where-data-comes-from.md", "json")[-1]
    file = made.folder / "mine" / "catalogs" / "esa-worldcover" / "collection.json"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    tif(made.folder / "mine" / "maps" / "ESA_WorldCover_10m_2020_v100_N48E009_Map.tif", np.full((4, 4), 10, "uint8"))
    found = Catalog.open(root / "catalogs", file.parents[1]).find("esa-worldcover")
    assert [scene.label for scene in found] == ["2020"]
