"""The record of a desk."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from geomon.errors import DefinitionError


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """A desk: where it stands, for whom it is, what it shows."""

    slug: str
    """Its address: /development."""
    title: str
    desk: str
    """For whom and what for, in a sentence."""
    page: Callable[[Any], Any]
    """From a store to something that Panel can serve."""
    indicators: tuple[str, ...]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.slug):
            raise DefinitionError(f"A desk has the slug {self.slug!r}; use small letters, digits and hyphens.")
        if not self.indicators:
            raise DefinitionError(f"The desk {self.slug!r} names no indicators; add at least one code.")
