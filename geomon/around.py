"""What is known of areas besides their series: parents, names, and which of them touch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from geomon import areas
from geomon.departures.records import Floats
from geomon.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Around:
    """What is known of the areas besides their series."""

    parents: Mapping[str, str] = field(default_factory=dict)
    """Code -> code of its parent, '' if none; only areas that are known."""
    names: Mapping[str, str] = field(default_factory=dict)
    shapes: pd.Series | None = None
    """Geometries by code."""

    @classmethod
    def of(cls, zones: pd.DataFrame | None) -> "Around":
        """From a table of code, name, parent and perhaps geometry; nothing is known without one.

        InputError for an area that lies in itself.
        """
        if zones is None:
            return cls()
        codes = zones["code"].astype(str)
        shapes = zones["geometry"].set_axis(codes) if "geometry" in zones else None
        known = set(codes)
        parents = {c: p if p in known else "" for c, p in zip(codes, zones["parent"], strict=True)}
        for code in parents:
            above, seen = parents[code], {code}
            while above and above not in seen:
                seen.add(above)
                above = parents[above]
            if above:
                raise InputError(f"The zones say that {above!r} lies in itself. Mend the column 'parent'.")
        return cls(parents=parents, names=dict(zip(codes, zones["name"], strict=True)), shapes=shapes)

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """Code -> codes right below it."""
        below: dict[str, list[str]] = {}
        for code, parent in self.parents.items():
            below.setdefault(parent, []).append(code)
        return below

    def leaves(self, code: str) -> set[str]:
        """The smallest areas of an area; itself, if it has no parts."""
        below = self.children.get(code, [])
        return set().union(*(self.leaves(c) for c in below)) if below else {code}

    def line(self, code: str) -> list[str]:
        """An area and all that it lies in."""
        return [code, *self.line(self.parents[code])] if code else []

    def top(self, code: str) -> str:
        """The country of an area: its topmost parent; '' for areas without parents, unless they are countries."""
        while self.parents[code]:
            code = self.parents[code]
        return code if self.children.get(code) or self.countries else ""

    @cached_property
    def countries(self) -> bool:
        """Whether the areas without parents and parts are countries, which have nothing to do with one another."""
        return areas.are_countries([c for c in self.children.get("", []) if not self.children.get(c)])

    def borders(self, codes: Sequence[str]) -> tuple[tuple[int, int], ...] | None:
        """Positions of areas that touch; None without geometry."""
        if self.shapes is None:
            return None
        import shapely

        shapes = np.array([self.shapes[code] for code in codes], dtype=object)
        left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        return tuple((int(a), int(b)) for a, b in zip(left, right, strict=True) if a < b)

    def ground(self, codes: Sequence[str]) -> Floats | None:
        """Sizes of areas beside one another; None without geometry."""
        if self.shapes is None:
            return None
        shapes = [self.shapes[code] for code in codes]
        flat = max(abs(s.bounds[3]) for s in shapes if s is not None) > 90
        return np.array([s.area * (1 if flat else np.cos(np.radians(s.centroid.y))) for s in shapes])
