"""Scores of the seed's own pictures, counted with numpy, as JSON on standard output.

    python test/tasks/segmentation/golden/make_pictures.py ../shared/data/seed_pets_styled_ood > test/tasks/segmentation/golden/pictures.json

Grey 0 is pet (class 0), 128 background (1), 255 border (2). PNGs are unpacked here, without an image library.
"""

import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np


def grey(path):
    data = path.read_bytes()
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert depth == 8
            channels = {0: 1, 2: 3, 6: 4}[colour]
        elif kind == b"IDAT":
            packed += body
        at += size + 12
    raw = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + width * channels)
    out = np.zeros((height, width * channels), np.int64)
    for y in range(height):
        kind, line = raw[y, 0], raw[y, 1:].astype(np.int64)
        for x in range(width * channels):
            a = out[y, x - channels] if x >= channels else 0
            b = out[y - 1, x] if y else 0
            c = out[y - 1, x - channels] if y and x >= channels else 0
            p = a + b - c
            near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            out[y, x] = (line[x] + [0, a, b, (a + b) // 2, near][kind]) % 256
    return out.reshape(height, width, channels)[:, :, 0]


def classes(path):
    ids = {0: 0, 128: 1, 255: 2}
    picture = grey(path)
    return np.vectorize(ids.__getitem__)(picture)


def scores(target, prediction):
    dice, iou = [], []
    for c in range(3):
        t, p = target == c, prediction == c
        both, either = int((t & p).sum()), int((t | p).sum())
        dice.append(2 * both / (int(t.sum()) + int(p.sum())) if either else None)
        iou.append(both / either if either else None)
    present = [x for x in iou if x is not None]
    return {
        "dice": dice,
        "iou": iou,
        "miou": sum(present) / len(present),
        "accuracy": float((target == prediction).mean()),
    }


root = Path(sys.argv[1])
found = {}
targets, predictions = [], []
for file in sorted(root.glob("*_domain/**/*_pred_*.png")):
    name = file.name.split("_pred_")[0]
    target, prediction = classes(file.parent / f"{name}_target.png"), classes(file)
    found[str(file.relative_to(root))] = scores(target, prediction)
    targets.append(target)
    predictions.append(prediction)
found["all"] = scores(np.stack(targets), np.stack(predictions))
json.dump(found, sys.stdout, indent=1)
print()
