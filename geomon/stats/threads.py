"""Kernels let go of the interpreter, so threads share their work; what is cut where changes no number."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def in_parts(work: Callable[[int, int], T], start: int, stop: int, size: int, threads: int = 1) -> Iterator[T]:
    """What `work(first, end)` gives for each stretch of `size` from start to stop, in order, some at a time."""
    firsts = range(start, stop, size)
    if threads <= 1 or len(firsts) <= 1:
        yield from (work(first, min(first + size, stop)) for first in firsts)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(lambda first: work(first, min(first + size, stop)), firsts)


def do_parts(work: Callable[[int, int], None], start: int, stop: int, size: int, threads: int = 1) -> None:
    """The same where nothing is given back."""
    for _ in in_parts(work, start, stop, size, threads):
        pass
