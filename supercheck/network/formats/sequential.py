"""A live `torch.nn.Sequential`, read exactly. torch is never imported: whoever has such an object has torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array, Rows
from supercheck.network.formats.tensors import exact
from supercheck.network.layers import Affine
from supercheck.network.network import Network

_EXPORT = "export the model to ONNX and read that"


def from_torch(module: object) -> Network:
    """Read a stack of Linear and ReLU layers, nested or not.

    Args:
        module: a `torch.nn.Sequential` of Linear, ReLU, Identity, Flatten and (in eval mode) Dropout.

    Returns:
        The network, its layers named "0.weight", "2.weight", ... as in the module's state_dict.

    Raises:
        InputError: if it holds anything else; names the layer's place.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None or type(module) is not torch.nn.Sequential:
        got = type(module).__name__
        raise InputError(expected="a torch.nn.Sequential of Linear and ReLU layers", got=got, do=_EXPORT)
    for hooks in ("_global_forward_hooks", "_global_forward_pre_hooks"):
        if getattr(torch.nn.modules.module, hooks, None):
            raise InputError(expected="modules without forward hooks", got="hooks on all modules", do="remove them")
    layers: list[Affine] = []
    relu_first = False
    for name, layer in _flat(torch, module, ""):
        place = f"{name}: {type(layer).__name__}"
        kind = type(layer)
        if kind is torch.nn.Linear:
            affine = _linear(torch, name, layer, place)
            if relu_first and not layers:
                layers.append(_identity(affine.weight.width))
            layers.append(affine)
        elif kind is torch.nn.ReLU and layers:
            layers[-1] = Affine(layers[-1].weight, layers[-1].bias, True, layers[-1].name)
        elif kind is torch.nn.ReLU:
            relu_first = True
        elif kind is torch.nn.Dropout:
            if layer.training and layer.p > 0:
                do = "call module.eval() first"
                raise InputError(place=place, expected="no active dropout", got="training mode", do=do)
        elif kind is torch.nn.Flatten:
            if layer.start_dim != 1:
                got = f"start_dim={layer.start_dim}"
                raise InputError(place=place, expected="a Flatten that keeps samples apart", got=got, do=_EXPORT)
        elif kind is not torch.nn.Identity:
            expected = "Linear, ReLU, Identity, Flatten or Dropout"
            raise InputError(place=place, expected=expected, got=kind.__name__, do=_EXPORT)
    if not layers:
        raise InputError(expected="at least one Linear layer", got="none")
    return Network.of(layers)


def _flat(torch: Any, module: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Every layer with its place, in order; a container's own hooks count too."""
    name = prefix.rstrip(".")
    place = f"{name or 'the module'}: {type(module).__name__}"
    own = getattr(module, "__dict__", {})
    if own.get("_forward_hooks") or own.get("_forward_pre_hooks"):
        do = f"remove them (make pruning or weight norm permanent), or {_EXPORT}"
        raise InputError(place=place, expected="no forward hooks", got="forward hooks", do=do)
    if "forward" in own:
        raise InputError(place=place, expected="torch's own forward", got="another one", do=_EXPORT)
    if type(module) is not torch.nn.Sequential:
        yield name, module
        return
    for key, child in module._modules.items():  # named_children() leaves out what occurs a second time
        yield from _flat(torch, child, f"{prefix}{key}.")


def _linear(torch: Any, name: str, layer: Any, place: str) -> Affine:
    weight = _exact(torch, layer.weight, f"{name}.weight", place)
    if weight.ndim != 2 or 0 in weight.shape:
        raise InputError(place=place, expected="a weight [outputs, inputs]", got=f"shape {list(weight.shape)}")
    bias = np.zeros(len(weight)) if layer.bias is None else _exact(torch, layer.bias, f"{name}.bias", place)
    if bias.shape != weight.shape[:1]:
        raise InputError(place=place, expected=f"{len(weight)} biases", got=f"shape {list(bias.shape)}")
    return Affine(Rows.from_dense(weight), bias, False, f"{name}.weight")


def _exact(torch: Any, tensor: Any, name: str, place: str) -> Array:
    plain = type(tensor) in (torch.Tensor, torch.nn.Parameter) and tensor.layout is torch.strided
    if not plain or tensor.is_meta or not tensor.dtype.is_floating_point:
        got = "a meta tensor" if plain and tensor.is_meta else f"{type(tensor).__name__} of {tensor.dtype}"
        raise InputError(place=place, expected=f"numbers in {name}", got=got, do=f"load the weights, or {_EXPORT}")
    return exact(tensor.detach().cpu().double().numpy(), name)


def _identity(size: int) -> Affine:
    return Affine(Rows.from_dense(np.eye(size)), np.zeros(size), True)
