"""What a network costs, block by block: places, edges, distinct values, bits.

Counts are exact and of the normal form, so that rescaling a neuron that is not all zero changes none of them.
A block's bits are log2 C(P, E) + E log2 V: which of its P places hold the E nonzeros, and which of its V values
each has. Biases and the table of values are counted apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from supercheck.analysis.costs.floors.capacity import sparse_bits
from supercheck.base.matrix import Array, Rows
from supercheck.network.layers import Affine, Output
from supercheck.network.network import Network

CODE = "log2 C(P, E) + E log2 V bits for each matrix: P places, E nonzeros, V distinct values"


@dataclass(frozen=True)
class Matrix:
    """One matrix of weights with its biases, counted.

    Attributes:
        slots: P, the places of the matrix.
        edges: E, its nonzeros.
        values: V, the distinct values of its nonzeros.
        biases: nonzero biases.
        bias_values: distinct values of the biases, 0 included where it occurs; a readout's each with its row's factor.
        largest: the largest magnitude of a weight.
        table_bits: the bits of the distinct values themselves, sign included.
        scaled_identity: whether it is a multiple of the identity, factors included: the same for every function.
    """

    slots: int
    edges: int
    values: int
    biases: int
    bias_values: int
    largest: int
    table_bits: int
    scaled_identity: bool

    @property
    def bits(self) -> float:
        """Its bits under the stated code, rounded up."""
        return sparse_bits(self.slots, self.edges, max(1, self.values))

    @property
    def parameters(self) -> int:
        """The nonzeros that can depend on the function."""
        return 0 if self.scaled_identity else self.edges


@dataclass(frozen=True)
class Block:
    """One or more matrices of the same role.

    Attributes:
        name: encoder, hidden, readout or decoder.
        matrices: what it is made of.
        fixed: whether the spec declares it, so that it is not counted as the network's own.
    """

    name: str
    matrices: tuple[Matrix, ...]
    fixed: bool = False

    @property
    def bits(self) -> float:
        """Its bits under the stated code, rounded up."""
        return sum(matrix.bits for matrix in self.matrices)

    def total(self, key: str) -> int:
        """The sum of one of the counts over its matrices."""
        return sum(getattr(matrix, key) for matrix in self.matrices)

    def most(self, key: str) -> int:
        """The largest of one of the counts over its matrices."""
        return max((getattr(matrix, key) for matrix in self.matrices), default=0)


@dataclass(frozen=True)
class Counts:
    """What a network costs.

    Attributes:
        features: m.
        outputs: m'.
        shape: the sizes of the network's own layers, its inputs and outputs included.
        blocks: encoder, hidden, readout, decoder, as far as there are any.
    """

    features: int
    outputs: int
    shape: tuple[int, ...]
    blocks: tuple[Block, ...]

    @property
    def layers(self) -> int:
        """The number of hidden layers."""
        return len(self.shape) - 2

    @property
    def neurons(self) -> int:
        """The number of ReLU units."""
        return sum(self.shape[1:-1])

    @property
    def width(self) -> int:
        """The neurons of the widest hidden layer."""
        return max(self.shape[1:-1], default=0)

    @property
    def last(self) -> int:
        """The neurons of the last hidden layer; for a network without one, what its readout reads."""
        return self.shape[-2]

    @property
    def inner(self) -> int:
        """The widest of the network's own layers, its inputs and outputs included."""
        return max(self.shape)

    @property
    def own(self) -> list[Matrix]:
        """The matrices of the network's own blocks."""
        return [matrix for block in self.blocks if not block.fixed for matrix in block.matrices]

    @property
    def edges(self) -> int:
        """The network's own nonzero weights."""
        return sum(matrix.edges for matrix in self.own)

    @property
    def parameters(self) -> int:
        """The network's own nonzeros that can depend on the function."""
        return sum(matrix.parameters for matrix in self.own)

    @property
    def biases(self) -> int:
        """The network's own nonzero biases."""
        return sum(matrix.biases for matrix in self.own)

    @property
    def bits(self) -> float:
        """The bits of the network's own blocks under the stated code, rounded up."""
        return sum(matrix.bits for matrix in self.own)

    @property
    def largest(self) -> int:
        """The largest magnitude of the network's own weights."""
        return max((matrix.largest for matrix in self.own), default=0)

    @property
    def values(self) -> int:
        """The most distinct values of any of the network's own matrices."""
        return max((matrix.values for matrix in self.own), default=0)

    def block(self, name: str) -> Block | None:
        """The block of that name, if there is one."""
        return next((block for block in self.blocks if block.name == name), None)


def count(own: Network, encoder: Affine | None = None, decoder: Affine | None = None) -> Counts:
    """Count a network and the fixed codes around it.

    Args:
        own: the network as its file holds it.
        encoder: the fixed code before it.
        decoder: the fixed code after it.
    """
    hidden = tuple(_matrix(layer.weight, layer.bias.tolist()) for layer in own.hidden)
    readout = _readout(own.output)
    blocks = [Block("hidden", hidden), Block("readout", (readout,))] if hidden else [Block("readout", (readout,))]
    if encoder is not None:
        blocks.insert(0, _code("encoder", encoder))
    if decoder is not None:
        blocks.append(_code("decoder", decoder))
    features = own.features if encoder is None else encoder.weight.width
    outputs = own.outputs if decoder is None else decoder.weight.height
    shape = (own.features, *(layer.neurons for layer in own.hidden), own.outputs)
    return Counts(features, outputs, shape, tuple(blocks))


def _code(name: str, code: Affine) -> Block:
    """A fixed code, in normal form as an output layer."""
    normal = Network.of([Affine(code.weight, code.bias, False)])
    return Block(name, (_readout(normal.output),), fixed=True)


def _readout(output: Output) -> Matrix:
    """An output layer; the factors of its rows count with its biases."""
    matrix, pairs = _matrix(output.weight, output.bias), set(zip(output.bias, output.scale, strict=True))
    alike = matrix.scaled_identity and len(set(output.scale)) == 1
    return replace(matrix, bias_values=len(pairs), scaled_identity=alike)


def _matrix(rows: Rows, biases: Sequence[int | Fraction]) -> Matrix:
    values = _distinct(rows.data)
    square = rows.height == rows.width == len(rows.data)
    identity = square and bool((rows.indices == rows.row_of()).all()) and len(values) == 1
    return Matrix(
        slots=rows.height * rows.width,
        edges=len(rows.data),
        values=len(values),
        biases=sum(bias != 0 for bias in biases),
        bias_values=len(set(biases)),
        largest=max(map(abs, values), default=0),
        table_bits=sum(abs(value).bit_length() + 1 for value in values),
        scaled_identity=identity,
    )


def _distinct(data: Array) -> list[int]:
    different: Iterable[Any] = set(data.tolist()) if data.dtype == object else np.unique(data).tolist()
    return [int(value) for value in different]
