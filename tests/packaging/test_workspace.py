"""Definitions in folders have one import name, and a person's own folders are searched first."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from geomon import workspace
from geomon.errors import DefinitionError, InputError


def folder(path: Path, **indicators: str) -> Path:
    """A workspace folder with these modules, each of them one line that says WHO it is."""
    (path / "indicators").mkdir(parents=True)
    for name, who in indicators.items():
        (path / "indicators" / f"{name}.py").write_text(f"WHO = {who!r}\n")
    return path


def who(name: str) -> str:
    """What the indicator of this name says it is."""
    return str(importlib.import_module(f"geomon.workspace.indicators.{name}").WHO)


def test_the_checkout_is_a_workspace(root: Path) -> None:
    assert root in workspace.folders()
    assert root / "catalogs" in workspace.catalogs()
    assert workspace.modules("indicators")["sdg_15_1_1"] == [root / "indicators" / "sdg_15_1_1.py"]


def test_own_folders_come_first(tmp_path: Path, root: Path, use_workspace: Callable[..., None]) -> None:
    ours, theirs = (
        folder(tmp_path / "ours", tea="ours"),
        folder(tmp_path / "theirs", tea="theirs", rice="theirs"),
    )
    (theirs / "catalogs").mkdir()
    use_workspace(ours, theirs)
    assert workspace.folders() == [ours, theirs, root]
    assert workspace.catalogs() == [theirs / "catalogs", root / "catalogs"]
    assert [who("tea"), who("rice")] == ["ours", "theirs"]
    both = [ours / "indicators" / "tea.py", theirs / "indicators" / "tea.py"]
    assert workspace.modules("indicators")["tea"] == both  # the registry refuses this, or the record replaces


def test_a_definition_that_moved_is_imported_anew(tmp_path: Path, use_workspace: Callable[..., None]) -> None:
    first, second = folder(tmp_path / "1", tea="first"), folder(tmp_path / "2", tea="second")
    use_workspace(first)
    assert who("tea") == "first"
    use_workspace(second)
    assert who("tea") == "second"
    kept = sys.modules["geomon.workspace.indicators.tea"]
    use_workspace(second, first)
    assert sys.modules["geomon.workspace.indicators.tea"] is kept
    use_workspace()
    with pytest.raises(ModuleNotFoundError):
        who("tea")


def test_the_variable_names_folders(tmp_path: Path) -> None:
    names = os.pathsep.join(str(folder(tmp_path / name, **{name: name})) for name in ("tea", "rice"))
    code = "from geomon.workspace.indicators import rice, tea; print(rice.WHO, tea.WHO)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {workspace.VARIABLE: names},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["rice", "tea"]


def test_private_modules_are_no_definitions(tmp_path: Path, use_workspace: Callable[..., None]) -> None:
    use_workspace(folder(tmp_path / "ours", tea="ours", _shared="", conftest=""))
    assert "tea" in workspace.modules("indicators")
    assert "_shared" not in workspace.modules("indicators")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, use_workspace: Callable[..., None]) -> None:
    before = workspace.folders()
    with pytest.raises(InputError, match=r"nowhere' \(GEOMON_WORKSPACE\) is not there"):
        use_workspace(tmp_path / "nowhere")
    assert workspace.folders() == before


def test_a_folder_without_definitions_is_refused(tmp_path: Path, use_workspace: Callable[..., None]) -> None:
    inside = folder(tmp_path / "ours", tea="ours") / "indicators"
    with pytest.raises(InputError, match=r"holds 'tea\.py'\. Name the folder in which indicators or"):
        use_workspace(inside)


def test_a_wrong_variable_is_refused_when_it_is_asked_for(tmp_path: Path) -> None:
    code = "from geomon import workspace; print('imported'); workspace.folders()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {workspace.VARIABLE: str(tmp_path / "nowhere")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "imported\n"
    assert "InputError" in done.stderr.splitlines()[-1]


def test_a_package_that_hides_the_others_is_refused(tmp_path: Path, use_workspace: Callable[..., None]) -> None:
    ours = folder(tmp_path / "ours", tea="ours")
    (ours / "indicators" / "__init__.py").touch()
    with pytest.raises(DefinitionError, match="hides the indicators of every other folder"):
        use_workspace(ours)
