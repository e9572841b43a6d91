"""Labelled form controls, native to the browser: a select, a range, a switch."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

Options = Sequence[tuple[str, str]]


class Choices(JSComponent):
    """A row of controls; `values` holds what is chosen, by key."""

    fields = param.List(default=[], doc="see select(), slider(), switch()")
    values = param.Dict(default={})
    traits = param.List(default=None, allow_None=True, doc="words for the style of the page: 'single', one date")
    look = param.String("light", doc="what the page looks like: light or dark; told by the browser")

    _esm = Path(__file__).parent / "choices.js"


def select(key: str, label: str, options: Options, groups: Iterable[tuple[str, Options]] = ()) -> dict[str, Any]:
    """A list to choose from, its later options in named groups."""
    every = [("", options), *groups]
    return {
        "kind": "select",
        "key": key,
        "label": label,
        "groups": [[name, [list(o) for o in some]] for name, some in every],
    }


def slider(key: str, label: str, options: Options) -> dict[str, Any]:
    """Steps in order."""
    return {"kind": "range", "key": key, "label": label, "groups": [["", [list(o) for o in options]]]}


def switch(key: str, label: str, disabled: bool = False) -> dict[str, Any]:
    """On or off."""
    return {"kind": "switch", "key": key, "label": label, "groups": [], "disabled": disabled}
