"""The extreme values of a sweep: in doubles while its batches go by, in integers where they are asked for.

The best value so far is a goal for the inputs that follow, so that measuring costs what deciding does. An input that
comes within the error of the best one is kept, and only what is left in the end is evaluated exactly.
"""

from __future__ import annotations

import numpy as np

from supercheck.base.matrix import Array
from supercheck.decide.extremes import End, asked
from supercheck.decide.sweep import Block, Sheet
from supercheck.network.input import Input

_KEPT = 1 << 12  # inputs that are kept beside four an output, before they are evaluated


class Best:
    """The exact extremes of each output of a sheet over the batches that it has seen, as far as they decide it."""

    def __init__(self, sheet: Sheet) -> None:
        self.sides = {side: _Side(sheet, *side) for side in asked(sheet.claims)}

    def see(self, batch: Block) -> None:
        """Take a batch into account."""
        for side in self.sides.values():
            side.see(batch)

    def ends(self) -> list[dict[bool, list[End]]]:
        """For each output the extremes of each class that `asked` names, greatest first; none without inputs."""
        found: list[dict[bool, list[End]]] = [{False: [], True: []} for _ in next(iter(self.sides.values())).totals]
        for (on, _), side in self.sides.items():
            side.settle(np.ones(len(found), dtype=bool))
            for place, ends in enumerate(found):
                if (end := side.end(place)) is not None:
                    ends[on].append(end)
        return found

    def overlapping(self, places: Array) -> dict[int, tuple[Input, Input]]:
        """The outputs with an off value not below an on value, with the inputs of the extreme ones; for a threshold.

        Args:
            places: whether to look at each output, [outputs].
        """
        off, on = self.sides[False, True], self.sides[True, False]
        near = places & (off.peaks + on.peaks >= -4 * off.errors)  # the greatest of -y of the on inputs is on.peaks
        off.settle(near)
        on.settle(near)
        found = {}
        for place in np.flatnonzero(near).tolist():
            highest, lowest = off.end(place), on.end(place)
            if highest is not None and lowest is not None and highest[0] >= lowest[0]:
                found[place] = highest[1], lowest[1]
        return found


class _Side:
    """The greatest, or the least, w . h of each output over one class of inputs.

    Attributes:
        sheet: what the outputs depend on.
        on: the class.
        sign: 1 for the greatest, -1 for the least: sign * (w . h) is to be large.
        errors: by how much a double may be off, [outputs].
        peaks: the largest sign * (w . h) so far, in doubles.
        floors: from where on a double may be that of a larger value.
        totals: the exact extreme of each output, where it was asked for.
        inputs: the first input that attains it, [outputs, most features]; -1 stands for none.
        stale: whether inputs were kept since.
    """

    def __init__(self, sheet: Sheet, on: bool, greatest: bool) -> None:
        count, doubles = len(sheet.outputs), sheet.doubles
        self.sheet, self.on, self.sign = sheet, on, 1.0 if greatest else -1.0
        self.errors = np.full(count, np.inf) if doubles is None else doubles.errors
        self.peaks, self.floors = np.full(count, -np.inf), np.full(count, -np.inf)
        self.totals: list[int | None] = [None] * count
        most = sheet.claims.cube.restricted(len(sheet.features)).max_active
        self.inputs = np.full((count, most), -1, dtype=np.int32)
        self.stale = np.zeros(count, dtype=bool)
        self.kept: list[tuple[Array, Array, Array]] = []  # outputs' places, doubles, inputs

    def see(self, batch: Block) -> None:
        """Keep the inputs of a batch that may be extreme."""
        of_class = batch.truth if self.on else ~batch.truth
        sums = np.zeros(of_class.shape) if self.sheet.doubles is None else batch.sums
        of_class = of_class & (sums >= self.floors[:, None] if self.sign > 0 else sums <= -self.floors[:, None])
        rows = np.flatnonzero(of_class.any(axis=1))
        if not len(rows):
            return
        errors, values = self.errors[rows], np.where(of_class[rows], self.sign * sums[rows], -np.inf)
        first, exact = values.argmax(axis=1), errors == 0
        self.peaks[rows] = peaks = np.maximum(self.peaks[rows], values[np.arange(len(rows)), first])
        lowest = np.nextafter(peaks - 2 * errors, -np.inf)
        self.floors[rows] = np.where(exact, np.nextafter(peaks, np.inf), lowest)
        near = of_class[rows] & (values >= lowest[:, None])
        near[exact] = False
        near[exact, first[exact]] = True  # the others are no larger, and what is equal comes later
        places, numbers = np.nonzero(near)
        inputs = np.full((len(places), self.inputs.shape[1]), -1, dtype=np.int32)
        inputs[:, : batch.active.shape[1]] = batch.active[numbers]
        self.kept.append((rows[places], values[places, numbers], inputs))
        self.stale[rows] = True
        if sum(len(part) for part, _, _ in self.kept) > _KEPT + 4 * len(self.totals):
            self.settle(self.stale)

    def end(self, place: int) -> End | None:
        """The extreme of one output after `settle`."""
        total, inputs = self.totals[place], self.inputs[place]
        features = self.sheet.features
        return None if total is None else (total, Input.on(int(features[j]) for j in inputs[inputs >= 0]))

    def settle(self, wanted: Array) -> None:
        """Find the exact extremes of the wanted outputs, and keep nothing else of them."""
        wanted = wanted & self.stale
        if not wanted.any():
            return
        places, values, inputs = (np.concatenate(parts) for parts in zip(*self.kept, strict=True))
        alive = values >= np.where(self.errors == 0, self.peaks, self.floors)[places]
        rest, chosen = np.flatnonzero(alive & ~wanted[places]), np.flatnonzero(alive & wanted[places])
        chosen = chosen[np.argsort(places[chosen], kind="stable")]
        if len(chosen) > 4 * len(self.totals):  # many may well differ only where their output does not look
            chosen = chosen[np.sort(self._differing(places[chosen], inputs[chosen]))]
        totals = self.sheet.exactly.totals(inputs[chosen], places[chosen], self.sheet.check_clock)
        owners, begins, counts = np.unique(places[chosen], return_index=True, return_counts=True)
        best = np.repeat((np.maximum if self.sign > 0 else np.minimum).reduceat(totals, begins), counts)
        attained = np.flatnonzero(totals == best)
        first = attained[np.searchsorted(attained, begins)]
        self.inputs[owners] = inputs[chosen[first]]
        for place, total in zip(owners.tolist(), totals[first].tolist(), strict=True):
            self.totals[place] = total
        kept = np.concatenate([chosen[first], rest])
        self.kept = [(places[kept], values[kept], inputs[kept])]
        self.stale &= ~wanted

    def _differing(self, places: Array, inputs: Array) -> Array:
        """The first of all inputs of an output that agree on the features that it depends on."""
        seen = np.sort(np.where(self.sheet.reach[places[:, None], inputs], inputs, -1), axis=1)
        return np.unique(np.column_stack([places, seen]), axis=0, return_index=True)[1]
