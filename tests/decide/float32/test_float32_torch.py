"""torch in many ways: none is farther from the real value than the float32 bound says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from runtimes import NETWORKS, Evaluation, Subject, check, each_alone, subject

from supercheck.base.matrix import Array

if os.environ.get("SUPERCHECK_TORCH") == "required":
    import torch
else:
    torch = pytest.importorskip("torch")


def in_torch(of: Subject) -> Iterator[tuple[str, Evaluation]]:
    """Products and sums as torch orders them."""

    def chain(product: Any) -> Evaluation:
        layers = [(torch.tensor(weight), torch.tensor(bias), relu) for weight, bias, relu in of.layers]

        def evaluate(x: Array) -> Any:
            h = torch.from_numpy(x)
            for weight, bias, relu in layers:
                h = product(h, weight, bias)
                assert h.dtype == torch.float32
                h = torch.relu(h) if relu else h
            return h.numpy()

        return evaluate

    linear = torch.nn.functional.linear
    ways = {
        "linear": linear,
        "matmul": lambda h, w, b: h @ w.T + b,
        "transposed": lambda h, w, b: (w @ h.T).T + b,
        "addmm": lambda h, w, b: torch.addmm(b, h, w.T),
        "baddbmm": lambda h, w, b: torch.baddbmm(b[None, None], h[None], w.T[None])[0],
        "einsum": lambda h, w, b: torch.einsum("ij,kj->ik", h, w) + b,
        "sum": lambda h, w, b: (h[:, None] * w).sum(2) + b,
        "cumulated": lambda h, w, b: torch.cumsum(h[:, None] * w, 2)[..., -1] + b,
        "backwards": lambda h, w, b: linear(h.flip(1), w.flip(1), b),
        "sparse": lambda h, w, b: (w.to_sparse() @ h.T).T + b,
        "in double": lambda h, w, b: linear(h.double(), w.double(), b.double()).float(),
        "by vectors": lambda h, w, b: torch.stack([torch.mv(w, row) for row in h]) + b,
        "in halves": lambda h, w, b: linear(h[:, ::2], w[:, ::2]) + linear(h[:, 1::2], w[:, 1::2], b),
    }
    for name, product in ways.items():
        yield name, chain(product)
        yield f"{name}, one at a time", each_alone(chain(product))


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("scale", [1.0, 30.0])
@pytest.mark.parametrize("name", NETWORKS)
def test_torch_keeps_to_the_bound(name: str, scale: float, threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        of = subject(name, scale)
        check(of, in_torch(of))
    finally:
        torch.set_num_threads(before)
