"""The other side of src/adapters' PEFT files: transformers and peft themselves.

Reads {base, jobs} from standard input. `base` is a folder of transformers' ViTModel with images.safetensors (NHWC) in
it. A job with a `config` makes an adapter of PEFT's own, with all its tensors random, and saves it to `folder`; one
without loads the adapter of ours that lies there. <folder>.safetensors gets the tokens, and the logits where there is
a head.
"""

import json
import sys

import torch
from peft import (
    GraloraConfig,
    HiraConfig,
    LoraConfig,
    MissConfig,
    PeftModel,
    ShiraConfig,
    get_peft_model,
)
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import ViTModel

class Head(nn.Module):
    def __init__(self, hidden, classes):
        super().__init__()
        self.conv = nn.Conv2d(hidden, hidden // 2, 3, padding=1)
        self.classify = nn.Conv2d(hidden // 2, classes, 1)

    def forward(self, grid):
        return self.classify(self.conv(grid).relu())


class Segmenter(nn.Module):
    """What a Python user of our model writes: a ViT and a head."""

    def __init__(self, vit):
        super().__init__()
        self.vit = vit
        self.head = Head(vit.config.hidden_size, 3)
        self.config = vit.config

    def forward(self, images):
        tokens = self.vit(images).last_hidden_state
        side = int((tokens.shape[1] - 1) ** 0.5)
        grid = tokens[:, 1:].transpose(1, 2).unflatten(2, (side, side))
        logits = nn.functional.interpolate(
            self.head(grid), scale_factor=self.config.patch_size, mode="bilinear", align_corners=False
        )
        return tokens, logits.permute(0, 2, 3, 1)


CONFIGS = {
    "LORA": LoraConfig,
    "GRALORA": GraloraConfig,
    "HIRA": HiraConfig,
    "MISS": MissConfig,
    "SHIRA": ShiraConfig,
}


def combined(base, images, folder, combine):
    """PEFT's own add_weighted_adapter over adapters that lie in sub-folders."""
    model = ViTModel.from_pretrained(base, add_pooling_layer=False, attn_implementation="eager")
    names = list(combine["weights"])
    model = PeftModel.from_pretrained(model, f"{folder}/{names[0]}", adapter_name=names[0])
    for name in names[1:]:
        model.load_adapter(f"{folder}/{name}", name)
    weights = list(combine["weights"].values())
    options = {"svd_rank": combine["rank"]} if "rank" in combine else {}
    model.add_weighted_adapter(names, weights, "both", combination_type=combine["combination"], **options)
    model.set_adapter("both")
    model.eval()
    with torch.no_grad():
        tokens = model(images).last_hidden_state
    save_file({"tokens": tokens.contiguous()}, f"{folder}.safetensors")


def run(base, images, folder, config=None, segmenter=False):
    torch.manual_seed(1)
    model = ViTModel.from_pretrained(base, add_pooling_layer=False, attn_implementation="eager")
    if segmenter:
        model = Segmenter(model)
    if config is None:
        model = PeftModel.from_pretrained(model, folder)
        filled = load_file(f"{folder}/adapter_model.safetensors")
        for name, module in model.named_modules():
            assert not hasattr(module, "base_layer") or any(key.startswith(name) for key in filled), name
    else:
        model = get_peft_model(model, CONFIGS[config.pop("peft_type")](**config))
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter) * 0.1)
        model.save_pretrained(folder)
    model.eval()
    with torch.no_grad():
        result = model(images)
    tokens, logits = result if segmenter else (result.last_hidden_state, None)
    tensors = {"tokens": tokens} if logits is None else {"tokens": tokens, "logits": logits}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, f"{folder}.safetensors")


given = json.load(sys.stdin)
base = given["base"]
images = load_file(f"{base}/images.safetensors")["images"].permute(0, 3, 1, 2)
for job in given["jobs"]:
    (combined if "combine" in job else run)(base, images, **job)
print(json.dumps(len(given["jobs"])))
