"""Losses with their gradients, metrics and ten optimiser steps by PyTorch, as JSON on standard output.

    python test/train/golden/make_torch.py 1 > test/train/golden/torch.json

The argument is the seed of the inputs. Written against the papers that src/train/losses names, not against our code.
"""

import json
import sys
from itertools import permutations

import torch
import torch.nn.functional as F

torch.manual_seed(int(sys.argv[1]))
B, H, W, C = 2, 3, 4, 4
IGNORE = 255

logits = torch.randn(B, H, W, C) * 2
masks = torch.randint(0, C - 1, (B, H, W))  # class C - 1 is absent
masks[0, 0, 0] = IGNORE
masks[1, 2, 1:3] = IGNORE


def rows(x):
    keep = masks.reshape(-1) != IGNORE
    return x.reshape(-1, C)[keep], masks.reshape(-1)[keep]


def region(x):
    x, t = rows(x)
    p, t = x.softmax(-1), F.one_hot(t, C).float()
    return (p * t).sum(0), p.sum(0), t.sum(0)


def weighted(x, absent):
    i, p, n = region(x)
    e = 1e-6
    dice = (2 * i + e) / (p + n + e)
    iou = (i + e) / (p + n - i + e)
    w = 1 / (n + e)
    if absent == "omit":
        w = torch.where(n > 0, w, torch.zeros_like(w))
    w = w / w.sum()
    return (w * dice).sum(), (w * iou).sum()


def log_cosh_dice(absent):
    return lambda x: torch.log(torch.cosh((1 - weighted(x, absent)[0]).double())).float()


def cross_entropy(x):
    return F.cross_entropy(x.permute(0, 3, 1, 2), masks, ignore_index=IGNORE)


def tversky(alpha, beta):
    def loss(x):
        i, p, n = region(x)
        index = (i + 1e-6) / (i + alpha * (p - i) + beta * (n - i) + 1e-6)
        return (1 - index[n > 0]).mean()

    return loss


def focal(x):
    x, t = rows(x)
    log_p = x.log_softmax(-1).gather(1, t[:, None])[:, 0]
    return (-((1 - log_p.exp()) ** 2) * log_p).mean()


def lovasz(x):
    x, t = rows(x)
    p = x.softmax(-1)
    losses = []
    for c in t.unique():
        truth = (t == c).float()
        errors, order = (truth - p[:, c]).abs().sort(descending=True)
        truth = truth[order]
        intersection = truth.sum() - truth.cumsum(0)
        union = truth.sum() + (1 - truth).cumsum(0)
        jaccard = 1 - intersection / union
        jaccard[1:] = jaccard[1:] - jaccard[:-1].clone()
        losses.append((errors * jaccard).sum())
    return torch.stack(losses).mean()


def distance(ones):
    """To the nearest one, by definition."""
    places = torch.cartesian_prod(*map(torch.arange, ones.shape)).float()
    return torch.cdist(places, places[ones.reshape(-1)]).min(1).values.reshape(ones.shape)


def boundary(x):
    counts = masks != IGNORE
    total = 0.0
    for p, mask in zip(x.softmax(-1), masks):
        for c in range(C):
            own = mask == c
            if own.any() and not own.all():
                signed = distance(own) * ~own - (distance(~own) - 1) * own
                total = total + (p[..., c] * signed * (mask != IGNORE)).sum()
    return total / (counts.sum() * C)


losses = {}
for name, fn in {
    "log-cosh-dice": log_cosh_dice("omit"),
    "log-cosh-dice-upstream": log_cosh_dice("count"),
    "cross-entropy": cross_entropy,
    "dice-cross-entropy": lambda x: tversky(0.5, 0.5)(x) + cross_entropy(x),
    "focal": focal,
    "tversky": tversky(0.3, 0.7),
    "lovasz-softmax": lovasz,
    "dice": tversky(0.5, 0.5),
    "boundary": boundary,
}.items():
    x = logits.clone().requires_grad_()
    value = fn(x)
    value.backward()
    losses[name] = {"value": value.item(), "gradient": x.grad.reshape(-1).tolist()}

shapes = {"adapter": [(3, 2), (2, 4)], "head": [(5,)]}
start = {group: [torch.randn(s) for s in sizes] for group, sizes in shapes.items()}
gradients = [{g: [torch.randn(s) * 3 for s in sizes] for g, sizes in shapes.items()} for _ in range(10)]
rates = {"adapter": 0.01, "head": 0.1}


