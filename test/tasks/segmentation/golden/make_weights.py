"""Cross-entropies with weights of classes, and their gradients, by PyTorch, as JSON on standard output.

    python test/tasks/segmentation/golden/make_weights.py > test/tasks/segmentation/golden/weights.json
"""

import json

import torch
import torch.nn.functional as F

torch.manual_seed(3)
WEIGHTS = [0.5, 2.0, 0.0, 1.25]


def case(loss, shape, targets, **more):
    logits = torch.randn(*shape) * 2
    logits.requires_grad_()
    value = loss(logits, targets)
    value.backward()
    flat = lambda x: x.detach().flatten().tolist()
    return {"logits": flat(logits), "targets": targets.flatten().tolist(), "value": value.item(), "gradient": flat(logits.grad), **more}


masks = torch.randint(0, 4, (2, 3, 2))
masks[0, 0, 0] = masks[1, 2, 1] = 255
weight = torch.tensor(WEIGHTS)
pixels = case(lambda x, t: F.cross_entropy(x.permute(0, 3, 1, 2), t, weight, ignore_index=255), (2, 3, 2, 4), masks)
labels = [
    case(lambda x, t: F.cross_entropy(x, t, weight, label_smoothing=s), (5, 4), torch.randint(0, 4, (5,)), smoothing=s)
    for s in (0.0, 0.2)
]
print(json.dumps({"weights": WEIGHTS, "pixels": pixels, "labels": labels}))
