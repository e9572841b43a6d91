"""The contract as a class of tests that a definition's own inherit."""

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

from geomon.indicator import Indicator
from geomon.testing import checks
from geomon.testing.invent import Trial, invent


class Contract:
    """Subclass it, name the indicator, and pytest runs the contract; `given` goes to `invent`."""

    indicator: ClassVar[Indicator]
    given: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    @functools.cache
    def trial(cls) -> Trial:
        """The definition on synthetic input, made once; override it to hand in a world of your own."""
        return invent(cls.indicator, **cls.given)

    def test_arguments_are_sources_and_params(self) -> None:
        checks.arguments(self.trial())

    def test_the_note_fits_a_menu(self) -> None:
        checks.menu(self.trial())

    def test_a_plan_reads_no_pixel(self) -> None:
        checks.plan_reads_nothing(self.trial())

    def test_another_blocking_gives_the_same(self) -> None:
        checks.blocking(self.trial())

    def test_another_order_gives_the_same_bits(self) -> None:
        checks.order(self.trial())

    def test_a_resumed_run_gives_the_same_bits(self) -> None:
        checks.resuming(self.trial())

    def test_what_was_not_seen_enters_no_total(self) -> None:
        checks.holes(self.trial())

    def test_what_is_optional_lowers_no_coverage(self) -> None:
        checks.absence(self.trial())

    def test_a_parent_is_the_sum_of_its_children(self) -> None:
        checks.parents(self.trial())

    def test_units_are_as_declared(self) -> None:
        checks.units(self.trial())

    def test_another_process_gives_the_same_bits(self) -> None:
        checks.pickling(self.trial())
