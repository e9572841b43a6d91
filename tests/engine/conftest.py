"""The sample country, small, made once for all tests that ask for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from geomon import sample


@pytest.fixture(scope="session")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sample.Sample]:
    folder: Path = tmp_path_factory.mktemp("country")
    yield sample.build(folder / "sample", size=240)
