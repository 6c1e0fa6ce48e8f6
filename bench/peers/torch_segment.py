"""Trains a run with `--head detail`, of LoRA or of all weights, again in PyTorch, beside its figures: the same pictures in the
same splits, settings and mathematics, with initial weights and an order of its own.

    python bench/peers/torch_segment.py models/full_42_1 [--resolution 224] [--flip] [--weights FOLDER]

Prints a line of JSON with mIoU and the Dice of each class on the test split (or --split), of the best epoch by validation mIoU (at the
model's size, of the averaged weights). With --resolution it scores as `inference --resolution` does, with --flip as with
--tta-flip. --weights scores an export (`--format hf`) of the run and trains nothing. Cosine schedule, AdamW, dice+cross-entropy
and the augmentations flip and light are known. Needs torch, numpy, Pillow and safetensors.
"""
import argparse
import copy
import json
import math
import os
import sys

import numpy
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from torch import nn

COARSE, FINE, STRIDE, CLASSES, IGNORED = 128, 64, 4, 3, 255
LUMA = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
MEAN, STD = (torch.tensor(x).view(1, 3, 1, 1) for x in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))


class DropPath(nn.Module):
    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if not self.training or self.rate == 0:
            return x
        kept = torch.rand(len(x), 1, 1) >= self.rate
        return x * kept / (1 - self.rate)


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


class Block(nn.Module):
    """A block of a ViT, by the names of transformers."""

    def __init__(self, width, heads, middle, eps, rate):
        super().__init__()
        self.heads = heads
        self.layernorm_before, self.layernorm_after = (nn.LayerNorm(width, eps=eps) for _ in range(2))
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.fc1, self.fc2 = nn.Linear(width, middle), nn.Linear(middle, width)
        self.drop = DropPath(rate)

    def forward(self, x):
        y = self.layernorm_before(x)
        parts = (map_(y).unflatten(-1, (self.heads, -1)).transpose(1, 2) for map_ in (self.query, self.key, self.value))
        y = F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2)
        x = x + self.drop(self.output(y))
        return x + self.drop(self.fc2(F.gelu(self.fc1(self.layernorm_after(x)))))


MAPS = {
    "attention.attention.query": "query", "attention.attention.key": "key", "attention.attention.value": "value",
    "attention.output.dense": "output", "intermediate.dense": "fc1", "output.dense": "fc2",
    "layernorm_before": "layernorm_before", "layernorm_after": "layernorm_after",
}


class Norm(nn.LayerNorm):
    """LayerNorm over the channels of each place."""

    def __init__(self, channels):
        super().__init__(channels, eps=1e-6)

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm, self.conv = Norm(channels), nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return x + self.conv(F.relu(self.norm(x)))


class Detail(nn.Module):
    """Four levels of tokens, enlarged to a quarter of the picture's size, and a stem over the picture."""

    def __init__(self, width):
        super().__init__()
        self.fuse, self.fuse_norm = nn.Conv2d(4 * width, COARSE, 1), Norm(COARSE)
        self.context, self.reduce = Residual(COARSE), nn.Conv2d(COARSE, FINE, 1)
        self.stem = nn.Conv2d(3, FINE, STRIDE, STRIDE)
        self.texture, self.first, self.second = (Residual(FINE) for _ in range(3))
        self.last_norm, self.classify = Norm(FINE), nn.Conv2d(FINE, STRIDE * STRIDE * CLASSES, 1)

    def forward(self, images, levels):
        coarse = self.reduce(self.context(F.relu(self.fuse_norm(self.fuse(torch.cat(levels, 1))))))
        texture = self.texture(self.stem(images))
        fine = F.interpolate(coarse, size=texture.shape[2:], mode="bilinear")
        cells = self.classify(F.relu(self.last_norm(self.second(self.first(fine + texture)))))
        # [batch, stride, stride, classes, rows, columns] → [batch, classes, rows, stride, columns, stride]
        cells = cells.unflatten(1, (STRIDE, STRIDE, CLASSES)).permute(0, 3, 4, 1, 5, 2)
        return cells.flatten(4, 5).flatten(2, 3)


