"""Makes cross-entropy.json: torch's cross_entropy with ignore_index=255, and its gradient, for logits far apart.

    python test/engine/golden/make_cross_entropy.py    # torch 2.13
"""

import json
from pathlib import Path

import torch

torch.manual_seed(1)
logits = torch.randn(1, 3, 3, 4)
masks = torch.tensor([[[0, 1, 2], [3, 255, 0], [1, 255, 2]]])
cases = {}
for scale in (1.0, 200.0, 1e4):
    x = (logits * scale).requires_grad_()
    loss = torch.nn.functional.cross_entropy(x.permute(0, 3, 1, 2), masks, ignore_index=255)
    loss.backward()
    cases[str(scale)] = {"scale": scale, "loss": loss.item(), "gradient": x.grad.flatten().tolist()}
out = {"logits": logits.flatten().tolist(), "masks": masks.flatten().tolist(), "cases": list(cases.values())}
(Path(__file__).parent / "cross-entropy.json").write_text(json.dumps(out) + "\n")
