"""A file of every type that we read, by Python's safetensors, and its values as JSON.

    python test/files/golden/make_safetensors.py test/files/golden
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

folder = Path(sys.argv[1])
floats = [0.0, -0.0, 1.5, -2.75, 65504.0, 6e-8, 0.1, float("inf")]
tensors = {
    "F64": torch.tensor(floats, dtype=torch.float64),
    "F32": torch.tensor(floats).reshape(2, 4),
    "F16": torch.tensor(floats, dtype=torch.float16),
    "BF16": torch.tensor(floats, dtype=torch.bfloat16),
    "I64": torch.tensor([[1, -2], [2**31 - 1, -(2**31)]]),
    "I32": torch.tensor([3, -4], dtype=torch.int32),
    "I16": torch.tensor([5, -6], dtype=torch.int16),
    "I8": torch.tensor([7, -8], dtype=torch.int8),
    "U8": torch.tensor([9, 255], dtype=torch.uint8),
    "BOOL": torch.tensor([True, False]),
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 3),
}
save_file(tensors, folder / "types.safetensors", metadata={"format": "pt"})
expected = {
    name: {"shape": list(t.shape), "data": [str(v) for v in t.reshape(-1).to(torch.float64 if t.is_floating_point() else torch.int64).tolist()]}
    for name, t in tensors.items()
}
(folder / "types.json").write_text(json.dumps(expected, indent=1) + "\n")
