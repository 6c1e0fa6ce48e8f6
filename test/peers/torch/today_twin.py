"""Checkpoints of today's transformers, and adapters of ours in today's PEFT.

    python test/peers/torch/today_twin.py ADAPTERS FOLDER

FOLDER gets a folder a model, saved by transformers with random weights, and expected.safetensors in it: images (NHWC)
and, for those that are plain ViTs, their tokens. ADAPTERS is a folder with `base`, a backbone that saveBackbone wrote,
and adapters of savePeft beside it; each is loaded on the base, and <adapter>.safetensors gets the tokens.
"""

import json
import sys
from pathlib import Path

import torch
import transformers as hf
from peft import PeftModel
from safetensors.torch import load_file, save_file
from torch import nn

adapters, folder = map(Path, sys.argv[1:])
shape = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=4, intermediate_size=32, image_size=16, patch_size=8)
images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(3))
order = torch.arange(4.0).repeat(2, 1)
plain = lambda model: model(images).last_hidden_state

MODELS = {
    "vit": (hf.ViTModel, hf.ViTConfig(**shape), plain),
    "vit without biases": (hf.ViTModel, hf.ViTConfig(**shape, qkv_bias=False), plain),
    "vit of two numbers": (hf.ViTModel, hf.ViTConfig(**{**shape, "image_size": [16, 16]}), plain),
    "vit that unmasks": (
        hf.ViTForMaskedImageModeling,
        hf.ViTConfig(**shape, encoder_stride=8),
        lambda model: model.vit(images).last_hidden_state,
    ),
    "mae": (hf.ViTMAEModel, hf.ViTMAEConfig(**shape, mask_ratio=0.0), lambda model: model(images, noise=order).last_hidden_state),
    "msn": (hf.ViTMSNModel, hf.ViTMSNConfig(**shape), plain),
    "vit with tanh": (hf.ViTModel, hf.ViTConfig(**shape, hidden_act="gelu_new"), plain),
    "deit": (hf.DeiTModel, hf.DeiTConfig(**shape), plain),
    "dinov2": (hf.Dinov2Model, hf.Dinov2Config(**shape), plain),
    "dinov2 with registers": (hf.Dinov2WithRegistersModel, hf.Dinov2WithRegistersConfig(**shape), plain),
    "beit": (hf.BeitModel, hf.BeitConfig(**shape), None),
    "clip": (
        hf.CLIPVisionModel,
        hf.CLIPVisionConfig(**shape),
        lambda model: model.post_layernorm(plain(model)),
    ),
    "ijepa": (hf.IJepaModel, hf.IJepaConfig(**shape), plain),
    "swin": (hf.SwinModel, hf.SwinConfig(image_size=16, patch_size=4, embed_dim=8, depths=[1], num_heads=[1], window_size=2), None),
}


def save(tensors, path):
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)


def nhwc():
    return images.permute(0, 2, 3, 1)


for name, (kind, config, tokens) in MODELS.items():
    torch.manual_seed(1)
    model = kind(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
        expected = {"images": nhwc()} if tokens is None else {"images": nhwc(), "tokens": tokens(model)}
    model.save_pretrained(folder / name, **({"max_shard_size": "20KB"} if name == "vit" else {}))
    save(expected, folder / name / "expected.safetensors")


class Head(nn.Module):
    def __init__(self, hidden, classes):
        super().__init__()
        self.conv = nn.Conv2d(hidden, hidden // 2, 3, padding=1)
        self.norm = nn.BatchNorm2d(hidden // 2)
        self.classify = nn.Conv2d(hidden // 2, classes, 1)


class Holder(nn.Module):
    """What a Python user writes: some model with a ViT, and a head where ours is saved as a module."""

    def __init__(self, vit, head):
        super().__init__()
        self.vit = vit
        if head:
            self.head = Head(vit.config.hidden_size, 3)

    def forward(self, images):
        return self.vit(images).last_hidden_state


for path in (path for path in sorted(adapters.iterdir()) if (path / "adapter_config.json").exists()):
    vit = hf.ViTModel.from_pretrained(adapters / "base", add_pooling_layer=False)
    as_module = not (path / "head.safetensors").exists()
    model = PeftModel.from_pretrained(Holder(vit, as_module), path).eval()
    if as_module:
        stored = load_file(path / "adapter_model.safetensors")["base_model.model.head.norm.running_mean"]
        held = [value for key, value in model.state_dict().items() if key.endswith("default.norm.running_mean")]
        assert len(held) == 1 and torch.equal(held[0], stored)
    with torch.no_grad():
        save({"images": nhwc(), "tokens": model(images)}, f"{path}.safetensors")
print(json.dumps(list(MODELS)))
