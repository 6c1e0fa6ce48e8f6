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


def transformers(name, config, kind, tokens=lambda model, images: model(images).last_hidden_state):
    model = shaken(kind(config))
    model.save_pretrained(f"{folder}/{name}")
    expected(name, lambda images: tokens(model, images))


transformers("dinov2", hf.Dinov2Config(**SHAPE, mlp_ratio=3, layerscale_value=0.5), hf.Dinov2Model)
registers = hf.Dinov2WithRegistersConfig(**SHAPE, mlp_ratio=2, num_register_tokens=3)
transformers("dinov2-registers", registers, hf.Dinov2WithRegistersModel)
transformers("deit-distilled", hf.DeiTConfig(**SHAPE, **INNER), hf.DeiTModel)
transformers("vit-unbiased", hf.ViTConfig(**SHAPE, **INNER, qkv_bias=False), hf.ViTModel)
transformers("vit-msn", hf.ViTMSNConfig(**SHAPE, **INNER), hf.ViTMSNModel)
for act in ACTIVATIONS:
    transformers(f"vit-{act}", hf.ViTConfig(**SHAPE, **INNER, hidden_act=act), hf.ViTModel)


giant = hf.Dinov2Config(**SHAPE, mlp_ratio=3, layerscale_value=0.5, use_swiglu_ffn=True)
transformers("dinov2-gated", giant, hf.Dinov2Model)
three = dict(**SHAPE, **INNER, num_register_tokens=3, layerscale_value=0.5)
transformers("dinov3", hf.DINOv3ViTConfig(**three), hf.DINOv3ViTModel)
gated = hf.DINOv3ViTConfig(**three, use_gated_mlp=True, hidden_act="silu", mlp_bias=False, value_bias=False)
transformers("dinov3-gated", gated, hf.DINOv3ViTModel)
transformers("ijepa", hf.IJepaConfig(**SHAPE, **INNER), hf.IJepaModel)
transformers("siglip", hf.SiglipVisionConfig(**SHAPE, **INNER), hf.SiglipVisionModel)
# The class token alone passes through the last LayerNorm there; here all do, as in timm.
normed = lambda model, images: model.post_layernorm(model(images).last_hidden_state)
transformers("clip", hf.CLIPVisionConfig(**SHAPE, **INNER), hf.CLIPVisionModel, normed)


def both(name, kind, config, text, tokens):
    """A model of text and pictures, whose config states little of its encoder."""
    model = shaken(kind(config(vision_config={**SHAPE, **INNER}, text_config={**text, **INNER})))
    model.save_pretrained(f"{folder}/{name}")
    expected(name, lambda images: tokens(model.vision_model, images))


TEXT = dict(hidden_size=32, num_hidden_layers=1, num_attention_heads=4, vocab_size=64)
both("clip-full", hf.CLIPModel, hf.CLIPConfig, TEXT, normed)
both("siglip-full", hf.SiglipModel, hf.SiglipConfig, TEXT, lambda model, images: model(images).last_hidden_state)


def mae(name, kind, encoder):
    """Its random shuffle of patches is told to leave them in their order."""
    model = shaken(kind(hf.ViTMAEConfig(**SHAPE, **INNER, mask_ratio=0.0, decoder_hidden_size=32, decoder_num_hidden_layers=1, decoder_intermediate_size=64, decoder_num_attention_heads=4)))
    model.save_pretrained(f"{folder}/{name}")
    order = torch.arange(16.0).repeat(2, 1)
    expected(name, lambda images: encoder(model)(images, noise=order).last_hidden_state)


mae("vit-mae", hf.ViTMAEModel, lambda model: model)
mae("vit-mae-full", hf.ViTMAEForPreTraining, lambda model: model.vit)


def timms(name, architecture, **args):
    args = {**dict(img_size=28, patch_size=7, embed_dim=32, depth=2, num_heads=4, num_classes=3), **args}
    model = shaken(timm.create_model(architecture, **args))
    os.makedirs(f"{folder}/{name}")
    save_file(model.state_dict(), f"{folder}/{name}/model.safetensors")
    with open(f"{folder}/{name}/config.json", "w") as file:
        json.dump({"architecture": architecture, "model_args": args}, file)
    expected(name, model.forward_features)


timms("timm-registers", "vit_small_patch14_reg4_dinov2")
timms("timm-layer-scale", "vit_small_patch14_dinov2")
timms("timm-distilled", "deit_tiny_distilled_patch16_224")
timms("timm-clip", "vit_base_patch16_clip_224")
timms("timm-quick-clip", "vit_large_patch14_clip_quickgelu_224")
timms("timm-siglip", "vit_base_patch16_siglip_224")
timms("timm-tanh-siglip", "vit_so400m_patch16_siglip_gap_256")
timms("timm-gated", "vit_giant_patch14_dinov2")
timms("timm-gated-registers", "vit_giant_patch14_reg4_dinov2")
timms("timm-dinov3", "vit_small_patch16_dinov3")
timms("timm-dinov3-biased", "vit_base_patch16_dinov3_qkvb")
timms("timm-dinov3-gated", "vit_small_plus_patch16_dinov3")

def pickled(name, source, file, contents):
    os.makedirs(f"{folder}/{name}")
    for other in ("config.json", "expected.safetensors"):
        shutil.copy(f"{folder}/{source}/{other}", f"{folder}/{name}")
    torch.save(contents(load_file(f"{folder}/{source}/model.safetensors")), f"{folder}/{name}/{file}")


pickled("pickled-state", "dinov2", "pytorch_model.bin", lambda state: OrderedDict(state))
def pickled_shards(name, source):
    os.makedirs(f"{folder}/{name}")
    for other in ("config.json", "expected.safetensors"):
        shutil.copy(f"{folder}/{source}/{other}", f"{folder}/{name}")
    places = {}
    for i, (key, tensor) in enumerate(load_file(f"{folder}/{source}/model.safetensors").items()):
        places.setdefault(f"pytorch_model-{i % 3 + 1:05}-of-00003.bin", {})[key] = tensor
    for file, tensors in places.items():
        torch.save(tensors, f"{folder}/{name}/{file}")
    index = {"metadata": {}, "weight_map": {key: file for file, tensors in places.items() for key in tensors}}
    json.dump(index, open(f"{folder}/{name}/pytorch_model.bin.index.json", "w"))


pickled_shards("pickled-shards", "vit-msn")
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
