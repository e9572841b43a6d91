"""What somebody installs is what stands here: the engine, and the definitions inside it."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

KINDS = ("indicators", "dashboards", "catalogs")


def run(*command: str | Path, cwd: Path) -> str:
    """What a command printed, in an environment that knows of no workspace."""
    known = {name: value for name, value in os.environ.items() if name != "GEOMON_WORKSPACE"}
    done = subprocess.run(command, cwd=cwd, env=known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution as an index would get it."""
    dist = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, root, cwd=dist)
    return next(dist.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel, borrows the dependencies, and knows nothing of the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    interpreter = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        interpreter,
        "install",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=folder,
    )
    borrowed = sysconfig.get_paths()["purelib"]  # a path file adds the folder, but not the path files in it
    site = run(interpreter, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])", cwd=folder)
    (Path(site.strip()) / "borrowed.pth").write_text(borrowed)
    return interpreter


def files_of(folder: Path) -> set[str]:
    """What is kept below a folder, as the names that it has there."""
    files = (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {file.relative_to(folder).as_posix() for file in files}


def test_the_wheel_holds_the_engine_and_the_definitions(root: Path, wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.split("/")[0].endswith(".dist-info")}
    wanted = {f"geomon/{name}" for name in files_of(root / "geomon")}
    wanted |= {f"geomon/workspace/{kind}/{name}" for kind in KINDS for name in files_of(root / kind)}
    assert names == wanted
    assert {"geomon/py.typed", "geomon/workspace/indicators/sdg_15_1_1.py"} <= names


SEEN = """
import importlib, json, geomon
from importlib.util import find_spec
from geomon import workspace
from geomon.workspace.indicators import sdg_15_1_1

def load(kind, name):
    return importlib.import_module(f"geomon.workspace.{kind}.{name}").__file__

kinds = {kind: sorted(workspace.modules(kind)) for kind in ("indicators", "dashboards")}
print(json.dumps({
    "place": geomon.__file__,
    "forest": sdg_15_1_1.INDICATOR.code,
    "kinds": kinds,
    "loaded": [load(kind, name) for kind in kinds for name in kinds[kind]],
    "catalogs": [str(folder) for folder in workspace.catalogs()],
    "leaks": [name for name in ("indicators", "dashboards", "catalogs", "tests") if find_spec(name)],
}))
"""


def test_definitions_are_imported_from_the_wheel(root: Path, python: Path, tmp_path: Path) -> None:
    seen = json.loads(run(python, "-c", SEEN, cwd=tmp_path))
    inside = Path(seen["place"]).parent
    assert inside.is_relative_to(python.parents[1])
    assert seen["forest"] == "15.1.1"
    here = {kind: sorted(file.stem for file in (root / kind).glob("[!_]*.py")) for kind in KINDS[:2]}
    assert seen["kinds"] == here
    assert all(Path(file).is_relative_to(inside / "workspace") for file in seen["loaded"])
    assert seen["catalogs"] == [str(inside / "workspace" / "catalogs")]
    assert seen["leaks"] == []


def test_the_command_is_installed(python: Path, tmp_path: Path) -> None:
    assert "demo" in run(python.with_name("geomon"), "--help", cwd=tmp_path)
