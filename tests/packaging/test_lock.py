"""requirements.lock pins and hashes all that is needed, for every Python from 3.11 on, and names no host."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.contract.test_floors import imports


@pytest.fixture(scope="module")
def lock(root: Path) -> str:
    return (root / "requirements.lock").read_text()


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, list[Requirement]]:
    """The requirements of the project by what they are for: 'run', 'build', and each extra."""
    stated = tomllib.loads((root / "pyproject.toml").read_text())
    groups = {
        "run": stated["project"]["dependencies"],
        "build": stated["build-system"]["requires"],
        **stated["project"]["optional-dependencies"],
    }
    return {group: [Requirement(line) for line in lines] for group, lines in groups.items()}


def pins(lock: str) -> list[tuple[Requirement, list[str]]]:
    """Each pinned requirement with its hashes."""
    lines = re.sub(r"^\s*#.*\n", "", lock, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    parts = [re.split(r"\s+--hash=", line.strip()) for line in lines if line.strip()]
    return [(Requirement(first), hashes) for first, *hashes in parts]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_every_dependency_is_pinned(lock: str, project: dict[str, list[Requirement]], python: str) -> None:
    here = default_environment() | {"python_version": python, "python_full_version": f"{python}.0"}
    pinned = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin, _ in pins(lock)
        if not pin.marker or pin.marker.evaluate(here)
    }
    wanted = [r for name, group in project.items() if name != "bench" for r in group if r.name != "geomon"]
    assert [str(r) for r in wanted if not r.specifier.contains(pinned.get(canonicalize_name(r.name), ""))] == []


def test_the_peers_stand_beside_the_same_versions(lock: str, root: Path, project: dict[str, list[Requirement]]) -> None:
    beside = pins((root / "benchmarks" / "requirements.lock").read_text())
    assert {r.name for r in project["bench"]} - {"geomon"} <= {pin.name for pin, _ in beside}
    ours = {(pin.name, str(pin.marker)): str(pin.specifier) for pin, _ in pins(lock)}
    theirs = {(pin.name, str(pin.marker)): str(pin.specifier) for pin, _ in beside}
    assert {k: v for k, v in theirs.items() if ours.get(k, v) != v} == {}


def test_every_pin_has_a_hash(lock: str) -> None:
    found = pins(lock)
    assert len(found) > 100
    assert [str(pin) for pin, hashes in found if not hashes or str(pin.specifier)[:2] != "=="] == []
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", text) for _, hashes in found for text in hashes)


def test_no_place_is_named(lock: str) -> None:
    assert re.findall(r".*(?:://|--index|--extra-index|--find-links| @ |file:).*", lock) == []


def test_what_is_imported_is_declared(root: Path, project: dict[str, list[Requirement]]) -> None:
    declared = {canonicalize_name(requirement.name) for requirement in project["run"]}
    known = packages_distributions()
    files = [file for part in ("geomon", "indicators", "dashboards") for file in (root / part).rglob("*.py")]
    tops = {name.split(".")[0] for file in files for name in imports(file, "geomon.x")}
    others = tops - sys.stdlib_module_names - {"geomon"}
    assert {top for top in others if not declared & {canonicalize_name(d) for d in known.get(top, [])}} == set()
