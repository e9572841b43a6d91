"""Sorting without branches on data, for many pixels in lockstep."""

import numpy as np
from numpy.typing import NDArray


def exchanges(n: int) -> NDArray[np.int64]:
    """Pairs of places to put in order, one after the other, that sort n values (Batcher 1968; Knuth 5.2.2M)."""
    pairs = []
    top = 1 << max(0, (n - 1).bit_length() - 1)
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            pairs += [(i, i + d) for i in range(n - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1
    return np.array(pairs, np.int64).reshape(-1, 2)
