"""Makes golden/timm: a tiny ViT that timm saved for the hub, and its tokens of a random image.

    python test/model/vit/golden/make_timm.py        # timm 1.0.31, torch 2.13

Heads of 4, no biases of query, key and value, and no position of the class token: what the tensors do not tell, and
what the plain form does not have.
"""

from pathlib import Path

import timm
import torch
from safetensors.torch import save_file
from timm.models._hub import save_for_hf

folder = Path(__file__).parent / "timm"
torch.manual_seed(1)
args = dict(img_size=8, patch_size=4, embed_dim=8, depth=1, num_heads=2, num_classes=2, qkv_bias=False, no_embed_class=True)
model = timm.create_model("vit_tiny_patch16_224", **args).eval()
with torch.no_grad():
    for parameter in model.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.3)
    images = torch.randn(1, 3, 8, 8)
    tokens = model.forward_features(images)
save_for_hf(model, folder, model_args=args, safe_serialization=True)
save_file({"images": images.permute(0, 2, 3, 1).contiguous(), "tokens": tokens}, folder / "expected.safetensors")
