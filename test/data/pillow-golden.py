"""Makes pillow-golden.json: what Pillow does with pictures that resize.test.ts draws and reads again.

    python -m venv venv && venv/bin/pip install 'pillow==11.3.0'
    venv/bin/python test/data/pillow-golden.py

Not with Pillow 13: it resizes the columns of tall images first, which moves some bytes by one. The hash over
photographs is made where ../shared/data is found, and kept as it was elsewhere.
"""

import base64
import hashlib
import json
import pathlib

from PIL import Image

here = pathlib.Path(__file__).parent
target = here / "pillow-golden.json"
golden = json.loads(target.read_text()) if target.exists() else {}


def picture(width, height, channels):
    size = width * height * channels
    return bytes((i * i * 7 + i * 31 + (i >> 3) * 13) % 256 for i in range(size))


def text(image):
    return base64.b64encode(image.tobytes()).decode()


golden["resize"] = []
for width, height, to in [(37, 23, 16), (5, 7, 12), (300, 200, 7), (64, 16, 16), (20, 61, 20), (9, 9, 9), (1, 3, 4)]:
    rgb = Image.frombytes("RGB", (width, height), picture(width, height, 3))
    ids = Image.frombytes("L", (width, height), picture(width, height, 1))
    golden["resize"].append(
        {
            "width": width,
            "height": height,
            "to": to,
            "bilinear": text(rgb.resize((to, to), Image.BILINEAR)),
            "nearest": text(ids.resize((to, to), Image.NEAREST)),
        }
    )

pets = here / "../../../shared/data/oxford_pets_3breeds"
if pets.exists():
    images = hashlib.sha256()
    masks = hashlib.sha256()
    for path in sorted((pets / "images").glob("*.jpg"))[::15]:
        images.update(Image.open(path).convert("RGB").resize((224, 224), Image.BILINEAR).tobytes())
        mask = Image.open(pets / "annotations/trimaps" / f"{path.stem}.png")
        masks.update(mask.resize((224, 224), Image.NEAREST).tobytes())
    golden["pets"] = {"images": images.hexdigest(), "masks": masks.hexdigest()}

target.write_text(json.dumps(golden, indent=1) + "\n")
