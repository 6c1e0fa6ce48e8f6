"""Losses of logits and masks on standard input, as PyTorch computes them: value and gradient of each, as JSON.

    python test/peers/torch/losses_twin.py < inputs.json
"""

import json
import sys

import torch
from torch.nn.functional import cross_entropy

given = json.load(sys.stdin)
masks = torch.tensor(given["masks"]).reshape(given["shape"][:3])
weights = torch.tensor(given["weights"])
counts = masks != 255


def smoothed(x, **options):
    return cross_entropy(x, masks, ignore_index=255, label_smoothing=given["smoothing"], **options)


def hardest(x):
    each = cross_entropy(x, masks, ignore_index=255, reduction="none")[counts]
    return each.topk(-int(-given["hardest"] * len(each) // 1)).values.mean()


def distance(ones):
    """To the nearest one, by definition."""
    rows, columns = ones.shape
    places = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).double()
    return torch.cdist(places, places[ones.reshape(-1)]).min(1).values.reshape(ones.shape)


def boundary(x):
    """The signed distances of Kervadec et al.'s one_hot2dist, and their mean of probability times distance."""
    total = 0.0
    for picture, mask in zip(x.softmax(1), masks):
        for k, p in enumerate(picture):
            own = mask == k
            if own.any() and not own.all():
                phi = distance(own) * ~own - (distance(~own) - 1) * own
                total = total + (p * phi * (mask != 255)).sum()
    return total / (counts.sum() * x.shape[1])


answers = {}
for name, loss in {
    "smoothed": smoothed,
    "smoothed and weighted": lambda x: smoothed(x, weight=weights),
    "hardest": hardest,
    "boundary": boundary,
}.items():
    x = torch.tensor(given["logits"]).reshape(given["shape"]).permute(0, 3, 1, 2).requires_grad_()
    value = loss(x)
    (gradient,) = torch.autograd.grad(value, x)
    answers[name] = {"value": value.item(), "gradient": gradient.permute(0, 2, 3, 1).reshape(-1).tolist()}
json.dump(answers, sys.stdout)
