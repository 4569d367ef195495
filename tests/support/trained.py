"""The trained networks that lie beside the checkout, and questions of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NAMES = [
    "uand_m6_n10", "uand_m8_n16_k3", "and24_m16_n20", "xor12_m10_n20", "perm_m16_n10", "or20_m12_h12_12",
    "and60_m40_n40",
]  # fmt: skip


def question(shared: Path, name: str) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((shared / "networks" / "truth.json").read_text())[name]
    return known
