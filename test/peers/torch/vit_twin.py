"""A ViTForImageClassification of transformers with random weights, saved, and what it says of random images.

    python test/peers/torch/vit_twin.py FOLDER

FOLDER gets config.json and model.safetensors by transformers, and expected.safetensors: images (NHWC) of the model's
size, larger and wider ones, the tokens of each (`interpolate_pos_encoding` but for the first), the logits of the first.
"""

import sys

import torch
from safetensors.torch import save_file
from transformers import ViTConfig, ViTForImageClassification

folder = sys.argv[1]
torch.manual_seed(1)
config = ViTConfig(
    hidden_size=48,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=96,
    layer_norm_eps=1e-6,
    image_size=32,
    patch_size=8,
    num_labels=5,
)
model = ViTForImageClassification(config).eval()
with torch.no_grad():
    for parameter in model.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.1)
model.save_pretrained(folder)

out = {}
with torch.no_grad():
    for name, height, width in (("own", 32, 32), ("larger", 56, 56), ("wide", 24, 64)):
        images = torch.randn(2, 3, height, width)
        out[f"images/{name}"] = images.permute(0, 2, 3, 1)
        out[f"tokens/{name}"] = model.vit(images, interpolate_pos_encoding=name != "own").last_hidden_state
        if name == "own":
            out["logits"] = model(images).logits
save_file({name: tensor.contiguous() for name, tensor in out.items()}, f"{folder}/expected.safetensors")
print("{}")
