"""The activation that runs through an ONNX graph, and the exact layers that it leaves behind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array, Ratios, Rows, exact_array, trusted
from supercheck.base.products import product
from supercheck.network.formats.onnx.tensors import MOST_AXES, Work
from supercheck.network.layers import Affine

_MOST_BITS = 4096  # of one exact number
_COPY = 64  # what a number costs that is not in the file, but follows from broadcasting
_FRACTION = 256  # what an operation on fractions costs, before their length is known


class MixedError(InputError):
    """An operator mixes, or tells apart, the samples of what was taken for a batch."""


class Activation:
    """The activation that runs through the graph: element e is scale[r] * z[r] + shift[r] with r = index[e].

    z are the neurons of the last finished layer (at first the features), or `rows` of a linear form over
    them. No matrix is multiplied: a product with an open linear form finishes that as a layer without ReLU.

    Attributes:
        index: [the tensor's shape], every r once; a batch axis has length 1 here.
        layers: the finished layers, first to last.
        label: the name of the node at work.
    """

    def __init__(self, shape: Sequence[int], batch: int | None, work: Work) -> None:
        """Begin with the network's input.

        Args:
            shape: the input's shape.
            batch: which axis counts independent samples, from the end (-1 is the last); None for none.
            work: the budget.
        """
        self.label = ""
        self.layers: list[Affine] = []
        self._work, self._batch = work, batch
        self._samples = 1 if batch is None else shape[batch]
        one = list(shape)
        if batch is not None:
            one[batch] = 1
        work.spend(_COPY * math.prod(one))
        self.index: Array = np.arange(math.prod(one)).reshape(one)
        self._rows: Rows | None = None
        self._scale: Array | None = None
        self._shift: Array | None = None
        self._plain = True
        self._name = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """The tensor's shape, the batch included."""
        shape = list(self.index.shape)
        if self._batch is not None:
            shape[self._batch] = self._samples
        return tuple(shape)

    def reshape(self, target: Sequence[int]) -> None:
        """Give the tensor another shape of the same size."""
        shape = list(target)
        if self._batch is not None:
            before = math.prod(self.shape[: self._batch])
            places = [q for q, n in enumerate(shape) if n == self._samples and math.prod(shape[:q]) == before]
            if not places:
                raise self._mixed()
            shape[places[0]] = 1
            self._batch = places[0] - len(shape)
        self.index = self.index.reshape(shape)

    def transpose(self, order: Sequence[int]) -> None:
        """Make axis order[i] the new axis i."""
        if self._batch is not None:
            self._batch = list(order).index(self._batch + len(order)) - len(order)
        self.index = self.index.transpose(order)

    def multiply(self, factor: Array) -> None:
        """Multiply element by element with an exact array, broadcast."""
        by_row = self._arranged(factor)
        self._plain &= bool((abs(by_row) == 1).all())
        self._shift = None if self._shift is None else self._times(self._shift, by_row)
        self._scale = by_row if self._scale is None else self._times(self._scale, by_row)

    def divide(self, divisor: Array, name: str) -> None:
        """Divide element by element by an exact array, broadcast; `name` says whose zero it is if there is one."""
        zero = np.argwhere(divisor == 0)
        if zero.size:
            raise InputError(place=f"{name}{zero[0].tolist()}", expected="a divisor other than zero", got=0)
        if divisor.dtype == np.float64:
            fraction, exponent = np.frexp(divisor)
            if (np.abs(fraction) == 0.5).all() and (np.abs(exponent) < 1000).all():  # powers of two
                return self.multiply(1.0 / divisor)
        self._work.spend(_FRACTION * divisor.size)
        inverse = exact_array(1 / Fraction(value) for value in divisor.ravel().tolist())
        return self.multiply(inverse.reshape(divisor.shape))

    def add(self, term: Array, factor: float = 1.0) -> None:
        """Add an exact array times a factor element by element, broadcast."""
        by_row = self._arranged(term)
        self._plain &= self._shift is None and abs(factor) == 1
        if factor != 1:
            by_row = self._times(by_row, np.full(len(by_row), factor))
        self._shift = by_row if self._shift is None else self._plus(self._shift, by_row)

    def matmul(self, matrix: Array, name: str, *, left: bool = False) -> None:
        """Multiply with an exact matrix from the right, or from the `left`, as numpy.matmul does.

        Args:
            matrix: exact numbers [..., inputs, outputs] or [inputs]; from the left [..., outputs, inputs].
            name: the matrix's name.
            left: whether the matrix stands on the left.
        """
        if left:  # A X = (X' A')'
            both = self.index.ndim > 1 and matrix.ndim > 1
            self._swap()
            self.matmul(matrix.swapaxes(-1, -2) if matrix.ndim > 1 else matrix, name)
            if both:
                self._swap()
            return
        if not self.index.ndim or not matrix.ndim or not matrix.size:
            expected = "a matrix product of tensors with at least one dimension and element"
            raise InputError(expected=expected, got=f"shapes {list(self.shape)} and {list(matrix.shape)}")
        if self._batch == -1:
            raise self._mixed()
        index, b = np.atleast_2d(self.index), matrix if matrix.ndim > 1 else matrix[:, None]
        if self._batch is not None and self._batch < -2:
            b = self._one_sample(b)
        if index.shape[-1] != b.shape[-2]:
            raise InputError(expected=f"a matrix for {index.shape[-1]} inputs", got=f"{b.shape[-2]} ({name})")
        shape = (*self._broadcast(index.shape[:-2], b.shape[:-2]), index.shape[-2], b.shape[-1], b.shape[-2])
        self._work.spend(math.prod(shape) + _COPY * (math.prod(shape) - matrix.size))
        if self._rows is not None:  # the network folds the two later, and both are dense then
            self._work.spend(self.index.size * (self._rows.width + math.prod(shape[:-1])))
            self.finish_layer(relu=False)
        self._plain &= self._shift is None  # what was added would be rounded before the product
        index = index.astype(np.int32)
        columns = np.broadcast_to(index[..., :, None, :], shape).reshape(-1, shape[-1])
        values = np.broadcast_to(b.swapaxes(-1, -2)[..., None, :, :], shape).reshape(-1, shape[-1])
        if (np.diff(index, axis=-1) < 0).any():
            order = np.argsort(columns, axis=1)
            columns, values = np.take_along_axis(columns, order, 1), np.take_along_axis(values, order, 1)
        ends = np.arange(len(columns) + 1) * shape[-1]
        rows = _stored(trusted(ends, columns.ravel(), values.ravel(), self.index.size))
        shift = None
        if self._shift is not None:
            self._work.spend(rows.height * rows.width)
            shift = product(rows.dense(), self._shift)
        self._rows = rows if self._scale is None else self._scaled(rows, self._scale[rows.indices])
        self._scale, self._shift, self._name = None, shift, name
        result = np.arange(rows.height).reshape(shape[:-1])
        if self._batch is not None and matrix.ndim == 1:
            self._batch += 1
        dropped = [axis for axis, vector in ((-2, self.index.ndim == 1), (-1, matrix.ndim == 1)) if vector]
        self.index = np.squeeze(result, axis=tuple(dropped))

    def cast(self) -> None:
        """Note that a program rounds here, to another type."""
        self._plain = False

    def relu(self) -> None:
        """Apply ReLU; nothing happens to what has just passed through one."""
        if not self._finished:
            self.finish_layer(relu=True)

    def finish(self) -> list[Affine]:
        """All layers, with the outputs in the order of the tensor's elements."""
        order = self.index.ravel()
        if not (self._finished and self._plain and (np.diff(order) > 0).all()):
            self.finish_layer(relu=False)
            last = self.layers[-1]
            self.layers[-1] = replace(last, weight=last.weight.take(order), bias=last.bias[order])
        return self.layers

    def finish_layer(self, *, relu: bool) -> None:
        """Make what has come together since the last layer a layer of its own."""
        rows, size = self._form(), self.index.size
        self._work.spend(len(rows.data) + size)
        if self._scale is not None:
            rows = self._scaled(rows, self._scale[rows.row_of()])
        bias = np.zeros(size) if self._shift is None else self._shift
        self.layers.append(Affine(rows, bias, relu, self._name or self.label, self._plain))
        self._rows = self._scale = self._shift = None
        self._name, self._plain = "", True

    @property
    def _finished(self) -> bool:
        """Whether the tensor is a layer's neurons themselves; that layer has a ReLU then."""
        plain = self._rows is None and self._scale is None and self._shift is None
        return plain and bool(self.layers)

    def _form(self) -> Rows:
        """The open linear form, or the selection of every neuron."""
        if self._rows is not None:
            return self._rows
        size = self.index.size
        return trusted(np.arange(size + 1), np.arange(size, dtype=np.int32), np.ones(size), size)

    def _arranged(self, constant: Array) -> Array:
        """A constant broadcast against the tensor, one number for every r; the tensor grows if it has to."""
        b = self._one_sample(constant) if self._batch is not None else constant
        shape = self._broadcast(self.index.shape, b.shape)
        size = math.prod(shape)
        if not size:
            raise InputError(expected="a constant with elements", got=f"shape {list(constant.shape)}")
        self._work.spend(size)
        if size > self.index.size:
            rows = self._form()
            self._work.spend(_COPY * len(rows.data) * (size // self.index.size))
            taken = np.broadcast_to(self.index, shape).ravel()
            self._rows = rows.take(taken)
            self._scale = None if self._scale is None else self._scale[taken]
            self._shift = None if self._shift is None else self._shift[taken]
            self.index = np.arange(size)
        self.index = self.index.reshape(shape)
        by_row = np.empty(size, dtype=b.dtype)
        by_row[self.index.ravel()] = np.broadcast_to(b, shape).ravel()
        return by_row

    def _one_sample(self, constant: Array) -> Array:
        """A constant, aligned from the right, cut to one sample; it must be the same for all of them."""
        b = self._batch
        if b is None or constant.ndim < -b or constant.shape[b] == 1:
            return constant
        if constant.shape[b] != self._samples:
            expected = f"shapes that broadcast against {list(self.shape)}"
            raise InputError(expected=expected, got=list(constant.shape))
        first = constant.take([0], axis=b)
        if (constant != first).any():
            raise self._mixed()
        return first

    def _broadcast(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        try:
            shape = np.broadcast_shapes(a, b)
        except ValueError:
            expected = f"shapes that broadcast against {list(self.shape)}"
            raise InputError(expected=expected, got=list(b)) from None
        if len(shape) > MOST_AXES:
            raise InputError(expected=f"at most {MOST_AXES} dimensions", got=len(shape))
        return shape

    def _swap(self) -> None:
        """Exchange the last two axes, if there are two."""
        axes = list(range(self.index.ndim))
        self.transpose([*axes[:-2], *reversed(axes[-2:])])

    def _mixed(self) -> MixedError:
        expected = f"every one of the {self._samples} samples of the batch treated alike"
        return MixedError(expected=expected, got="an operator that mixes them")

    def _scaled(self, rows: Rows, factors: Array) -> Rows:
        return _stored(rows.holding(self._times(rows.data, factors)))

    def _times(self, a: Array, b: Array) -> Array:
        """The exact products of two vectors, in doubles where those hold them."""
        self._work.spend(len(a))
        ratios = Ratios.of(a) * Ratios.of(b)
        if ratios.denominator is None and ratios.numerator.dtype != object:
            small = np.abs(ratios.numerator).max(initial=0) <= 2**53
            if small and np.abs(ratios.exponent).max(initial=0) < 900:
                return np.ldexp(ratios.numerator.astype(np.float64), ratios.exponent.astype(np.int32))
        self._work.spend(_FRACTION * len(a))
        return self._bounded(exact_array(ratios.fractions()))

    def _plus(self, a: Array, b: Array) -> Array:
        """The exact sums of two vectors."""
        self._work.spend(_FRACTION * len(a))
        pairs = zip(Ratios.of(a).fractions(), Ratios.of(b).fractions(), strict=True)
        return self._bounded(exact_array(p + q for p, q in pairs))

    def _bounded(self, values: Array) -> Array:
        """The same numbers, if they are not absurdly long."""
        bits = max((max(v.numerator.bit_length(), v.denominator.bit_length()) for v in values), default=0)
        if bits > _MOST_BITS:
            raise InputError(expected=f"numbers of at most {_MOST_BITS} bits", got=f"{bits} bits")
        self._work.spend(len(values) * (bits // 8))
        return values


def _stored(rows: Rows) -> Rows:
    """The same matrix without the zeros among its stored values."""
    kept = rows.data != 0
    before = np.concatenate([[0], np.cumsum(kept)])
    return trusted(before[rows.indptr], rows.indices[kept], rows.data[kept], rows.width)
