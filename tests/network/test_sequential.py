"""Live torch modules: read exactly, or refused with what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from supercheck import KSparse, Readout, Spec, explore, gate
from supercheck.base.errors import InputError
from supercheck.network.formats.sequential import from_torch

if os.environ.get("SUPERCHECK_TORCH") == "required":
    import torch
else:
    torch = pytest.importorskip("torch")
import torch.nn.utils.prune

nn = torch.nn


def stack(**options: Any) -> Any:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 6, **options), nn.ReLU(), nn.Linear(6, 3, **options))


def evaluate(module: Any, x: list[Fraction]) -> list[Fraction]:
    """What the layers say, in fractions."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            bias = [0.0] * len(layer.weight) if layer.bias is None else layer.bias.tolist()
            rows = zip(layer.weight.tolist(), bias, strict=True)
            x = [sum((Fraction(w) * v for w, v in zip(row, x, strict=True)), Fraction(b)) for row, b in rows]
        elif isinstance(layer, nn.ReLU):
            x = [max(value, Fraction(0)) for value in x]
    return x


def refusal(module: Any) -> str:
    """The one line with which a module is refused."""
    with pytest.raises(InputError) as caught:
        from_torch(module)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


MODULES = {
    "plain": stack,
    "without bias": lambda: stack(bias=False),
    "float64": lambda: stack(dtype=torch.float64),
    "float16": lambda: stack(dtype=torch.float16),
    "bfloat16": lambda: stack(dtype=torch.bfloat16),
    "nested": lambda: nn.Sequential(nn.Sequential(nn.Linear(4, 5), nn.ReLU()), nn.Sequential(nn.Linear(5, 2))),
    "a ReLU first and last": lambda: nn.Sequential(nn.ReLU(), nn.Linear(4, 3), nn.ReLU(), nn.ReLU()),
    "linear alone": lambda: nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)),
    "what does nothing": lambda: nn.Sequential(
        nn.Flatten(), nn.Identity(), nn.Linear(4, 3), nn.Dropout(0.0), nn.ReLU(), nn.Linear(3, 2)
    ),
    "dropout in eval mode": lambda: nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5), nn.ReLU()).eval(),
}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_means_what_fractions_say(name: str) -> None:
    module = MODULES[name]()
    network = from_torch(module)
    for bits in range(16):
        x = [Fraction(bits >> j & 1) - Fraction(j, 3) for j in range(4)]
        assert list(network.run(x)) == evaluate(module, x)


def test_one_relu_used_twice_counts_twice() -> None:
    relu = nn.ReLU()
    module = nn.Sequential(nn.Linear(4, 3), relu, nn.Linear(3, 3), relu, nn.Linear(3, 2))
    assert from_torch(module).neurons == 6


def test_layers_are_named_as_in_the_state_dict() -> None:
    network = from_torch(nn.Sequential(nn.Sequential(nn.Linear(4, 5), nn.ReLU()), nn.Linear(5, 2)))
    assert [network.hidden[0].name, network.output.name] == ["0.0.weight", "1.weight"]


def test_the_weights_stay_untouched_and_the_network_has_a_copy() -> None:
    module = stack()
    before = from_torch(module).digest
    network = from_torch(module)
    with torch.no_grad():
        module[0].weight.zero_()
    assert network.digest == before
    assert from_torch(module).digest != before


def hooked(register: str) -> Any:
    module = stack()
    getattr(module[0], register)(lambda *_: None)
    return module


def changed(edit: Any) -> Any:
    module = stack()
    edit(module)
    return module


