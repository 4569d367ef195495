"""Trains and exports the networks of this corpus that were trained: `python specs/train.py`.

Needs torch (2.13.0 wrote the committed files), onnx, onnxscript and safetensors. Another release, or
another processor, may round a sum differently and so end in other weights; a network is only written
once exact rational arithmetic says that it is right on every input it was trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from pathlib import Path

import onnx
import torch
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).parent
PROVED, REFUTED = HERE / "proved", HERE / "refuted"


@dataclass(frozen=True)
class Task:
    """What one network is to learn: `rule` of each tuple of features, read out at 1/2."""

    name: str
    features: int
    max_active: int
    hidden: tuple[int, ...]
    tuples: Sequence[Sequence[int]]
    rule: Callable[[int, int], bool]
    """Given how many features of the tuple are on, and how many it has: the value."""

    def inputs(self) -> list[frozenset[int]]:
        """Every input with at most `max_active` features on."""
        sizes = range(self.max_active + 1)
        return [frozenset(a) for size in sizes for a in combinations(range(self.features), size)]

    def truth(self, active: frozenset[int]) -> list[bool]:
        """The right outputs for one input."""
        return [self.rule(len(active.intersection(t)), len(t)) for t in self.tuples]


TASKS = {
    task.name: task
    for task in (
        Task("and8", 8, 3, (16,), list(combinations(range(8), 2)), lambda on, of: on == of),
        Task("xor", 8, 3, (16,), [(j, (j + 1) % 8) for j in range(8)], lambda on, _: on % 2 == 1),
        Task("permutation", 12, 2, (8,), [((5 * j + 3) % 12,) for j in range(12)], lambda on, _: on == 1),
        Task(
            "or_deep",
            10,
            3,
            (10, 10),
            [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (0, 5), (1, 2, 9), (3, 4, 7), (6, 8), (0, 3, 6, 9)],
            lambda on, _: on > 0,
        ),
    )
}


def wrong_inputs(model: nn.Sequential, task: Task) -> int:
    """How many inputs some output gets wrong, in exact arithmetic on the stored weights."""
    layers = [
        (
            [[Fraction(w) for w in row] for row in part.weight.tolist()],
            [Fraction(b) for b in part.bias.tolist()],
        )
        for part in model
        if isinstance(part, nn.Linear)
    ]
    wrong = 0
    for active in task.inputs():
        values = [Fraction(j in active) for j in range(task.features)]
        for depth, (weight, bias) in enumerate(layers):
            sums = [
                b + sum((w * v for w, v in zip(row, values, strict=True) if v), Fraction())
                for row, b in zip(weight, bias, strict=True)
            ]
            values = [max(z, Fraction()) for z in sums] if depth + 1 < len(layers) else sums
        wrong += [y > Fraction(1, 2) for y in values] != task.truth(active)
    return wrong


def train(task: Task) -> nn.Sequential:
    """A network that is right on every input of the task; seeds are tried in order.

    Adam on the whole domain at once, hinge loss around 1/2 with a margin of 1/4, 4,000 steps.
    """
    x = torch.tensor([[float(j in active) for j in range(task.features)] for active in task.inputs()])
    sign = torch.tensor([[1.0 if value else -1.0 for value in task.truth(a)] for a in task.inputs()])
    for seed in range(100):
        torch.manual_seed(seed)
        parts: list[nn.Module] = []
        widths = (task.features, *task.hidden, len(task.tuples))
        for before, after in pairwise(widths):
            parts += [nn.Linear(before, after), nn.ReLU()]
        model = nn.Sequential(*parts[:-1])
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 4000)
        for _ in range(4000):
            loss = torch.relu(0.25 - sign * (model(x) - 0.5)).sum(dim=1).mean()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
        wrong = wrong_inputs(model, task)
        print(f"{task.name}: seed {seed}, loss {loss.item():.2g}, {wrong} of {len(x)} inputs wrong")
        if not wrong:
            return model
    raise RuntimeError(f"{task.name}: no seed below 100 learned it")


def export_onnx(model: nn.Module, path: Path, features: int, *, dynamo: bool, external: bool = False) -> None:
    """Write `model` with torch's new exporter (`dynamo`) or its old one.

    The new one notes in `metadata_props` where in whose source each node arose; that is cut out.
    """
    example = (torch.zeros(1, features),)
    if dynamo:
        torch.onnx.export(model, example, str(path), dynamo=True, external_data=external,
                          input_names=["x"], output_names=["y"], verbose=False)  # fmt: skip
    else:
        torch.onnx.export(model, example, str(path), dynamo=False, dynamic_axes={"x": {0: "batch"}},
                          input_names=["x"], output_names=["y"])  # fmt: skip
    written = onnx.load(path, load_external_data=False)
    del written.metadata_props[:], written.graph.metadata_props[:]
    for part in (*written.graph.node, *written.graph.value_info, *written.graph.input, *written.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    path.write_bytes(written.SerializeToString(deterministic=True))


def export() -> None:
    """Train every network and write it as its specs want it."""
    and8, xor, permutation, or_deep = (train(TASKS[name]).eval() for name in TASKS)
    export_onnx(and8, PROVED / "trained_and8.onnx", 8, dynamo=True)
    save_file(and8.state_dict(), REFUTED / "trained_and8_k4.safetensors")
    # a ReLU at the end moves no value across 1/2
    export_onnx(nn.Sequential(*xor, nn.ReLU()), PROVED / "trained_xor.onnx", 8, dynamo=False)
    save_file(permutation.state_dict(), PROVED / "trained_permutation.safetensors")
    export_onnx(permutation, REFUTED / "trained_permutation_swapped.onnx", 12, dynamo=False)
    export_onnx(or_deep, PROVED / "trained_or_deep.onnx", 10, dynamo=True, external=True)


if __name__ == "__main__":
    print(f"torch {torch.__version__}")
    export()
