"""Tiny models of several families with random weights, saved, and what they say of random images.

    python test/peers/interop/families_twin.py FOLDER

Each family gets a folder with its weights and config.json, and expected.safetensors: images (NHWC) and tokens, the
class token, what is between, and the patches.
"""

import argparse
import json
import os
import shutil
import sys
from collections import OrderedDict

import with_torchvision  # noqa: F401, before what imports torchvision
import timm
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

folder = sys.argv[1]
SHAPE = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, image_size=28, patch_size=7)
INNER = dict(intermediate_size=64)
ACTIVATIONS = ["gelu_new", "gelu_fast", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu"]


def shaken(model):
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval()


def expected(name, tokens):
    images = torch.randn(2, 3, 28, 28)
    with torch.no_grad():
        out = {"images": images.permute(0, 2, 3, 1).contiguous(), "tokens": tokens(images).contiguous()}
    save_file(out, f"{folder}/{name}/expected.safetensors")


def transformers(name, config, kind):
    model = shaken(kind(config))
    model.save_pretrained(f"{folder}/{name}")
    expected(name, lambda images: model(images).last_hidden_state)


transformers("dinov2", hf.Dinov2Config(**SHAPE, mlp_ratio=3, layerscale_value=0.5), hf.Dinov2Model)
registers = hf.Dinov2WithRegistersConfig(**SHAPE, mlp_ratio=2, num_register_tokens=3)
transformers("dinov2-registers", registers, hf.Dinov2WithRegistersModel)
transformers("deit-distilled", hf.DeiTConfig(**SHAPE, **INNER), hf.DeiTModel)
transformers("vit-unbiased", hf.ViTConfig(**SHAPE, **INNER, qkv_bias=False), hf.ViTModel)
transformers("vit-msn", hf.ViTMSNConfig(**SHAPE, **INNER), hf.ViTMSNModel)
for act in ACTIVATIONS:
    transformers(f"vit-{act}", hf.ViTConfig(**SHAPE, **INNER, hidden_act=act), hf.ViTModel)


def timms(name, architecture, **args):
    args = dict(img_size=28, patch_size=7, embed_dim=32, depth=2, num_heads=4, num_classes=3, **args)
    model = shaken(timm.create_model(architecture, **args))
    os.makedirs(f"{folder}/{name}")
    save_file(model.state_dict(), f"{folder}/{name}/model.safetensors")
    with open(f"{folder}/{name}/config.json", "w") as file:
        json.dump({"architecture": architecture, "model_args": args}, file)
    expected(name, model.forward_features)


timms("timm-registers", "vit_small_patch14_reg4_dinov2")
timms("timm-layer-scale", "vit_small_patch14_dinov2")
timms("timm-distilled", "deit_tiny_distilled_patch16_224")

def pickled(name, source, file, contents):
    os.makedirs(f"{folder}/{name}")
    for other in ("config.json", "expected.safetensors"):
        shutil.copy(f"{folder}/{source}/{other}", f"{folder}/{name}")
    torch.save(contents(load_file(f"{folder}/{source}/model.safetensors")), f"{folder}/{name}/{file}")


pickled("pickled-state", "dinov2", "pytorch_model.bin", lambda state: OrderedDict(state))
pickled(
    "pickled-training",
    "timm-registers",
    "model.pth",
    lambda state: {
        "epoch": 3,
        "args": argparse.Namespace(lr=0.1),
        "teacher": {f"module.backbone.{name}": torch.nn.Parameter(tensor) for name, tensor in state.items()},
    },
)
print(json.dumps(sorted(os.listdir(folder))))
