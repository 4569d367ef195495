"""Write the ONNX files of this folder with both of torch's exporters: `python tests/data/onnx/generate.py`.

Needs torch, onnxscript and safetensors. Seeded; made with torch 2.13 and onnxscript 0.7. MODEL-EXPORTER-INPUT.onnx
holds the same weights as MODEL.safetensors (a state_dict):

- mlp: three Linear with ReLU between; `batch1`, `batch5` and `symbolic` say what its input [batch, 6] is.
- bare: two Linear without bias and input [batch, 1, 5], which become MatMul; `unfolded` keeps the Transpose nodes.
- half, double: the same in float16 and float64.
- wrapped: Flatten, Dropout and Identity around, and a ReLU at the end.
- scaled: (x - 1/2) / 3 before the first layer and a factor -2 after the last.
- vector: an input [6] without a batch.
- external: its weights lie in external-dynamo-batch1.onnx.data.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

HERE = Path(__file__).parent


class Scaled(nn.Sequential):  # type: ignore[misc]
    """Arithmetic with constants around a stack."""

    def forward(self, x: Tensor) -> Tensor:
        """Shift and scale what goes in, scale what comes out."""
        return -2 * super().forward((x - 0.5) / 3)


def mlp(*, bias: bool = True) -> list[nn.Module]:
    """A stack of 6 -> 9 -> 7 -> 4, or without bias 5 -> 8 -> 3."""
    if bias:
        return [nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 7), nn.ReLU(), nn.Linear(7, 4)]
    return [nn.Linear(5, 8, bias=False), nn.ReLU(), nn.Linear(8, 3, bias=False)]


def export(model: nn.Module, name: str, x: Tensor, **options: object) -> None:
    """Write a file with one exporter, without the stack traces that it notes at each node."""
    path = HERE / f"{name}.onnx"
    torch.onnx.export(model, (x,), path, verbose=False, input_names=["x"], output_names=["y"], **options)
    written = onnx.load(path, load_external_data=False)
    for node in written.graph.node:
        node.ClearField("metadata_props")
    path.write_bytes(written.SerializeToString())


def main() -> None:
    """Write every file anew."""
    torch.manual_seed(20240607)
    wrapped = nn.Sequential(nn.Flatten(), nn.Linear(6, 5), nn.Dropout(0.3), nn.ReLU(), nn.Identity(), nn.Linear(5, 4))
    wrapped.append(nn.ReLU())
    models = {
        "mlp": nn.Sequential(*mlp()),
        "bare": nn.Sequential(*mlp(bias=False)),
        "half": nn.Sequential(*mlp()).half(),
        "double": nn.Sequential(*mlp()).double(),
        "wrapped": wrapped,
        "scaled": Scaled(*mlp()),
        "vector": nn.Sequential(*mlp()),
        "external": nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 4)),  # small ones stay in the file
    }
    for name, model in models.items():
        model.eval()
        save_file(model.state_dict(), HERE / f"{name}.safetensors")
        (HERE / f"{name}.safetensors").chmod(0o644)
        dtype = next(model.parameters()).dtype
        shape = {"bare": (1, 5), "vector": (), "external": (24,)}.get(name, (6,))
        one, five = torch.zeros(1, *shape, dtype=dtype), torch.zeros(5, *shape, dtype=dtype)
        if name == "vector":
            one = torch.zeros(6)
        for dynamo, exporter in ((True, "dynamo"), (False, "legacy")):
            kept = {"dynamo": dynamo} | ({"external_data": name == "external"} if dynamo else {})
            if name != "external" or dynamo:
                export(model, f"{name}-{exporter}-{'vector' if name == 'vector' else 'batch1'}", one, **kept)
            if name in ("mlp", "bare", "scaled"):
                export(model, f"{name}-{exporter}-batch5", five, **kept)
                if dynamo:
                    kept["dynamic_shapes"] = ({0: torch.export.Dim("batch")},)  # type: ignore[assignment]
                else:
                    kept["dynamic_axes"] = {"x": {0: "batch"}, "y": {0: "batch"}}  # type: ignore[assignment]
                export(model, f"{name}-{exporter}-symbolic", five, **kept)
    unfolded = {"dynamo": False, "do_constant_folding": False}
    export(models["bare"], "bare-legacy-unfolded", torch.zeros(1, 1, 5), **unfolded)
    unfolded = {"dynamo": True, "external_data": False, "optimize": False}
    export(models["bare"], "bare-dynamo-unfolded", torch.zeros(1, 1, 5), **unfolded)


if __name__ == "__main__":
    main()
