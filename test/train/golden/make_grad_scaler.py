"""Makes grad-scaler.json: trainings that torch.amp.GradScaler scales, step by step.

    python test/train/golden/make_grad_scaler.py    # torch 2.13

The loss is gain * mean((x w)^2), with a gain for each step: an infinite one, or NaN, makes the gradients so at any scale.
In the cases of autocast the product is f16's, and whether a gradient is beyond 65504 depends on the scale.
"""

import json
from pathlib import Path

import torch

torch.manual_seed(3)
x = torch.randn(6, 3)
start = torch.randn(3, 4)


def gains(count, size=1.0, **others):
    """The gain of each step, as text that JSON can hold."""
    return [others.get(f"at{i}", repr(size)) for i in range(count)]


CASES = {
    "AdamW, infinities and NaN": dict(
        optimizer="adamW",
        growthInterval=3,
        gains=gains(18, at1="Infinity", at5="Infinity", at6="-Infinity", at11="NaN"),
    ),
    "SGD with momentum and clipping, a scale that is no power of two": dict(
        optimizer="sgd",
        initial=1000.0,
        growthInterval=2,
        clip=0.05,
        gains=gains(12, at4="Infinity", at5="NaN"),
    ),
    "growth that ends with f32": dict(
        optimizer="sgd", initial=2.0**125, growthInterval=1, gains=gains(8, size=2.0**-20, at6="Infinity")
    ),
    "autocast, overflows by scale": dict(
        optimizer="adamW", growthInterval=4, autocast=True, gains=gains(30, size=24.0)
    ),
    "autocast, scales up to the first overflow": dict(
        optimizer="sgd", initial=256.0, growthInterval=1, clip=1.0, autocast=True, gains=gains(16)
    ),
}


def run(optimizer, gains, growthInterval, initial=2.0**16, clip=None, autocast=False):
    w = start.clone().requires_grad_()
    moves = (
        torch.optim.AdamW([w], lr=0.01, weight_decay=0.1)
        if optimizer == "adamW"
        else torch.optim.SGD([w], lr=0.01, momentum=0.9)
    )
    taken = []
    moves.register_step_post_hook(lambda *_: taken.append(True))
    scaler = torch.amp.GradScaler("cpu", init_scale=initial, growth_interval=growthInterval)
    steps = []
    for gain in gains:
        moves.zero_grad()
        taken.clear()
        scale = scaler.get_scale()
        with torch.autocast("cpu", torch.float16, enabled=autocast):
            y = x @ w
        loss = float(gain) * y.float().square().mean()
        scaler.scale(loss).backward()
        if clip is not None:
            scaler.unscale_(moves)
            torch.nn.utils.clip_grad_norm_([w], clip)
        scaler.step(moves)
        scaler.update()
        state = scaler.state_dict()
        steps.append(
            dict(
                used=scale,
                skipped=not taken,
                scale=state["scale"],
                good=state["_growth_tracker"],
                weights=[float(f"{value:.8g}") for value in w.detach().flatten().tolist()],
            )
        )
    return steps


cases = [{"name": name, **options, "steps": run(**options)} for name, options in CASES.items()]
golden = {"x": x.tolist(), "start": start.tolist(), "cases": cases}
(Path(__file__).parent / "grad-scaler.json").write_text(json.dumps(golden) + "\n")
