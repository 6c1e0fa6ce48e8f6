"""Writes TIFFs of many layouts into a folder, and their values as JSON: [name, channels, values pixel by pixel].

    python test/peers/tiff/tiff_twin.py FOLDER
"""

import json
import os
import sys

import numpy as np
import tifffile

folder = sys.argv[1]
HEIGHT, WIDTH = 37, 45
values = np.random.default_rng(5).integers(0, 65536, (13, HEIGHT, WIDTH), dtype=np.uint16)
written = []


def write(name, channels, data=None, pages=False, **options):
    """Writes [channels, height, width], with bands together, apart, or as pages."""
    picture = values[:channels] if data is None else data
    path = os.path.join(folder, f"{name}.tif")
    options = {"photometric": "minisblack", "metadata": None, **options}
    if pages:
        with tifffile.TiffWriter(path) as file:
            for page in picture:
                file.write(page, contiguous=False, **options)
    elif options.get("planarconfig") == "separate":
        tifffile.imwrite(path, picture, **options)
    else:
        tifffile.imwrite(path, np.ascontiguousarray(picture.transpose(1, 2, 0)), planarconfig="contig", **options)
    written.append([name, channels, picture.transpose(1, 2, 0).flatten().tolist()])


for channels in (2, 4, 13):
    for name, options in {
        "plain": {},
        "big-endian": {"byteorder": ">"},
        "big": {"bigtiff": True},
        "strips": {"rowsperstrip": 5},
        "tiles": {"tile": (16, 16)},
        "deflate": {"compression": "zlib", "predictor": True},
        "lzw": {"compression": "lzw", "predictor": True},
        "packbits": {"compression": "packbits"},
        "zstd": {"compression": "zstd"},
        "tiled-deflate": {"compression": "zlib", "predictor": True, "tile": (32, 16)},
    }.items():
        write(f"{name}-{channels}", channels, **options)
        write(f"{name}-{channels}-apart", channels, planarconfig="separate", **options)
    write(f"pages-{channels}", channels, pages=True)
    write(f"pages-deflate-{channels}", channels, pages=True, compression="zlib", predictor=True)
write("bytes-4", 4, data=(values[:4] >> 8).astype(np.uint8))
write("floats-4", 4, data=(values[:4] / np.float32(65536)).astype(np.float32))
write("floats-4-deflate", 4, data=(values[:4] / np.float32(65536)).astype(np.float32), compression="zlib", predictor=True)
write("signed-4", 4, data=(values[:4].astype(np.int32) - 32768).astype(np.int16))
json.dump(written, sys.stdout)
