"""The learning rates by layer and the rates of stochastic depth of a ViT of timm, as JSON.

    python test/peers/interop/timm_training_twin.py DEPTH LAYER_DECAY DROP_PATH
"""

import json
import sys

import with_torchvision  # noqa: F401, before what imports torchvision
import timm
from timm.optim import param_groups_layer_decay

depth, decay, rate = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
model = timm.models.VisionTransformer(
    img_size=32, patch_size=16, embed_dim=12, depth=depth, num_heads=3, num_classes=3, drop_path_rate=rate
)
names = {id(parameter): name for name, parameter in model.named_parameters()}
scales = {
    names[id(parameter)]: group["lr_scale"]
    for group in param_groups_layer_decay(model, layer_decay=decay)
    for parameter in group["params"]
}
drop_path = [getattr(block.drop_path1, "drop_prob", 0.0) for block in model.blocks]
json.dump({"scales": scales, "dropPath": drop_path}, sys.stdout)
