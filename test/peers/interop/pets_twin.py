"""Hard mIoU of a run's exports on pictures and masks, each by the program that the export is for.

    python test/peers/interop/pets_twin.py EXPORTS BASE < pairs.json

EXPORTS holds the folders hf, adapter and onnx of one segmenter with the head `study`; BASE is the model that the adapter is for.
Answers the three figures by name.
"""

import json
import sys

import with_torchvision  # noqa: F401, before what imports torchvision
import numpy as np
import onnx
import onnxruntime
import torch
from peft import PeftModel
from PIL import Image
from safetensors.torch import load_file
from transformers import ViTModel

exports, base = sys.argv[1:]
model = f"{exports}/onnx/onnx/model.onnx"
texts = {entry.key: json.loads(entry.value) for entry in onnx.load(model).metadata_props}
session = onnxruntime.InferenceSession(model)
_, _, HEIGHT, WIDTH = session.get_inputs()[0].shape


def head(folder):
    weights = load_file(f"{folder}/head.safetensors")
    classes, middle, _, _ = weights["classify.weight"].shape
    layers = torch.nn.Sequential()
    layers.add_module("conv", torch.nn.Conv2d(weights["conv.weight"].shape[1], middle, 3, padding=1))
    layers.add_module("relu", torch.nn.ReLU())
    layers.add_module("classify", torch.nn.Conv2d(middle, classes, 1))
    layers.load_state_dict(weights)
    return layers.eval()


def segmenter(vit, folder, patch=16):
    layers = head(folder)

    @torch.no_grad()
    def logits(pixels):
        tokens = vit(torch.from_numpy(pixels)).last_hidden_state[:, 1:]
        grid = tokens.transpose(1, 2).unflatten(2, (HEIGHT // patch, WIDTH // patch))
        return torch.nn.functional.interpolate(layers(grid), scale_factor=patch, mode="bilinear").numpy()

    return logits


def vit(folder):
    return ViTModel.from_pretrained(folder, add_pooling_layer=False).eval()


ways = {
    "hf": segmenter(vit(f"{exports}/hf"), f"{exports}/hf"),
    "adapter": segmenter(PeftModel.from_pretrained(vit(base), f"{exports}/adapter").eval(), f"{exports}/adapter"),
    "onnx": lambda pixels: session.run(None, {"pixel_values": pixels})[0],
}
ids = texts["mask_ids"]
counts = {name: np.zeros((len(ids), len(ids))) for name in ways}
for image, mask in json.load(sys.stdin):
    pixels = np.asarray(Image.open(image).convert("RGB").resize((WIDTH, HEIGHT), Image.BILINEAR), np.float32)
    pixels = (pixels / 255 - texts["image_mean"]) / texts["image_std"]
    stored = np.asarray(Image.open(mask).resize((WIDTH, HEIGHT), Image.NEAREST))
    for name, logits in ways.items():
        guess = logits(pixels.transpose(2, 0, 1)[None].astype(np.float32))[0].argmax(0)
        for k, stored_id in enumerate(ids):
            counts[name][k] += np.bincount(guess[stored == stored_id], minlength=len(ids))


def miou(table):
    inside = np.diag(table)
    return float(np.mean(inside / (table.sum(0) + table.sum(1) - inside)))


print(json.dumps({name: miou(table) for name, table in counts.items()}))
