"""The scores of one picture after numpy and scipy: prediction, target, probabilities as JSON on standard input."""
import json
import sys

import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt

cross = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]


def boundary(mask, distance):
    """mask_to_boundary of bowenc0221/boundary-iou-api: what erosions by a square take away, with a frame of zeros."""
    return mask & ~binary_erosion(mask, np.ones((3, 3)), iterations=distance, border_value=0)


def outline(mask):
    return mask & ~binary_erosion(mask, cross, border_value=1)


def near(one, other, tolerance):
    return int((distance_transform_edt(~other)[one] <= tolerance).sum()) if other.any() else 0


def scores(case):
    classes, tolerance = case["classes"], case["tolerance"]
    shape = (case["height"], case["width"])
    p = np.array(case["probabilities"], np.float32).reshape(*shape, classes)
    target, prediction = np.array(case["target"]).reshape(shape), p.argmax(-1)
    distance = max(1, round(0.02 * np.hypot(*shape)))
    rows = {"iou": [], "boundaryIou": [], "surfaceDice": []}
    for k in range(classes):
        a, b = prediction == k, target == k
        rows["iou"].append((a & b).sum() / (a | b).sum() if (a | b).any() else None)
        c, d = boundary(a, distance), boundary(b, distance)
        rows["boundaryIou"].append((c & d).sum() / (c | d).sum() if (c | d).any() else None)
        c, d = outline(a), outline(b)
        both = int(c.sum() + d.sum())
        met = near(c, d, tolerance) + near(d, c, tolerance)
        rows["surfaceDice"].append(met / both if both else None)
    confidence, right = p.max(-1).ravel().astype(np.float64), (prediction == target).ravel()
    ece, edges = 0.0, np.linspace(0, 1, 16)
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            ece += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return {**{name: [v if v is None else float(v) for v in row] for name, row in rows.items()}, "ece": float(ece)}


json.dump([scores(case) for case in json.load(sys.stdin)], sys.stdout)
