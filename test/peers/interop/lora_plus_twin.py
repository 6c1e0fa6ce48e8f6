"""The learning rates and weight decays that PEFT's create_loraplus_optimizer gives to the parameters of an adapter.

    python test/peers/interop/lora_plus_twin.py < jobs.json

Standard input has {config, lr, ratio, decay, adapters}: a config of ViTModel, and settings of LoraConfig by name. The answer
has by adapter, and by the name of a parameter, its rate and its decay.
"""

import json
import sys

import with_torchvision  # noqa: F401, before what imports torchvision
import torch
import transformers as hf
from peft import LoraConfig, get_peft_model
from peft.optimizers import create_loraplus_optimizer

job = json.load(sys.stdin)


def groups(settings):
    model = get_peft_model(hf.ViTModel(hf.ViTConfig(**job["config"]), add_pooling_layer=False), LoraConfig(**settings))
    optimizer = create_loraplus_optimizer(
        model, torch.optim.AdamW, lr=job["lr"], loraplus_lr_ratio=job["ratio"], loraplus_weight_decay=job["decay"]
    )
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {
        names[parameter]: [group["lr"], group["weight_decay"]]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


print(json.dumps({name: groups(settings) for name, settings in job["adapters"].items()}))