REFUSED = {
    "another layer": (
        lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Sigmoid()),
        ["2: Sigmoid", "export the model to ONNX"],
    ),
    "another layer deep inside": (
        lambda: nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.ReLU(), nn.Tanh())),
        ["1.1: Tanh", "ONNX"],
    ),
    "a subclass of Linear": (lambda: nn.Sequential(nn.LazyLinear(3)), ["0: LazyLinear"]),
    "a module that is no Sequential": (lambda: nn.Linear(4, 3), ["a torch.nn.Sequential", "Linear", "ONNX"]),
    "a subclass of Sequential": (lambda: type("Mine", (nn.Sequential,), {})(nn.Linear(4, 3)), ["got Mine"]),
    "something else": (lambda: 3, ["a torch.nn.Sequential", "int"]),
    "dropout in training mode": (
        lambda: nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5)),
        ["1: Dropout", "module.eval()"],
    ),
    "a forward hook": (lambda: hooked("register_forward_hook"), ["0: Linear", "forward hooks"]),
    "a forward pre-hook": (lambda: hooked("register_forward_pre_hook"), ["0: Linear", "forward hooks"]),
    "a hook on the whole": (
        lambda: changed(lambda m: m.register_forward_hook(lambda *_: None)),
        ["the module: Sequential", "forward hooks"],
    ),
    "another forward": (lambda: changed(lambda m: setattr(m[0], "forward", abs)), ["0: Linear", "forward"]),
    "a parametrization": (
        lambda: changed(lambda m: nn.utils.parametrizations.weight_norm(m[0])),
        ["0: ParametrizedLinear", "ONNX"],
    ),
    "pruning": (
        lambda: changed(lambda m: nn.utils.prune.l1_unstructured(m[0], "weight", 0.5)),
        ["0: Linear", "make pruning"],
    ),
    "meta tensors": (lambda: stack(device="meta"), ["0: Linear", "a meta tensor", "load the weights"]),
    "complex numbers": (lambda: stack(dtype=torch.complex64), ["0: Linear", "complex64"]),
    "a Flatten of the batch": (lambda: nn.Sequential(nn.Flatten(0), nn.Linear(4, 3)), ["0: Flatten", "start_dim=0"]),
    "no layers": (lambda: nn.Sequential(nn.ReLU()), ["at least one Linear"]),
    "nothing": (nn.Sequential, ["at least one Linear"]),
    "layers that do not fit": (
        lambda: nn.Sequential(nn.Linear(4, 3), nn.Linear(4, 3)),
        ["1.weight", "3 columns", "got 4"],
    ),
    "a NaN": (
        lambda: changed(lambda m: m[2].weight.data.__setitem__((1, 2), float("nan"))),
        ["2.weight[1, 2]", "a finite number"],
    ),
    "an infinity": (
        lambda: changed(lambda m: m[0].bias.data.__setitem__(3, float("-inf"))),
        ["0.bias[3]", "a finite number"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_stack_of_layers_is_refused_with_what_to_do(name: str) -> None:
    build, words = REFUSED[name]
    message = refusal(build())
    assert all(word in message for word in words), message


def test_hooks_on_all_modules_are_refused() -> None:
    handle = nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        assert "hooks on all modules" in refusal(stack())
    finally:
        handle.remove()


def test_torch_and_the_network_agree_on_rounded_numbers() -> None:
    module = stack(dtype=torch.float64)
    x = np.random.default_rng(0).integers(0, 2, size=(20, 4))
    y = module(torch.tensor(x, dtype=torch.float64)).detach().numpy()
    exact = [[float(value) for value in from_torch(module).run(row.tolist())] for row in x]
    np.testing.assert_allclose(y, exact, rtol=1e-12, atol=1e-12)


def test_without_torch_there_is_nothing_to_read() -> None:
    code = (
        "import sys\nfrom supercheck.network.formats.sequential import from_torch\n"
        "try:\n    from_torch([])\nexcept Exception as error:\n    print(type(error).__name__, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["InputError", "False"]


def test_a_module_can_be_explored() -> None:
    copies = tuple(gate("copy", [i]) for i in range(3))
    found = explore(stack(), Spec(KSparse(4, 2), copies, Readout("threshold", Fraction(1, 2))))
    assert found.complete
    assert [sum(entry.value for entry in found.ledger(case).entries) for case in found.cases] == [
        case.value for case in found.cases
    ]
    assert (found._repr_html_() or "").startswith("<iframe")
