"""Exports of ours, opened by the programs that they are for.

    python test/peers/interop/export_twin.py onnx FILE EXPECTED      largest difference of logits, by onnxruntime
    python test/peers/interop/export_twin.py all FOLDER              the same of each model in a folder, by name
    python test/peers/interop/export_twin.py miou FILE < pairs.json  hard mIoU of a segmenter, from the files' own pixels
    python test/peers/interop/export_twin.py adapter README          lengths of what PEFT loads by the card's Python
    python test/peers/interop/export_twin.py card README PICTURE     runs the card's Python beside the export

EXPECTED is a safetensors file of `images` [n, 3, h, w] and `logits`.
"""

import json
import os
import re
import sys

import numpy as np
import onnx
import onnxruntime
from PIL import Image
from safetensors.numpy import load_file

import with_torchvision  # noqa: F401, before what imports torchvision


def session(path):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return onnxruntime.InferenceSession(path)


def worst(path, expected):
    tensors = load_file(expected)
    model = session(path)
    most = 0.0
    for count in (1, len(tensors["images"])):
        (logits,) = model.run(None, {"pixel_values": tensors["images"][:count]})
        most = max(most, float(np.abs(logits - tensors["logits"][:count]).max()))
    return most


def compare(path, expected):
    print(json.dumps(worst(path, expected)))


def compare_all(folder):
    """By the names of the models in a folder, each with expected.safetensors beside it."""
    print(json.dumps({name: worst(f"{folder}/{name}/model.onnx", f"{folder}/{name}/expected.safetensors") for name in os.listdir(folder)}))


def miou(path):
    model = session(path)
    texts = {entry.key: json.loads(entry.value) for entry in onnx.load(path).metadata_props}
    _, _, height, width = model.get_inputs()[0].shape
    ids = texts["mask_ids"]
    counts = np.zeros((len(ids), len(ids)))
    for image, mask in json.load(sys.stdin):
        pixels = np.asarray(Image.open(image).convert("RGB").resize((width, height), Image.BILINEAR), np.float32)
        pixels = (pixels / 255 - texts["image_mean"]) / texts["image_std"]
        inputs = pixels.transpose(2, 0, 1)[None].astype(np.float32)
        guess = model.run(None, {"pixel_values": inputs})[0][0].argmax(0)
        stored = np.asarray(Image.open(mask).resize((width, height), Image.NEAREST))
        for k, stored_id in enumerate(ids):
            counts[k] += np.bincount(guess[stored == stored_id], minlength=len(ids))
    inside = np.diag(counts)
    print(json.dumps(float(np.mean(inside / (counts.sum(0) + counts.sum(1) - inside)))))


def adapter(readme):
    """The lengths of the adapter's matrices B, which are zero where PEFT did not load them."""
    (code,) = re.findall(r"```python\n(.*?)```", open(readme).read(), re.S)
    os.chdir(os.path.dirname(readme))
    scope = {}
    exec(code, scope)
    named = scope["vit"].named_parameters()
    print("\n" + json.dumps({name: tensor.norm().item() for name, tensor in named if re.search("_B[.]", name)}))


def card(readme, picture):
    (code,) = re.findall(r"```python\n(.*?)```", open(readme).read(), re.S)
    os.chdir(os.path.dirname(readme))
    scope = {}
    exec(code.replace("picture.jpg", picture), scope)
    logits = scope["logits"]
    logits = logits if isinstance(logits, np.ndarray) else logits.detach().numpy()
    print("\n" + json.dumps({"shape": logits.shape, "classes": logits.argmax(1).flatten().tolist()}))


if __name__ == "__main__":
    {"onnx": compare, "all": compare_all, "miou": miou, "card": card, "adapter": adapter}[sys.argv[1]](*sys.argv[2:])
