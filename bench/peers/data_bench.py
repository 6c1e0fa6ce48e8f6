"""Loads pictures and masks as Python does: by PIL in processes, or by a PyTorch DataLoader with torchvision or albumentations.

Takes {"pairs": [[image, mask], ...], "size", "batch", "passes", "workers"} on standard input and prints one JSON object.
"""
import json
import os
import resource
import sys
import time

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import numpy as np
from PIL import Image

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    """Processor time of this process and of workers that still run."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    total = own.ru_utime + own.ru_stime
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def pil_pair(args):
    image, mask, size = args
    picture = Image.open(image).convert("RGB").resize((size, size), Image.BILINEAR)
    ids = Image.open(mask).resize((size, size), Image.NEAREST)
    return np.asarray(picture), np.asarray(ids)


def pil(job):
    from multiprocessing import Pool

    work = [(image, mask, job["size"]) for image, mask in job["pairs"]]
    with Pool(job["workers"]) as pool:
        pids = [worker.pid for worker in pool._pool]

        def one_pass():
            for _ in pool.imap(pil_pair, work, chunksize=job["batch"]):
                pass

        return timed(one_pass, lambda: pids, job)


def import_torchvision():
    """Imports torchvision beside torch for the processor too, where PyPI's build lacks its compiled operators."""
    import torch

    register = torch.library.register_fake

    def lenient(name, *args, **kwargs):
        describe = register(name, *args, **kwargs)

        def decorate(function):
            try:
                return describe(function)
            except RuntimeError:
                return function

        return decorate

    torch.library.register_fake = lenient
    import torchvision  # noqa: F401

    torch.library.register_fake = register


class Decoded:
    """(a): torchvision v2 resizes what torchvision decodes, or PIL where torchvision's decoder does not load."""

    def __init__(self, job):
        import_torchvision()
        from torchvision.io import ImageReadMode, decode_image
        from torchvision.transforms.v2 import InterpolationMode
        from torchvision.transforms.v2.functional import pil_to_tensor, resize

        self.job, size = job, [job["size"]] * 2

        def by_torchvision(image, mask):
            return decode_image(image, ImageReadMode.RGB), decode_image(mask, ImageReadMode.UNCHANGED)

        def by_pil(image, mask):
            return pil_to_tensor(Image.open(image).convert("RGB")), pil_to_tensor(Image.open(mask))

        try:
            by_torchvision(*job["pairs"][0])
            decoded, self.library = by_torchvision, "torchvision v2"
        except (ImportError, RuntimeError, AttributeError):
            decoded, self.library = by_pil, "PIL, torchvision v2"

        def load(image, mask):
            picture, ids = decoded(image, mask)
            return resize(picture, size, antialias=True), resize(ids, size, InterpolationMode.NEAREST)

        self.load = load

    def __len__(self):
        return len(self.job["pairs"])

    def __getitem__(self, index):
        return self.load(*self.job["pairs"][index])


def transforms(size):
    import albumentations as A
    from albumentations.pytorch import ToTensorV2

    return A.Compose(
        [
            A.RandomResizedCrop((size, size), scale=(0.5, 1)),
            A.HorizontalFlip(p=0.5),
            A.Rotate(15, p=0.5, border_mode=0, fill_mask=255),
            A.ColorJitter((0.8, 1.2), (0.8, 1.2), (0.8, 1.2), (0, 0), p=0.8),
            A.Normalize(),
            ToTensorV2(),
        ]
    )


class Augmented:
    """(b): OpenCV decodes, albumentations augments."""

    def __init__(self, job):
        self.job, self.changes = job, transforms(job["size"])

    def __len__(self):
        return len(self.job["pairs"])

    def arrays(self, index):
        import cv2

        image, mask = self.job["pairs"][index]
        picture = cv2.imread(image)
        if picture is None:
            return tuple(np.asarray(Image.open(file).convert(mode)) for file, mode in ((image, "RGB"), (mask, "L")))
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), cv2.imread(mask, cv2.IMREAD_GRAYSCALE)

    def __getitem__(self, index):
        image, mask = self.arrays(index)
        result = self.changes(image=image, mask=mask)
        return result["image"], result["mask"]


class FromArrays(Augmented):
    """(c): pictures that were decoded and resized before."""

    def __init__(self, job):
        super().__init__(job)
        self.known = [pil_pair((image, mask, job["size"])) for image, mask in job["pairs"]]

    def arrays(self, index):
        return self.known[index]


def loader(job, data):
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    pictures = data(job)
    batches = torch.utils.data.DataLoader(
        pictures, batch_size=job["batch"], shuffle=True, num_workers=job["workers"], persistent_workers=True
    )

    def one_pass():
        for _ in batches:
            pass

    result = timed(one_pass, lambda: [worker.pid for worker in batches._iterator._workers], job)
    return {**result, "library": getattr(pictures, "library", "albumentations")}


def timed(one_pass, pids, job):
    one_pass()
    start, cpu = time.perf_counter(), cpu_seconds(pids())
    for _ in range(job["passes"]):
        one_pass()
    seconds = time.perf_counter() - start
    count = len(job["pairs"]) * job["passes"]
    return {
        "s_per_step": seconds / count,
        "images_per_s": count / seconds,
        "cpu_ms_per_image": 1000 * (cpu_seconds(pids()) - cpu) / count,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


SIDES = {
    "pil-decode": pil,
    "loader-decode": lambda job: loader(job, Decoded),
    "loader-augment": lambda job: loader(job, Augmented),
    "loader-cached": lambda job: loader(job, FromArrays),
}

if __name__ == "__main__":
    print(json.dumps(SIDES[sys.argv[1]](json.load(sys.stdin))))
