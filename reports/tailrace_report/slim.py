# SPDX-License-Identifier: MIT
"""Keeps the long lists of a run in a tenth of the memory, so that a large result set fits."""

from array import array
from collections.abc import Sequence
from itertools import chain

LONG = ("response_histogram", "service_histogram", "rss_series")


class Pairs(Sequence):
    """[[a, b], …] of numbers, kept as doubles; numpy takes it as an array of shape (n, 2)."""

    def __init__(self, pairs):
        self.flat = array("d", chain.from_iterable(pairs))

    def __len__(self):
        return len(self.flat) // 2

    def __iter__(self):
        return zip(self.flat[::2], self.flat[1::2])

    def __getitem__(self, place):
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        place %= len(self)
        return self.flat[2 * place:2 * place + 2].tolist()

    @property
    def __array_interface__(self):
        """What numpy reads the numbers by."""
        return {"version": 3, "shape": (len(self), 2), "typestr": "<f8", "data": self.flat}


def slim(run):
    """Replace the long lists of `run` by Pairs."""
    for key in LONG:
        if run.get(key):
            run[key] = Pairs(run[key])
