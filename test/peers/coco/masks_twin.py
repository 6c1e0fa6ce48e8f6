"""Masks of shapes as pycocotools draws them: reads JSON lists of {height, width, segmentation}, prints run lengths."""

import json
import sys

import numpy as np
from pycocotools import mask


def drawn(case):
    height, width, shape = case["height"], case["width"], case["segmentation"]
    if isinstance(shape, list):
        runs = mask.merge(mask.frPyObjects(shape, height, width))
    elif isinstance(shape["counts"], list):
        runs = mask.frPyObjects(shape, height, width)
    else:
        runs = shape
    bits = mask.decode(runs)
    text = mask.encode(np.asfortranarray(bits))["counts"].decode()
    return {"bits": "".join(map(str, bits.flatten().tolist())), "text": text}


print(json.dumps([drawn(case) for case in json.load(sys.stdin)]))
