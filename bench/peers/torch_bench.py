"""The PyTorch twin of the benches: the same model, loss and optimiser, command line and output.

    python bench/peers/torch_bench.py train-step --model vit-base --adapter lora --batch 8 --precision bf16 --json

`--engine torch` runs eagerly, `torch-compile` through torch.compile. bf16 is autocast; with `--frozen bf16` what does
not train is also kept in bf16, so that autocast need not cast it on every step.
"""

import argparse
import json
import math
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

MODELS = {
    "vit-base": dict(width=768, heads=12, layers=12, epsilon=1e-12),
    "deit-tiny": dict(width=192, heads=3, layers=12, epsilon=1e-6),
}
ADAPTERS = ["lora", "serial", "localized", "none", "full"]
IMAGE, PATCH, CLASSES, RANK, BLOCKS = 224, 16, 3, 16, 4


def small(*shape):
    return nn.Parameter(torch.empty(*shape).uniform_(-0.03, 0.03))


class Lora(nn.Module):
    """y = Wx + b + B(Ax), alpha = rank."""

    def __init__(self, base):
        super().__init__()
        self.base = base
        self.down = small(RANK, base.in_features)
        self.up = small(base.out_features, RANK)

    def forward(self, x):
        return self.base(x) + F.linear(F.linear(x, self.down), self.up)


class Localized(nn.Module):
    """K x K blocks of low rank as two batched products, as src/adapters/localized-lora.ts has them."""

    def __init__(self, base):
        super().__init__()
        self.base = base
        self.rank = RANK // BLOCKS
        self.down = small(BLOCKS, base.in_features // BLOCKS, BLOCKS * self.rank)
        self.up = small(BLOCKS, BLOCKS * self.rank, base.out_features // BLOCKS)

    def forward(self, x):
        rows = x.reshape(-1, BLOCKS, x.shape[-1] // BLOCKS).transpose(0, 1)
        low = torch.bmm(rows, self.down).unflatten(2, (BLOCKS, self.rank))
        by_output = low.permute(2, 1, 0, 3).flatten(2)
        parts = torch.bmm(by_output, self.up)
        return self.base(x) + parts.transpose(0, 1).reshape(x.shape)


class Serial(nn.Module):
    """x + B(Ax), before query, key and value."""

    def __init__(self, width):
        super().__init__()
        self.down = small(RANK, width)
        self.up = small(width, RANK)

    def forward(self, x):
        return x + F.linear(F.linear(x, self.down), self.up)


class Block(nn.Module):
    def __init__(self, width, heads, epsilon, adapter):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, epsilon)
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.norm2 = nn.LayerNorm(width, epsilon)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)
        self.before = Serial(width) if adapter == "serial" else nn.Identity()
        wrap = {"lora": Lora, "localized": Localized}.get(adapter)
        if wrap:
            self.query, self.value = wrap(self.query), wrap(self.value)

    def forward(self, x):
        h = self.before(self.norm1(x))
        q, k, v = (
            p(h).unflatten(2, (self.heads, -1)).transpose(1, 2) for p in (self.query, self.key, self.value)
        )
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = x + self.output(attended)
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Segmenter(nn.Module):
    """ViT, Conv3x3 to half the width, ReLU, Conv1x1 to the classes, bilinear to the image's size."""

    def __init__(self, adapter, width, heads, layers, epsilon):
        super().__init__()
        self.side = IMAGE // PATCH
        self.patch = nn.Conv2d(3, width, PATCH, PATCH)
        self.cls = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, 1 + self.side**2, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width, heads, epsilon, adapter) for _ in range(layers))
        self.norm = nn.LayerNorm(width, epsilon)
        self.conv = nn.Conv2d(width, width // 2, 3, padding=1)
        self.classify = nn.Conv2d(width // 2, CLASSES, 1)
        if adapter != "full":
            for name, parameter in self.named_parameters():
                added = name.split(".")[-1] in ("down", "up")
                parameter.requires_grad = added or name.startswith(("conv.", "classify."))

    def forward(self, images):
        x = self.patch(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1).to(x.dtype), x], 1) + self.positions
        for block in self.blocks:
            x = block(x)
        grid = self.norm(x)[:, 1:].transpose(1, 2).unflatten(2, (self.side, self.side))
        logits = self.classify(F.relu(self.conv(grid)))
        return F.interpolate(logits.float(), scale_factor=PATCH, mode="bilinear")


