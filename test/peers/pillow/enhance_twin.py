"""What Pillow makes of pictures: reads {width, height, images, operations} as JSON, writes one base64 text each."""

import base64
import json
import sys

from PIL import Image, ImageEnhance, ImageOps

task = json.load(sys.stdin)
operations = {
    "brightness": lambda image, value: ImageEnhance.Brightness(image).enhance(value),
    "contrast": lambda image, value: ImageEnhance.Contrast(image).enhance(value),
    "saturation": lambda image, value: ImageEnhance.Color(image).enhance(value),
    "sharpness": lambda image, value: ImageEnhance.Sharpness(image).enhance(value),
    "posterize": lambda image, value: ImageOps.posterize(image, int(value)),
    "solarize": lambda image, value: ImageOps.solarize(image, value),
    "invert": lambda image, value: ImageOps.invert(image),
    "autocontrast": lambda image, value: ImageOps.autocontrast(image),
    "equalize": lambda image, value: ImageOps.equalize(image),
}
results = []
for case in task:
    data = base64.b64decode(case["image"])
    image = Image.frombytes("RGB", (case["width"], case["height"]), data)
    made = operations[case["operation"]](image, case["value"])
    results.append(base64.b64encode(made.tobytes()).decode())
json.dump(results, sys.stdout)
