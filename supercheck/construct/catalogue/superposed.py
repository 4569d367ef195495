"""ANDs of pairs whose inputs and outputs are in superposition, too: between a fixed encoder and a fixed decoder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import ceil, comb, log2, sqrt

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array, Rows
from supercheck.construct.channels import random_channels
from supercheck.construct.pairs import listed
from supercheck.construct.random_stream import stream
from supercheck.construct.request import PAIRS, Built, Request, claim
from supercheck.decide.limits import Clock
from supercheck.network.layers import Affine
from supercheck.spec.formula import gate

_CHANNEL = 6  # neurons of each output, a third of all where these are few
_BIAS = 5 / 8  # below 1, for what noise takes from a neuron is more than what it leaks
_RIDGE = 0.01  # of the mean square of a neuron
_FIRST, _SECOND = 8, 12  # binary digits of the weights: after the point, and of the largest
_MOST = 2048  # features, outputs and neurons
_SAMPLE, _CHUNK = 1 << 14, 1 << 12  # inputs that fit a readout, and that are evaluated together


def superposed(wanted: Request) -> Built:
    """N numbers hold the m features, n neurons compute, n numbers hold the m' outputs; the codes are random signs.

    The encoder C [n, m] and the decoder D [m', n] are drawn before anything is known of the pairs. The first layer is
    the one of random output channels as well as it can be read from the code, H C^+ (m / n); ReLU at 5/8; the second is
    D^+ R, where R tells each output's pair from all inputs by a ridge regression on the neurons. All weights are
    rounded to dyadic numbers, then every input is evaluated; the threshold is half way between the classes. Neurons are
    added until it exists.

    Guarantee: right at k = 2, for every input was evaluated with the weights that are written; where `neurons` are
        given, only if there is such a threshold.
    Cost: n neurons, n m numbers of the encoder and m' n of the decoder, which are fixed, and 2 n^2 edges between.
        Counting allows no n below about sqrt(m' log m'). Found where m = m': 15, 30, 55, 124 for 16, 32, 64, 256
        outputs; for 8 it takes 9, which does not pay. With 230 it is right for 512, with 400 for 1,024.
    Does not show: the paper's O(sqrt(m') log m'). From 256 to 1,024 outputs n grows like m'^0.85, that form like
        m'^0.66; and it is ANDs of pairs at k = 2 alone.
    Source: Adler and Shavit, arXiv 2409.15318, inputs and outputs in superposition; the readout is ours.
    """
    wanted.only(*PAIRS, "neurons", "channel")
    features, pairs = listed(wanted)
    if wanted.max_active != 2:
        raise InputError(place="-k", expected="2, for which it is known", got=wanted.max_active)
    for place, got in (("--features", features), ("--outputs", len(pairs)), ("--neurons", wanted.neurons or 1)):
        if got > _MOST:
            expected = f"at most {_MOST:,}, for every input is evaluated"
            raise InputError(place=place, expected=expected, got=f"{got:,}")
    counts = _rising(features, len(pairs)) if wanted.neurons is None else iter([wanted.neurons])
    for neurons in counts:
        channel = wanted.channel or min(_CHANNEL, -(-neurons // 3))
        made = _drawn(features, pairs, neurons, channel, wanted.seed)
        low, high = made.classes(pairs, wanted.clock)
        if low < high or wanted.neurons is not None:
            break
    else:
        do = "take more features, or another --seed"
        raise InputError(place="--neurons", expected="a number that is found", got="none", do=do)
    formulas = [gate("and", pair) for pair in pairs.tolist()]
    spec = claim(features, 2, formulas, Fraction(int(low + high), 1 << (made.digits + 1)))
    own = (
        _layer(made.first, _FIRST, -round(_BIAS * (1 << _FIRST)), True),
        _layer(made.second, made.digits - _FIRST, 0, False),
    )
    sizes = {"neurons": neurons, "width of the codes": neurons}
    return Built(own, spec, sizes, encoder=_layer(made.encoder, 0, 0, False), decoder=_layer(made.decoder, 0, 0, False))


@dataclass(frozen=True, eq=False)
class _Superposed:
    """Whole numbers, as doubles that hold them exactly.

    Attributes:
        encoder: signs [n, m].
        first: [n, n], in units of 2^-_FIRST.
        second: [n, n], in units of 2^(_FIRST - digits).
        decoder: signs [m', n].
        digits: outputs are in units of 2^-digits.
    """

    encoder: Array
    first: Array
    second: Array
    decoder: Array
    digits: int

    def classes(self, pairs: Array, clock: Clock) -> tuple[int, int]:
        """The largest value of any output that is off, and the least of one that is on, in units of 2^-digits.

        Over all inputs, or as many as show that the one is not below the other.

        Raises:
            InputError: if the time is up.
        """
        reads, feeds = self.decoder @ self.second, self.first @ self.encoder
        low, high = -np.inf, float(np.einsum("ij,ji->i", reads, _neurons(feeds, pairs)).min())
        for active in _inputs(feeds.shape[1]):
            if low >= high:
                break
            if clock.over:
                expected = "time enough to find a network and evaluate every input"
                raise InputError(place="--timeout", expected=expected, got=f"{clock.timeout:g} s")
            y = reads @ _neurons(feeds, active)
            on = np.ones(y.shape, dtype=bool)
            for end in pairs.T:
                on &= (active[None] == end[:, None, None]).any(axis=2)
            low, high = max(low, y[~on].max(initial=-np.inf)), min(high, y[on].min(initial=np.inf))
        return int(low), int(high)


def _drawn(features: int, pairs: Array, neurons: int, channel: int, seed: int) -> _Superposed:
    random = stream(seed, neurons)
    encoder = random.choice([-1.0, 1.0], size=(neurons, features))
    decoder = random.choice([-1.0, 1.0], size=(len(pairs), neurons))
    channels = random_channels(features, pairs, neurons, channel, random)
    first = channels.fed.T @ np.linalg.pinv(encoder) * (features / neurons)
    first = np.rint(first * (1 << _FIRST))
    feeds = first @ encoder
    chosen = random.randint(features, size=(_SAMPLE, 2))  # the same twice: then one is on
    seen, wanted = _neurons(feeds, chosen), _neurons(feeds, pairs)
    square = seen @ seen.T / _SAMPLE
    square += _RIDGE * (np.trace(square) / neurons or 1) * np.eye(neurons)
    reads = np.linalg.solve(square, wanted).T
    inverse = np.linalg.pinv(decoder)
    for _ in range(3):  # each pair's own output becomes 1
        own = np.einsum("ij,ji->i", decoder @ (inverse @ reads), wanted)
        reads /= np.where(own == 0, 1, own)[:, None]
    second = inverse @ reads
    digits = _SECOND - ceil(log2(float(np.abs(second).max()) or 1.0))
    return _Superposed(encoder, first, np.rint(second * 2.0**digits), decoder, digits)


def _neurons(feeds: Array, active: Array) -> Array:
    """The neurons on some inputs, [n, inputs], in units of 2^-_FIRST; active features int64 [inputs, 0 to 2]."""
    sums = np.full((len(feeds), len(active)), -_BIAS * (1 << _FIRST))
    for place, column in enumerate(active.T):
        sums += feeds[:, column] * (column != active[:, 0] if place else 1)
    return np.asarray(np.maximum(sums, 0))


def _inputs(features: int) -> Iterator[Array]:
    """Every input with at most 2 features on as its active features, int64 [some, on]."""
    for size in range(3):
        every = np.array(list(combinations(range(features), size)), dtype=np.int64).reshape(comb(features, size), size)
        yield from (every[begin : begin + _CHUNK] for begin in range(0, len(every), _CHUNK))


def _rising(features: int, outputs: int) -> Iterator[int]:
    """From where counting begins to allow it to far above a neuron an output, each about a tenth more."""
    neurons = ceil(sqrt(outputs * max(1.0, log2(outputs))))
    while neurons <= 64 + 2 * max(features, outputs):
        yield neurons
        neurons += max(1, neurons // 10)


def _layer(matrix: Array, digits: int, bias: int, relu: bool) -> Affine:
    """Whole numbers in units of 2^-digits, with a bias in the same."""
    return Affine(Rows.from_dense(matrix * 2.0**-digits), np.full(len(matrix), bias * 2.0**-digits), relu)
