"""Machines that evaluate a network in float32, each in an order of its own: exact integers, and nothing of supercheck.

Every number is a Fraction with a power of two below; a machine rounds it to nearest, ties to even.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from oracle import Stored

LARGEST = Fraction(2**128 - 2**104)
SMALLEST_NORMAL = Fraction(1, 2**126)

Product = tuple[Fraction, Fraction]


def rounded(value: Fraction, digits: int = 24, least: int = -149) -> Fraction:
    """The nearest number of so many binary digits and at least 2^least; past float32's range an OverflowError."""
    above, below = abs(value.numerator), value.denominator.bit_length() - 1
    assert value.denominator == 1 << below, "a number without a power of two below"
    dropped = max(above.bit_length() - digits, least + below)
    if dropped > 0:
        kept, rest = divmod(above, 1 << dropped)
        if rest * 2 > 1 << dropped or (rest * 2 == 1 << dropped and kept % 2):
            kept += 1
        value = (1 if value > 0 else -1) * Fraction(kept) * Fraction(2) ** (dropped - below)
    if digits == 24 and abs(value) > LARGEST:
        raise OverflowError
    return value


@dataclass(frozen=True)
class Machine:
    """One way to evaluate.

    Attributes:
        random: what else it does.
        fma: whether a product may be added before it is rounded.
        wide: whether a sum may be kept in 53 digits or more.
        flush: whether subnormal numbers are zero.
    """

    random: Random
    fma: bool = False
    wide: bool = False
    flush: bool = False

    @classmethod
    def any(cls, seed: int) -> Machine:
        """A machine for each seed."""
        random = Random(seed)
        return cls(random, random.random() < 0.5, random.random() < 0.5, random.random() < 0.5)

    def run(self, layers: Stored, x: Sequence[int]) -> list[Fraction]:
        """The outputs."""
        h = [Fraction(value) for value in x]
        for weight, bias, relu in layers:
            z = [self.neuron(row, h, b) for row, b in zip(weight, bias, strict=True)]
            h = [max(value, Fraction(0)) for value in z] if relu else z
        return h

    def neuron(self, row: Sequence[Fraction], h: Sequence[Fraction], bias: Fraction) -> Fraction:
        """The terms of a neuron added up along some tree."""
        pool: list[Fraction | Product] = [self.seen(bias)]
        pool += [(self.seen(w), self.seen(v)) for w, v in zip(row, h, strict=True)]
        self.random.shuffle(pool)
        order = self.random.choice(["as it comes", "ascending", "descending", "by size", "by size, falling"])
        if order != "as it comes":
            pool.sort(key=lambda item: abs(exact(item)) if "size" in order else exact(item))
        if order in ("descending", "by size, falling"):
            pool.reverse()
        shape = self.random.choice(["from the left", "from the left", "pairwise", "any", "last two first"])
        while len(pool) > 1:
            if shape == "from the left":
                pool[:2] = [self.sum(pool[0], pool[1])]
            elif shape == "pairwise":
                pool = [self.sum(*pool[i : i + 2]) if len(pool) > i + 1 else pool[i] for i in range(0, len(pool), 2)]
            elif shape == "any":
                self.random.shuffle(pool)
                pool.append(self.sum(pool.pop(), pool.pop()))
            else:
                pool.append(self.sum(pool.pop(), pool.pop()))
        return self.kept(self.value(pool[0]))

    def sum(self, a: Fraction | Product, b: Fraction | Product) -> Fraction:
        """Two parts of a sum added."""
        if self.fma and isinstance(b, tuple) and self.random.random() < 0.7:
            total = self.value(a) + exact(b)
        else:
            total = self.value(a) + self.value(b)
        if self.wide and self.random.random() < 0.7:
            return rounded(total, self.random.choice([53, 64, 200]), -1074)
        if self.wide:  # rounded twice
            total = rounded(total, 53, -1074)
        return self.kept(total)

    def value(self, item: Fraction | Product) -> Fraction:
        """A part of a sum as it is added: a product is rounded first."""
        if isinstance(item, tuple):
            product = exact(item)
            return product if self.wide and self.random.random() < 0.5 else self.kept(product)
        return item

    def kept(self, value: Fraction) -> Fraction:
        """A number as float32 holds it."""
        return self.seen(rounded(value))

    def seen(self, value: Fraction) -> Fraction:
        """A float32 number as an operation sees it."""
        return Fraction(0) if self.flush and abs(value) < SMALLEST_NORMAL else value


def exact(item: Fraction | Product) -> Fraction:
    """The number that a part of a sum stands for."""
    return item[0] * item[1] if isinstance(item, tuple) else item


def binary(active: Sequence[int], features: int) -> list[int]:
    return [int(j in active) for j in range(features)]