class Segmenter(nn.Module):
    def __init__(self, config, drop_path):
        super().__init__()
        width, depth, eps = config["hidden_size"], config["num_hidden_layers"], config["layer_norm_eps"]
        self.patch = config["patch_size"]
        self.embed = nn.Conv2d(3, width, self.patch, self.patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, 1 + (config["image_size"] // self.patch) ** 2, width))
        rates = [drop_path * i / (depth - 1) for i in range(depth)]
        heads, middle = config["num_attention_heads"], config["intermediate_size"]
        self.blocks = nn.ModuleList(Block(width, heads, middle, eps, rate) for rate in rates)
        self.norm, self.head = nn.LayerNorm(width, eps=eps), Detail(width)

    def load(self, weights, size):
        """The weights of transformers' ViT; its positions interpolated to the grid of `size`."""
        named = {key.removeprefix("vit."): value for key, value in weights.items()}
        with torch.no_grad():
            self.embed.weight.copy_(named["embeddings.patch_embeddings.projection.weight"])
            self.embed.bias.copy_(named["embeddings.patch_embeddings.projection.bias"])
            self.cls.copy_(named["embeddings.cls_token"])
            self.norm.load_state_dict({part: named[f"layernorm.{part}"] for part in ("weight", "bias")})
            for i, block in enumerate(self.blocks):
                for theirs, ours in MAPS.items():
                    for part in ("weight", "bias"):
                        getattr(getattr(block, ours), part).copy_(named[f"encoder.layer.{i}.{theirs}.{part}"])
        positions = named["embeddings.position_embeddings"]
        side, rows = math.isqrt(positions.shape[1] - 1), size // self.patch
        grid = positions[:, 1:].transpose(1, 2).unflatten(2, (side, side))
        if side != rows:
            grid = F.interpolate(grid, size=(rows, rows), mode="bicubic")
        self.positions = nn.Parameter(torch.cat([positions[:, :1], grid.flatten(2).transpose(1, 2)], 1))
        return self

    def forward(self, images):
        grid = self.embed(images)
        x = torch.cat([self.cls.expand(len(images), -1, -1), grid.flatten(2).transpose(1, 2)], 1) + self.positions
        levels, quarter = [], len(self.blocks) // 4
        for i, block in enumerate(self.blocks):
            x = block(x)
            if (i + 1) % quarter == 0:
                levels.append(self.norm(x)[:, 1:].transpose(1, 2).unflatten(2, grid.shape[2:]))
        return self.head(images, levels)

    def adapt(self, targets, **settings):
        """Freezes the backbone but for LoRA on the maps of `targets`."""
        self.requires_grad_(False)
        self.head.requires_grad_(True)
        for block in self.blocks:
            for target in targets:
                setattr(block, target, Lora(getattr(block, target), **settings))

    def groups(self, config):
        """Parameters that train by learning rate, as layerDecay has them."""
        depth, decay = len(self.blocks), config.get("layerDecay") or 1
        layers = {"head": depth + 1, "norm": depth, "embed": 0, "cls": 0, "positions": 0}
        rates = (config["lrVitBackbone"], config["lrSegHead"]) if config["separateLr"] else (config["lr"],) * 2
        for name, parameter in self.named_parameters():
            if not parameter.requires_grad:
                continue
            first, *rest = name.split(".")
            layer = int(rest[0]) + 1 if first == "blocks" else layers[first]
            rate = rates[first == "head"]
            yield {"params": [parameter], "lr": rate * decay ** (depth + 1 - layer)}


def dice_and_cross_entropy(logits, masks):
    logits, known = logits.float(), (masks != IGNORED)[:, None]
    targets = F.one_hot(masks.where(known[:, 0], 0), CLASSES).movedim(-1, 1) * known
    probabilities = logits.softmax(1) * known
    shared, all_ = ((x).sum((0, 2, 3)) for x in (probabilities * targets, (probabilities + targets) / 2))
    present = targets.sum((0, 2, 3)) > 0
    return (1 - (shared + 1e-6) / (all_ + 1e-6))[present].mean() + F.cross_entropy(logits, masks, ignore_index=IGNORED)


def uniform(count, low, high):
    return torch.empty(count, 1, 1, 1).uniform_(low, high)


def augmented(pixels, masks, names):
    """Flipped with p .5; with `light` also scaled and moved by up to a tenth with p .5, and recoloured with p .8."""
    count = len(pixels)
    turned = torch.rand(count) < 0.5
    pixels[turned], masks[turned] = pixels[turned].flip(3), masks[turned].flip(2)
    if names != ["light"]:
        return pixels, masks
    zoom, x, y = 1 / uniform(count, 0.9, 1.1), uniform(count, -0.1, 0.1), uniform(count, -0.1, 0.1)
    zero = torch.zeros_like(zoom)
    # A shift of a tenth of the side is .2 in affine_grid's coordinates, of -1 to 1.
    maps = torch.cat([zoom, zero, 2 * x, zero, zoom, 2 * y], 1).view(count, 2, 3)
    still = torch.rand(count) >= 0.5
    maps[still] = torch.eye(2, 3)
    grid = F.affine_grid(maps, list(pixels.shape), align_corners=False)
    pixels = F.grid_sample(pixels, grid, align_corners=False)
    shifted = F.grid_sample(masks[:, None].float() - IGNORED, grid, mode="nearest", align_corners=False)
    masks = (shifted[:, 0] + IGNORED).round().long()
    b, c, s = (uniform(count, 0.8, 1.2) for _ in range(3))
    luma = (pixels * LUMA).sum(1, keepdim=True)
    mean = luma.mean((2, 3), keepdim=True)
    coloured = b * (c * (s * pixels + (1 - s) * luma) + (1 - c) * mean)
    return coloured.clamp(0, 1).where(torch.rand(count, 1, 1, 1) < 0.8, pixels), masks


def scores(table):
    inside, both = table.diag(), table.sum(0) + table.sum(1)
    return {"miou": (inside / (both - inside)).mean().item(), "dice": (2 * inside / both).tolist()}


def covers(source, target):
    """[target, source]: the share of each source place in a target place."""
    edges, places = torch.arange(target + 1) * (source / target), torch.arange(source)
    low, high = edges[:-1, None], edges[1:, None]
    part = (torch.minimum(high, places + 1.0) - torch.maximum(low, places * 1.0)).clamp(min=0)
    return part / part.sum(1, keepdim=True)


class Pictures:
    def __init__(self, config, stems, dtype):
        self.config, self.stems, self.dtype = config, stems, dtype
        self.size = config["model"]["imageSize"]
        self.images = numpy.stack([self.opened(stem).resize((self.size,) * 2, Image.BILINEAR) for stem in stems])
        self.masks = torch.stack([self.mask(stem, self.size) for stem in stems])

    def opened(self, stem):
        return Image.open(os.path.join(self.config["imageDir"], f"{stem}.jpg")).convert("RGB")

    def mask(self, stem, size):
        mask = Image.open(os.path.join(self.config["maskDir"], f"{stem}.png")).resize((size, size), Image.NEAREST)
        ids = numpy.asarray(mask)
        return torch.from_numpy(sum(k * (ids == stored) for k, stored in enumerate(self.config["maskIds"])))

    def batch(self, places, augment=lambda *both: both):
        pixels = torch.from_numpy(self.images[places.numpy()]).permute(0, 3, 1, 2).float() / 255
        pixels, masks = augment(pixels, self.masks[places])
        return (pixels - MEAN) / STD, masks

    @torch.no_grad()
    def scored(self, model, resolution=None, flip=False):
        model.eval()
        table = torch.zeros(CLASSES, CLASSES, dtype=torch.float64)
        for places in torch.arange(len(self.stems)).split(8 if resolution is None else 1):
            images, masks = self.batch(places)
            views = []
            for turned in (False, True) if flip else (False,):
                with torch.autocast("cpu", torch.bfloat16, enabled=self.dtype == "bf16"):
                    logits = model(images.flip(3) if turned else images).float()
                views.append(logits.flip(3) if turned else logits)
            if resolution is not None:
                stem = self.stems[int(places[0])]
                width, height = self.opened(stem).size
                views = [F.interpolate(view, size=(height, width), mode="bilinear") for view in views]
                masks = self.mask(stem, resolution)[None]
            probabilities = torch.stack([view.softmax(1) for view in views]).mean(0)
            if resolution is not None:
                probabilities = covers(height, resolution) @ probabilities @ covers(width, resolution).T
            pairs = masks.flatten() * CLASSES + probabilities.argmax(1).flatten()
            table += torch.bincount(pairs, minlength=CLASSES**2).view(CLASSES, CLASSES)
        return scores(table)


def train(model, config, data):
    epochs, size = config["epochs"], config["batchSize"]
    steps = epochs * math.ceil(len(data["train"].stems) / size)
    rise = int(0.05 * steps)
    optimizer = torch.optim.AdamW(model.groups(config), weight_decay=config["weightDecay"])

    def rate(step):
        done = (step - rise) / max(1, steps - rise)
        return step / rise if step < rise else 0.5 * (1 + math.cos(math.pi * min(1, done)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    mean, best = copy.deepcopy(model).requires_grad_(False), {"miou": -1.0}
    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        for places in torch.randperm(len(data["train"].stems)).split(size):
            images, masks = data["train"].batch(places, lambda *both: augmented(*both, config["augment"]))
            with torch.autocast("cpu", torch.bfloat16, enabled=config["precision"] == "bf16"):
                logits = model(images)
            loss = dice_and_cross_entropy(logits, masks)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                for average, weight in zip(mean.parameters(), model.parameters()):
                    average.lerp_(weight, 1 - (config.get("ema") or 0))
            total += loss.item() * len(places)
        score = data["validation"].scored(mean)
        print(f"epoch {epoch}: loss {total / len(data['train'].stems):.4f}, validation {score}", file=sys.stderr, flush=True)
        if score["miou"] > best["miou"]:
            best = {**score, "epoch": epoch, "weights": copy.deepcopy(mean.state_dict())}
    mean.load_state_dict(best.pop("weights"))
    return mean, best


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("--resolution", type=int)
    parser.add_argument("--flip", action="store_true")
    parser.add_argument("--weights")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    asked = parser.parse_args()
    checkpoint = sorted(name for name in os.listdir(asked.run) if name.startswith("step-"))[-1]
    config, splits = (
        json.load(open(os.path.join(asked.run, checkpoint, name), encoding="utf8")) for name in ("checkpoint.json", "splits.json")
    )
    config = config["config"]
    known = {"head": "detail", "loss": "dice+cross-entropy", "schedule": "cosine", "optimizer": "adamw"}
    assert all(config[key] == value for key, value in known.items()), f"only {known} are known"
    assert config["augment"] in (["flip"], ["light"]), "of augmentations only flip and light are known"
    config["epochs"] = asked.epochs or config["epochs"]
    torch.set_num_threads(config.get("threads") or torch.get_num_threads())
    torch.manual_seed(config["randomSeed"])
    folder = asked.weights or config["model"]["modelName"]
    vit = json.load(open(os.path.join(folder, "config.json"), encoding="utf8"))
    adapter = config["model"]["adapter"]
    assert adapter is None or adapter["name"] == "lora", "of adapters only lora is known"
    model = Segmenter(vit, config.get("dropPath") or 0).load(load_file(os.path.join(folder, "model.safetensors")), config["model"]["imageSize"])
    sides = {asked.split} if asked.weights else {"train", "validation", asked.split}
    data = {side: Pictures(config, splits[side], config["precision"]) for side in sides}
    best = {}
    if asked.weights:
        model.head.load_state_dict(load_file(os.path.join(folder, "head.safetensors")))
    else:
        if adapter:
            model.adapt(**adapter["settings"])
        model, best = train(model, config, data)
    score = data[asked.split].scored(model, asked.resolution, asked.flip)
    name = os.path.basename(os.path.normpath(asked.run))
    print(json.dumps({"run": name, "best": best, "resolution": asked.resolution, asked.split: score}))


if __name__ == "__main__":
    main()
