"""What transformers makes of the encoders and classifiers that we write.

    python test/peers/interop/families_out.py FOLDER

Each folder in FOLDER holds an export and expected.safetensors: images and what our model makes of them. Answers, by
folder: the largest difference, the tensors that were missing or surplus when it was loaded, and the tensors and keys of
config.json in which it differs from what save_pretrained writes of it.
"""

import json
import os
import sys
import tempfile

import with_torchvision  # noqa: F401, before what imports torchvision
import torch
import transformers as hf
from safetensors import safe_open
from safetensors.torch import load_file


def shapes(folder):
    with safe_open(f"{folder}/model.safetensors", "pt") as file:
        return {name: file.get_slice(name).get_shape() for name in file.keys()}


def config(folder):
    return {k: v for k, v in json.load(open(f"{folder}/config.json")).items() if k != "transformers_version"}


def differing(ours, theirs, before=""):
    """The keys in which two dictionaries differ."""
    names = []
    for key in sorted({*ours, *theirs}):
        a, b = ours.get(key, "absent"), theirs.get(key, "absent")
        if isinstance(a, dict) and isinstance(b, dict) and key.endswith("_config"):
            names += differing(a, b, f"{before}{key}.")
        elif a != b:
            names.append(f"{before}{key}: ours {a}, theirs {b}")
    return names


def outputs(model, images):
    out = model(images)
    if "logits" in out:
        return out.logits
    # The class token alone passes through the last LayerNorm there; here all do.
    clip = isinstance(model, hf.CLIPVisionModel)
    return model.post_layernorm(out.last_hidden_state) if clip else out.last_hidden_state


def check(folder):
    kind = getattr(hf, config(folder)["architectures"][0])
    more = {"add_pooling_layer": False} if kind is hf.ViTModel else {}
    model, info = kind.from_pretrained(folder, output_loading_info=True, **more)
    expected = load_file(f"{folder}/expected.safetensors")
    with torch.no_grad():
        worst = (outputs(model.eval(), expected["images"]) - expected["outputs"]).abs().max().item()
    with tempfile.TemporaryDirectory() as saved:
        model.save_pretrained(saved)
        keys, settings = differing(shapes(folder), shapes(saved)), differing(config(folder), config(saved))
    loaded = [f"{why} {name}" for why in ("missing_keys", "unexpected_keys", "mismatched_keys") for name in info[why]]
    return {"worst": worst, "keys": keys, "config": settings, "loaded": loaded}


root = sys.argv[1]
print(json.dumps({name: check(f"{root}/{name}") for name in sorted(os.listdir(root))}))