def log_cosh_dice(logits, masks):
    """log cosh(1 - sum of w * dice), inverse-frequency weights, classes that are absent left out."""
    p = logits.float().softmax(1).transpose(0, 1).flatten(1)
    t = F.one_hot(masks.flatten(), CLASSES).float().T
    overlap, predicted, target = (p * t).sum(1), p.sum(1), t.sum(1)
    dice = (2 * overlap + 1e-6) / (predicted + target + 1e-6)
    weight = (target > 0) / (target + 1e-6)
    return torch.log(torch.cosh(1 - (weight * dice).sum() / weight.sum()))


def autocast(arguments):
    return torch.autocast("cpu", torch.bfloat16, enabled=arguments.precision == "bf16")


def make(arguments):
    model = Segmenter(arguments.adapter, **MODELS[arguments.model])
    if arguments.frozen == "bf16":
        for parameter in model.parameters():
            if not parameter.requires_grad:
                parameter.data = parameter.data.bfloat16()
    images = torch.randn(arguments.batch, 3, IMAGE, IMAGE)
    masks = torch.randint(0, CLASSES, (arguments.batch, IMAGE, IMAGE))
    return model, images, masks


def train_step(arguments):
    model, images, masks = make(arguments)
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=1e-4, weight_decay=0.01, fused=True
    )

    def eager():
        with autocast(arguments):
            return log_cosh_dice(model(images), masks)

    forward = torch.compile(eager) if arguments.engine == "torch-compile" else eager

    def step(run=forward):
        optimizer.zero_grad(set_to_none=True)
        loss = run()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, lambda: step(eager)


def inference(arguments):
    model, images, _ = make(arguments)
    model.eval()

    @torch.no_grad()
    def eager():
        with autocast(arguments):
            return model(images)

    forward = torch.compile(eager) if arguments.engine == "torch-compile" else eager
    return (lambda: forward()[0, 0, 0, 0].item()), (lambda: eager()[0, 0, 0, 0].item())


def operations(run):
    """What torch counts as floating-point operations of its matrix products."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        run()
    return counter.get_total_flops()


def measure(arguments, step, eager):
    for _ in range(arguments.warm_up):
        step()
    seconds = []
    for _ in range(arguments.steps):
        start = time.perf_counter()
        value = step()
        seconds.append(time.perf_counter() - start)
        if not math.isfinite(value):
            sys.exit(f"torch_bench: expected a finite result, got {value}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = statistics.median(seconds)
    return {
        "engine": arguments.engine,
        "precision": arguments.precision,
        "model": arguments.model,
        "adapter": arguments.adapter,
        "batch": arguments.batch,
        "threads": torch.get_num_threads(),
        "s_per_step": seconds,
        "images_per_s": arguments.batch / seconds,
        "peak_rss_mb": peak,
        "gflops": operations(eager) / seconds / 1e9,
    }


COMMANDS = {"train-step": train_step, "inference": inference}


def count(arguments):
    """The operations of every command with every adapter: what the test of bench/products.ts compares with."""
    counted = {}
    for command, make_runs in COMMANDS.items():
        for arguments.adapter in ADAPTERS:
            counted[f"{command} {arguments.adapter}"] = operations(make_runs(arguments)[1])
    return counted


def main():
    parser = argparse.ArgumentParser(prog="torch_bench", description=__doc__.split("\n")[0])
    parser.add_argument("command", choices=[*COMMANDS, "count"])
    parser.add_argument("--model", choices=MODELS, default="vit-base")
    parser.add_argument("--adapter", choices=ADAPTERS, default="lora")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--engine", choices=["torch", "torch-compile"], default="torch")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--frozen", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    if arguments.command == "count":
        result = count(arguments)
    else:
        result = measure(arguments, *COMMANDS[arguments.command](arguments))
    if arguments.json:
        print(json.dumps(result))
    else:
        print(", ".join(f"{key} {value}" for key, value in result.items()))


main()
