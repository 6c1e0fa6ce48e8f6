"""Position embeddings at other grid sizes by PyTorch's bicubic interpolation, as JSON on standard output.

    python test/model/vit/golden/make_positions.py > test/model/vit/golden/positions.json
"""

import json

import torch
import torch.nn.functional as F

torch.manual_seed(1)
cases = []
for side, to, width in [(4, 6, 3), (4, 3, 2), (5, 13, 2), (7, 2, 3), (3, 3, 2)]:
    rows = torch.randn(1 + side * side, width)
    grid = rows[1:].reshape(1, side, side, width).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(to, to), mode="bicubic", align_corners=False)
    resized = torch.cat([rows[:1], grid.permute(0, 2, 3, 1).reshape(to * to, width)])
    cases.append(
        {"from": side, "to": to, "width": width, "rows": rows.flatten().tolist(), "resized": resized.flatten().tolist()}
    )
print(json.dumps(cases))