def ten_steps(make, clip=None):
    params = {g: [t.clone().requires_grad_() for t in ts] for g, ts in start.items()}
    optimizer = make([{"params": ts, "lr": rates[g]} for g, ts in params.items()])
    for gradient in gradients:
        for g, ts in params.items():
            for t, d in zip(ts, gradient[g]):
                t.grad = d.clone()
        if clip:
            torch.nn.utils.clip_grad_norm_([t for ts in params.values() for t in ts], clip)
        optimizer.step()
    return {g: [t.reshape(-1).tolist() for t in ts] for g, ts in params.items()}


optim = torch.optim
optimizers = {
    "adamW": ten_steps(lambda p: optim.AdamW(p)),
    "adamW decay 0.1, clip 1": ten_steps(lambda p: optim.AdamW(p, weight_decay=0.1), clip=1.0),
    "adam decay 0.1": ten_steps(lambda p: optim.Adam(p, weight_decay=0.1, betas=(0.8, 0.99))),
    "sgd": ten_steps(lambda p: optim.SGD(p, lr=1)),
    "sgd momentum, decay": ten_steps(lambda p: optim.SGD(p, lr=1, momentum=0.9, weight_decay=0.1)),
    "sgd nesterov, clip 1": ten_steps(lambda p: optim.SGD(p, lr=1, momentum=0.9, nesterov=True), clip=1.0),
}


def plain(tree):
    return {g: [t.tolist() for t in ts] for g, ts in tree.items()}


def metrics():
    x, t = rows(logits)
    y = x.argmax(-1)
    hits = [(y[t == c] == c).sum() for c in range(C)]
    sizes = [(y == c).sum() + (t == c).sum() for c in range(C)]  # of prediction and target together
    dice = [(2 * h / s).item() if s > 0 else None for h, s in zip(hits, sizes)]
    iou = [(h / (s - h)).item() if s > 0 else None for h, s in zip(hits, sizes)]
    present = [i for i in iou if i is not None]
    return {"dice": dice, "iou": iou, "miou": sum(present) / len(present), "accuracy": (y == t).float().mean().item()}


Q = 5
said = (torch.randn(B, H, W, Q) * 2).requires_grad_()
kinds = (torch.randn(B, Q, C + 1) * 2).requires_grad_()


def set_prediction():
    """Mask2Former's criterion with a segment for each class, the matching by trying all."""
    parts, targets = [], []
    for x, kind, mask in zip(said, kinds, masks):
        keep = mask.reshape(-1) != IGNORE
        x, t = x.reshape(-1, Q)[keep].T, mask.reshape(-1)[keep]
        present = t.unique()
        truth = torch.stack([(t == c).float() for c in present])
        cross = torch.stack([F.binary_cross_entropy_with_logits(x, y.expand_as(x), reduction="none").mean(1) for y in truth], 1)
        p = x.sigmoid()
        dice = 1 - (2 * p @ truth.T + 1) / (p.sum(1)[:, None] + truth.sum(1) + 1)
        pair = 5 * cross + 5 * dice
        cost = pair - 2 * kind.softmax(-1)[:, present]
        columns = range(len(present))
        best = min(permutations(range(Q), len(present)), key=lambda way: sum(cost[q, i].item() for i, q in enumerate(way)))
        parts += [pair[q, i] for i, q in zip(columns, best)]
        target = torch.full((Q,), C)
        target[list(best)] = present
        targets.append(target)
    weight = torch.ones(C + 1)
    weight[C] = 0.1
    return 2 * F.cross_entropy(kinds.reshape(-1, C + 1), torch.cat(targets), weight=weight) + torch.stack(parts).mean()


by_set = set_prediction()
by_set.backward()
by_queries = {
    "masks": said.tolist(),
    "kinds": kinds.tolist(),
    "value": by_set.item(),
    "gradients": [said.grad.reshape(-1).tolist(), kinds.grad.reshape(-1).tolist()],
}

scores = {absent: [s.item() for s in weighted(logits, absent)] for absent in ("omit", "count")}
json.dump(
    {
        "logits": logits.tolist(),
        "masks": masks.tolist(),
        "scores": scores,
        "metrics": metrics(),
        "losses": losses,
        "set": by_queries,
        "rates": rates,
        "start": plain(start),
        "gradients": [plain(g) for g in gradients],
        "optimizers": optimizers,
    },
    sys.stdout,
)
