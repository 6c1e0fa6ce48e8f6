"""Position embeddings at other grids (rows, columns) by PyTorch's bicubic interpolation, as JSON on standard output.

    python test/model/vit/golden/make_positions.py > test/model/vit/golden/positions.json
"""

import json

import torch
import torch.nn.functional as F

torch.manual_seed(1)
squares = [((side, side), (to, to), width) for side, to, width in [(4, 6, 3), (4, 3, 2), (5, 13, 2), (7, 2, 3), (3, 3, 2)]]
cases = []
for (rows, columns), to, width in [*squares, ((4, 4), (3, 7), 2), ((3, 5), (5, 3), 2), ((2, 6), (2, 4), 3)]:
    positions = torch.randn(1 + rows * columns, width)
    grid = positions[1:].reshape(1, rows, columns, width).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=to, mode="bicubic", align_corners=False)
    resized = torch.cat([positions[:1], grid.permute(0, 2, 3, 1).reshape(to[0] * to[1], width)])
    cases.append(
        {
            "from": [rows, columns],
            "to": to,
            "width": width,
            "rows": positions.flatten().tolist(),
            "resized": resized.flatten().tolist(),
        }
    )
print(json.dumps(cases))
