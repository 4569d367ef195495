"""A dense network in exact integers, for the few inputs of a sweep that doubles cannot tell apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import and_

import numpy as np

from supercheck.base.matrix import FITS, Array
from supercheck.base.products import dots, whole_product
from supercheck.network.network import Network

_CELLS = 1 << 20  # integers of one layer that are held at a time


@dataclass(frozen=True, eq=False)
class Exactly:
    """A network whose matrices may be made dense, as those of a sheet, on zeros and ones.

    Each layer is in int64 where that is enough.
    """

    network: Network

    @cached_property
    def _fits(self) -> list[bool]:
        """For each layer, the output last, whether all weights and sums up to there stay below 2^62."""
        stored = [
            *((layer.weight.data, layer.bias) for layer in self.network.hidden),
            (self.network.output.weight.data,),
        ]
        fits = (
            bool(peak.max(initial=0) < FITS) and all(part.dtype != object for part in parts)
            for peak, parts in zip(self.network.peaks(1), stored, strict=True)
        )
        return list(accumulate(fits, and_))

    @cached_property
    def _columns(self) -> Array:
        """What each feature adds to the first layer's sums, and last a row of zeros, which -1 names."""
        weight = self.network.hidden[0].weight.dense().T
        zeros = np.zeros((1, weight.shape[1]), dtype=np.int64)
        return np.concatenate([weight, zeros]).astype(np.int64 if self._fits[0] else object)

    @cached_property
    def _deeper(self) -> list[Array]:
        """The weights of the other hidden layers, turned over, [columns, rows]."""
        return [layer.weight.dense().T for layer in self.network.hidden[1:]]

    def hidden(self, active: Array) -> Array:
        """The last hidden layer, or the features where there is none.

        Args:
            active: the active features of each input, [inputs, most]; -1 stands for none.

        Returns:
            Integers [inputs, neurons].
        """
        if not self.network.hidden:
            x = np.zeros((len(active), self.network.features + 1), dtype=np.int64)
            np.put_along_axis(x, active.astype(np.int64) % x.shape[1], 1, axis=1)  # -1 names the last
            return x[:, :-1]
        z = np.zeros((len(active), self._columns.shape[1]), dtype=self._columns.dtype)
        for position in range(active.shape[1]):
            z += self._columns[active[:, position]]
        for number, layer in enumerate(self.network.hidden):
            if number:
                weight = self._deeper[number - 1]
                z = z @ weight if self._fits[number] else whole_product(z, weight)
            z = np.maximum(z + layer.bias, 0)
        return z

    def totals(self, active: Array, outputs: Array, pause: Callable[[], None]) -> Array:
        """The integer w . h of some outputs, each on an input of its own.

        Args:
            active: the active features of each input, ascending, [questions, most]; -1 stands for none.
            outputs: which output of it is asked for, [questions].
            pause: called now and then; ends it by raising.

        Returns:
            Integers [questions], int64 or Python's.
        """
        if not active.shape[1]:
            active = np.full((len(active), 1), -1)
        inputs, of = np.unique(active, axis=0, return_inverse=True)
        of = of.reshape(-1)
        order, rows = np.argsort(of, kind="stable"), self.network.output.weight
        totals = np.zeros(len(of), dtype=np.int64 if self._fits[-1] else object)
        step = max(1, _CELLS // max(1, *(matrix.width for matrix in self.network.matrices)))
        for begin in range(0, len(order), step):
            pause()
            asked = order[begin : begin + step]
            first, last = of[asked[0]], of[asked[-1]]
            h, weight = self.hidden(inputs[first : last + 1])[of[asked] - first], rows.take(outputs[asked]).dense()
            totals[asked] = np.einsum("ij,ij->i", h, weight) if self._fits[-1] else dots(h, weight)
        return totals
