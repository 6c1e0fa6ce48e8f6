"""Trains a run of train-classifier again in PyTorch, beside its figures: the same pictures in the same splits, settings and
adapter mathematics on transformers' ViTForImageClassification, with initial weights and an order of its own.

    python bench/peers/torch_classify.py models/classifier_lora_42_1

Prints a line of JSON with the accuracy of both on the test split, each of its best epoch by validation accuracy, and the
twin's on all pictures that neither trained nor validated. The pictures are those of the run's list or folder; --schedule
constant alone is known. Needs torch, transformers, numpy and Pillow.
"""
import csv
import json
import math
import os
import sys

import numpy
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from transformers import ViTForImageClassification

MEAN, STD = (numpy.float32(x) for x in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))


class Lora(nn.Module):
    """y = Wx + b + (alpha / r) B(Ax): A uniform in 1/sqrt(inputs), B zero (Hu et al. 2021)."""

    def __init__(self, base, rank, alpha, **_):
        super().__init__()
        bound = 1 / math.sqrt(base.in_features)
        self.base, self.scale = base, alpha / rank
        self.down = nn.Parameter(torch.empty(rank, base.in_features).uniform_(-bound, bound))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x):
        return self.base(x) + self.scale * F.linear(F.linear(x, self.down), self.up)


class Localized(nn.Module):
    """K x K blocks, each with a low-rank change of its own: y_i += (alpha / r) sum over j of B_ij A_ij x_j."""

    def __init__(self, base, blocks, blockRank, alpha, **_):
        super().__init__()
        width, height = base.in_features // blocks, base.out_features // blocks
        bound = 1 / math.sqrt(width)
        self.base, self.scale, self.blocks = base, alpha / blockRank, blocks
        self.down = nn.Parameter(torch.empty(blocks, blocks, blockRank, width).uniform_(-bound, bound))
        self.up = nn.Parameter(torch.zeros(blocks, blocks, height, blockRank))

    def forward(self, x):
        parts = x.unflatten(-1, (self.blocks, -1))
        low = torch.einsum("btjw,ijrw->btijr", parts, self.down)
        change = torch.einsum("btijr,ijhr->btih", low, self.up).flatten(-2)
        return self.base(x) + self.scale * change


ADAPTERS = {"lora": Lora, "localized_lora": Localized}
# As transformers 4 and 5 name them.
SPELLINGS = {"query": ["query", "q_proj"], "key": ["key", "k_proj"], "value": ["value", "v_proj"]}


def last_checkpoint(run):
    return os.path.join(run, sorted(name for name in os.listdir(run) if name.startswith("step-"))[-1])


def labels_of(config):
    """The class of each stem, as the run's list or folder has it."""
    if config.get("labels"):
        with open(config["labels"], encoding="utf8") as file:
            rows = [row for row in csv.reader(file) if row and row != ["file", "label"]]
        folder = os.path.dirname(os.path.abspath(config["labels"]))
        return {os.path.splitext(path)[0]: (os.path.join(folder, path), name) for path, name in rows}
    root = config["imageDir"]
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names]
    stems = {os.path.splitext(os.path.relpath(path, root))[0]: path for path in paths}
    return {stem: (path, stem.split("/")[0]) for stem, path in stems.items()}


def picture(path, size):
    image = Image.open(path).convert("RGB").resize((size, size), Image.BILINEAR)
    return ((numpy.asarray(image, numpy.float32) / 255 - MEAN) / STD).transpose(2, 0, 1)


def load(stems, labels, classes, size):
    images = numpy.stack([picture(labels[stem][0], size) for stem in stems])
    targets = [classes.index(labels[stem][1]) for stem in stems]
    return torch.from_numpy(images), torch.tensor(targets)


def model_of(config, classes):
    record = config["model"]
    model = ViTForImageClassification.from_pretrained(
        record["modelName"], num_labels=classes, ignore_mismatched_sizes=True, attn_implementation="sdpa"
    )
    model.classifier.reset_parameters()
    model.requires_grad_(False)
    adapter, wraps = record["adapter"]["settings"], ADAPTERS[record["adapter"]["name"]]
    for layer in list(model.vit.modules()):
        for name in (spelling for target in adapter["targets"] for spelling in SPELLINGS[target]):
            base = getattr(layer, name, None)
            if isinstance(base, nn.Linear):
                setattr(layer, name, wraps(base, **adapter))
    model.classifier.requires_grad_(True)
    return model


@torch.no_grad()
def right(model, images, targets):
    """Whether each picture is predicted right."""
    model.eval()
    guesses = [model(pixel_values=part).logits.argmax(-1) for part in images.split(32)]
    return (torch.cat(guesses) == targets).double()


def main():
    run = sys.argv[1]
    checkpoint = last_checkpoint(run)
    with open(os.path.join(checkpoint, "checkpoint.json"), encoding="utf8") as file:
        config = json.load(file)["config"]
    with open(os.path.join(checkpoint, "splits.json"), encoding="utf8") as file:
        splits = json.load(file)
    assert config["schedule"] == "constant" and config["optimizer"] == "adamw" and not config["augment"]
    torch.manual_seed(config["randomSeed"])
    classes, size, batch = config["classNames"], config["model"]["imageSize"], config["batchSize"]
    labels = labels_of(config)
    unseen = splits["test"] + splits["unused"]
    sides = {"train": splits["train"], "validation": splits["validation"], "test": unseen}
    data = {side: load(stems, labels, classes, size) for side, stems in sides.items()}
    inTest = len(splits["test"])
    model = model_of(config, len(classes))
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=config["lr"], weight_decay=config["weightDecay"])
    images, targets = data["train"]
    best, tested, losses = -1.0, None, []
    for _ in range(config["epochs"]):
        model.train()
        total = 0.0
        for part in torch.randperm(len(targets)).split(batch):
            logits = model(pixel_values=images[part]).logits
            loss = F.cross_entropy(logits, targets[part], label_smoothing=config["labelSmoothing"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(part)
        losses.append(round(total / len(targets), 4))
        score = right(model, *data["validation"]).mean().item()
        if score > best:
            best, tested = score, right(model, *data["test"])
    with open(os.path.join(run.replace("models", "logs"), "summary.json"), encoding="utf8") as file:
        ours = json.load(file)
    print(json.dumps({
        "run": os.path.basename(run),
        "parameters": sum(parameter.numel() for parameter in trainable),
        "our parameters": ours["adapterParameters"] + ours["headParameters"],
        "losses": losses,
        "test": inTest,
        "torch": tested[:inTest].mean().item(),
        "unseen": len(unseen),
        "torch, all unseen": tested.mean().item(),
        "ours": ours["test"]["accuracy"],
    }), flush=True)


main()
