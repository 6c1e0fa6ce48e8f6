"""Makes pillow.json: what Pillow does with pictures that resize.test.ts and colours.test.ts draw, and with files
that image-file.test.ts reads.

    python -m venv venv && venv/bin/pip install 'pillow==11.3.0'
    venv/bin/python test/data/images/golden/make_pillow.py

Not with Pillow 13: it resizes the columns of tall images first, which moves some bytes by one. The hash over
photographs is made where ../shared/data is found, and kept as it was elsewhere.
"""

import base64
import hashlib
import io
import json
import pathlib

from PIL import Image, ImageEnhance, ImageOps

here = pathlib.Path(__file__).parent
target = here / "pillow.json"
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


plain = Image.frombytes("RGB", (13, 9), picture(13, 9, 3))
# Of few values, so that there is something to spread.
dull = Image.frombytes("RGB", (13, 9), bytes(60 + value % 90 for value in picture(13, 9, 3)))
golden["enhance"] = [
    {"operation": name, "value": value, "picture": kind, "bytes": text(make(image, value))}
    for name, values, make in [
        ("brightness", [0, 0.37, 1.9], lambda image, value: ImageEnhance.Brightness(image).enhance(value)),
        ("contrast", [0, 0.37, 1.9], lambda image, value: ImageEnhance.Contrast(image).enhance(value)),
        ("saturation", [0, 0.37, 1.9], lambda image, value: ImageEnhance.Color(image).enhance(value)),
        ("sharpness", [0, 0.37, 1.9], lambda image, value: ImageEnhance.Sharpness(image).enhance(value)),
        ("posterize", [1, 3, 8], lambda image, value: ImageOps.posterize(image, value)),
        ("solarize", [0, 128.5, 255], lambda image, value: ImageOps.solarize(image, value)),
        ("autocontrast", [0], lambda image, _: ImageOps.autocontrast(image)),
        ("equalize", [0], lambda image, _: ImageOps.equalize(image)),
    ]
    for value in values
    for kind, image in [("plain", plain), ("dull", dull)]
]


def packed(image, **options):
    """A file's bytes, and what Pillow makes of them: RGB bytes, and its values as they are, of which 1 bit is 255."""
    file = io.BytesIO()
    image.save(file, **options)
    file.seek(0)
    opened = ImageOps.exif_transpose(Image.open(file))
    stored = opened.convert("L")
    return {
        "file": base64.b64encode(file.getvalue()).decode(),
        "width": opened.width,
        "height": opened.height,
        "rgb": text(opened.convert("RGB")),
        "values": base64.b64encode(bytes(int(value) for value in stored.getdata())).decode(),
    }


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


cmyk = Image.frombytes("CMYK", (8, 8), picture(8, 8, 4))
bits = Image.frombytes("L", (11, 3), bytes(255 * (value % 2) for value in picture(11, 3, 1))).convert("1")
golden["decode"] = {
    "CMYK in TIFF": packed(cmyk, format="TIFF"),
    "CMYK in JPEG, inverted as Adobe does": packed(cmyk, format="JPEG", quality=100, subsampling=0),
    "1 bit in PNG": packed(bits, format="PNG"),
    "1 bit in TIFF": packed(bits, format="TIFF"),
    "1 bit in TIFF, as fax": packed(bits, format="TIFF", compression="group4"),
}
ids = Image.frombytes("L", (3, 2), bytes([1, 2, 3, 1, 1, 2]))
for orientation in range(1, 9):
    golden["decode"][f"PNG turned by {orientation}"] = packed(ids, format="PNG", exif=turned(orientation))
    golden["decode"][f"TIFF turned by {orientation}"] = packed(ids, format="TIFF", exif=turned(orientation))

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
