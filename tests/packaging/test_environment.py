"""environment.yml carries every runtime dependency of pyproject.toml, under the same bounds."""

import tomllib
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONDA: dict[str, str] = {"universal-pathlib": "universal_pathlib"}
"""Name here -> name at conda-forge, for those that are called otherwise there."""


def differences(project: dict[str, Any], environment: dict[str, Any]) -> list[str]:
    """What the environment lacks, bounds otherwise, or has on top of the project, a line each."""
    wanted = bounds([*project["project"]["dependencies"], *project["build-system"]["requires"]])
    wanted["python"] = str(Requirement(f"python{project['project']['requires-python']}").specifier)
    there = bounds([line for line in environment["dependencies"] if line != "pip"])
    names = sorted(wanted.keys() | there.keys())
    return [f"{n}: {wanted.get(n)} here, {there.get(n)} there" for n in names if wanted.get(n) != there.get(n)]


def bounds(lines: list[str]) -> dict[str, str]:
    """conda-forge's name of each requirement, and its bounds in one order."""
    requirements = [Requirement(line) for line in lines]
    names = [canonicalize_name(requirement.name) for requirement in requirements]
    return {CONDA.get(n, n): str(r.specifier) for n, r in zip(names, requirements, strict=True)}


def test_conda_gets_the_same(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    environment = yaml.safe_load((root / "environment.yml").read_text())
    assert environment["channels"][0] == "conda-forge"
    assert differences(project, environment) == []


def test_a_partial_file_is_found() -> None:
    project = {
        "project": {"requires-python": ">=3.11", "dependencies": ["numpy>=2", "pandas<3,>=2.3", "typer"]},
        "build-system": {"requires": ["hatchling"]},
    }
    environment = {"dependencies": ["python>=3.11", "pip", "hatchling", "pandas>=2.3,<3", "typer>=1", "dask"]}
    assert differences(project, environment) == [
        "dask: None here,  there",
        "numpy: >=2 here, None there",
        "typer:  here, >=1 there",
    ]
