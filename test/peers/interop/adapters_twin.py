"""Adapters of ours and of PEFT on the encoders that families_twin.py wrote.

    python test/peers/interop/adapters_twin.py BASES < jobs.json

A job has `base`, a folder in BASES, and `folder`. With `targets`, PEFT makes an adapter with random tensors on the modules
whose names end so, and saves it there; without, it loads ours. <folder>.safetensors gets the tokens of the base's images.
"""

import json
import sys
import warnings

import with_torchvision  # noqa: F401, before what imports torchvision
import torch
import transformers as hf
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

bases = sys.argv[1]


def tokens(model, base, images):
    if base == "vit-mae":
        return model(images, noise=torch.arange(16.0).repeat(2, 1)).last_hidden_state
    out = model(images).last_hidden_state
    # The class token alone passes through the last LayerNorm there; here all do, as in timm.
    return model.base_model.model.post_layernorm(out) if base == "clip" else out


def run(base, folder, targets=None, bias="none"):
    torch.manual_seed(1)
    config = json.load(open(f"{bases}/{base}/config.json"))
    model = getattr(hf, config["architectures"][0]).from_pretrained(f"{bases}/{base}")
    if targets is None:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*missing adapter keys.*")
            model = PeftModel.from_pretrained(model, folder)
        filled = load_file(f"{folder}/adapter_model.safetensors")
        for name, module in model.named_modules():
            assert not hasattr(module, "base_layer") or any(key.startswith(name) for key in filled), name
        assert any(hasattr(module, "base_layer") for module in model.modules()), base
    else:
        names = "|".join(targets).replace(".", r"\.")
        # The pooling head of SigLIP has maps of the same names.
        config = LoraConfig(r=3, lora_alpha=5, target_modules=rf".*layers?\.\d+\..*({names})", bias=bias)
        model = get_peft_model(model, config)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter) * 0.1)
        model.save_pretrained(folder)
    images = load_file(f"{bases}/{base}/expected.safetensors")["images"].permute(0, 3, 1, 2)
    with torch.no_grad():
        out = tokens(model.eval(), base, images)
    save_file({"tokens": out.contiguous()}, f"{folder}.safetensors")


jobs = json.load(sys.stdin)
for job in jobs:
    run(**job)
print(json.dumps(len(jobs)))
