"""What PEFT's initialize_lora_eva_weights makes of A, on a folder that holds a ViTModel.

    python test/peers/interop/eva_twin.py FOLDER MODULE...

Reads images.safetensors (NHWC) there, and writes eva.safetensors: A of each module, [rank, inputs].
"""

import sys

import with_torchvision  # noqa: F401, before what imports torchvision
from peft import EvaConfig, LoraConfig, get_peft_model, initialize_lora_eva_weights
from safetensors.torch import load_file, save_file
from transformers import ViTModel

folder, *modules = sys.argv[1:]
model = ViTModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager")
config = LoraConfig(r=4, target_modules=modules, init_lora_weights="eva", eva_config=EvaConfig(rho=1.0))
model = get_peft_model(model, config, low_cpu_mem_usage=True)
images = load_file(f"{folder}/images.safetensors")["images"].permute(0, 3, 1, 2).contiguous()
# Its own preparation of inputs is for tokens of text.
plain = dict(prepare_model_inputs_fn=None, prepare_layer_inputs_fn=None)
initialize_lora_eva_weights(model, [{"pixel_values": images}], show_progress_bar=False, **plain)
weights = {name: value.contiguous() for name, value in model.named_parameters() if ".lora_A." in name}
save_file(weights, f"{folder}/eva.safetensors")
