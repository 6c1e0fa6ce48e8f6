"""A patch embedding as timm adapts it to other channels, as JSON.

    echo '{"shape": [2, 3, 2, 2], "weight": [...], "channels": [1, 4]}' | python test/peers/interop/timm_channels_twin.py
"""

import json
import sys

import with_torchvision  # noqa: F401, before what imports torchvision
import torch
from timm.models._manipulate import adapt_input_conv

given = json.load(sys.stdin)
weight = torch.tensor(given["weight"], dtype=torch.float32).reshape(given["shape"])
adapted = {n: adapt_input_conv(n, weight.clone()).flatten().tolist() for n in given["channels"]}
json.dump(adapted, sys.stdout)
