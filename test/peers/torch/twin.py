"""The segmenter of src/model/vit and the adapters of src/adapters, again, in PyTorch: written from the papers' formulas.

Reads a JSON list of cases from standard input. Each names a folder with parameters.safetensors (this project's names
and layouts: linear maps are [in, out]) and batch.safetensors (images NHWC, masks); what torch makes of them goes to
twin.safetensors there: logits, loss, gradients, and the parameters after ten optimiser steps.
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

IGNORE = 255


def project(case, p, layer, target, x):
    weight, bias = p[f"layers.{layer}.{target}.weight"], p[f"layers.{layer}.{target}.bias"]
    adapter = case["adapter"]
    if adapter is None or target not in adapter["targets"] or layer not in adapter["layers"]:
        return x @ weight + bias
    own = {}
    for scope in (f"layers.{layer}.", f"layers.{layer}.{target}."):
        own |= {n.removeprefix(scope): t for n, t in p.items() if n.startswith(scope)}
    s = adapter["settings"]
    return ADAPTERS[adapter["name"]](s, own, x, weight, bias)


def lora(s, own, x, weight, bias):
    scale = s["alpha"] / (s["rank"] ** 0.5 if s["rsLora"] else s["rank"])
    return x @ weight + bias + scale * ((x @ own["lora_A"]) @ own["lora_B"])


def dora(s, own, x, weight, bias):
    scale = s["alpha"] / (s["rank"] ** 0.5 if s["rsLora"] else s["rank"])
    moved = weight + scale * (own["lora_A"] @ own["lora_B"])
    norm = moved.norm(dim=0).detach()
    return x @ (moved * (own["lora_magnitude"] / norm)) + bias


def serial(s, own, x, weight, bias):
    before = x + s["alpha"] / s["rank"] * ((x @ own["serial_A"]) @ own["serial_B"])
    return before @ weight + bias


def localized(s, own, x, weight, bias):
    k, r = s["blocks"], s["blockRank"]
    change = []
    for i in range(k):  # output chunk
        total = 0
        for j, part in enumerate(x.chunk(k, -1)):  # input chunk
            a = own["localized_A"][j][:, i * r : (i + 1) * r]
            b = own["localized_B"][i][j * r : (j + 1) * r]
            total = total + part @ a @ b
        change.append(total)
    return x @ weight + bias + s["alpha"] / r * torch.cat(change, -1)


ADAPTERS = {"lora": lora, "dora": dora, "serial_lora": serial, "localized_lora": localized}


def tokens(case, p, images):
    c = case["config"]
    d, patch, eps = c["hidden_size"], c["patch_size"], c["layer_norm_eps"]
    kernel = p["patch.weight"].reshape(patch, patch, 3, d).permute(3, 2, 0, 1)
    x = F.conv2d(images.permute(0, 3, 1, 2), kernel, p["patch.bias"], stride=patch).flatten(2).transpose(1, 2)
    x = torch.cat([p["cls"].expand(len(x), -1, -1), x], 1) + p["positions"]

    def norm(name, x):
        return F.layer_norm(x, (d,), p[f"{name}.weight"], p[f"{name}.bias"], eps)

    def heads(x):
        return x.unflatten(-1, (c["num_attention_heads"], -1)).transpose(1, 2)

    for layer in range(c["num_hidden_layers"]):
        h = norm(f"layers.{layer}.norm1", x)
        q, k, v = (heads(project(case, p, layer, t, h)) for t in ("query", "key", "value"))
        weights = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1)
        mixed = (weights @ v).transpose(1, 2).flatten(2)
        x = x + project(case, p, layer, "output", mixed)
        h = norm(f"layers.{layer}.norm2", x)
        x = x + project(case, p, layer, "fc2", F.gelu(project(case, p, layer, "fc1", h)))
    return norm("norm", x)


def forward(case, p, images):
    c = case["config"]
    d, patch = c["hidden_size"], c["patch_size"]
    x = tokens(case, p, images)[:, 1:]
    side = int(x.shape[1] ** 0.5)
    x = x.transpose(1, 2).unflatten(2, (side, side))
    kernel = p["head.conv.weight"].reshape(3, 3, d, -1).permute(3, 2, 0, 1)
    x = F.conv2d(x, kernel, p["head.conv.bias"], padding=1)
    if "head.norm.weight" in p:
        running = p["head.norm.mean"], p["head.norm.variance"]
        x = F.batch_norm(x, *running, p["head.norm.weight"], p["head.norm.bias"], training=case["training"])
    x = F.conv2d(F.relu(x), p["head.classify.weight"].t()[:, :, None, None], p["head.classify.bias"])
    x = F.interpolate(x, scale_factor=patch, mode="bilinear", align_corners=False)
    return x.permute(0, 2, 3, 1)


def log_cosh_dice(logits, masks):
    keep = masks.reshape(-1) != IGNORE
    x, t = logits.flatten(0, 2)[keep], masks.reshape(-1)[keep]
    p, t = x.softmax(-1), F.one_hot(t, x.shape[-1]).float()
    inter, both, n = (p * t).sum(0), (p + t).sum(0), t.sum(0)
    dice = (2 * inter + 1e-6) / (both + 1e-6)
    weight = torch.where(n > 0, 1 / (n + 1e-6), torch.zeros_like(n))
    return torch.log(torch.cosh(1 - (weight / weight.sum() * dice).sum()))


OPTIMIZERS = {"adamW": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}


def run(case):
    folder = Path(case["folder"])
    p = load_file(folder / "parameters.safetensors")
    batch = load_file(folder / "batch.safetensors")
    images, masks = batch["images"], batch["masks"].long()
    leaves = {name: p[name].requires_grad_() for name in case["trainable"]}
    out = {}

    with torch.no_grad():
        out["logits"] = forward(case | {"training": False}, p, images)
    for step in range(case["steps"]):
        if step == 0:
            optimizer = OPTIMIZERS[case["optimizer"]](leaves.values(), **case["options"])
        optimizer.zero_grad()
        loss = log_cosh_dice(forward(case | {"training": True}, p, images), masks)
        loss.backward()
        if step == 0:
            out |= {"loss": loss.detach()} | {f"gradient/{n}": t.grad.clone() for n, t in leaves.items()}
        if case["clip"]:
            torch.nn.utils.clip_grad_norm_(leaves.values(), case["clip"])
        optimizer.step()
    out |= {f"after/{n}": p[n].detach() for n in p if n in leaves or n in case["buffers"]}
    save_file({n: t.contiguous() for n, t in out.items()}, folder / "twin.safetensors")


cases = json.load(sys.stdin)
for case in cases:
    run(case)
print(json.dumps(len(cases)))
