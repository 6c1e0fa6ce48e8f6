"""Python's huggingface_hub on a cache that we share.

    python test/peers/interop/hub_twin.py fetch ENDPOINT HOME REPO   downloads config.json and model.safetensors
    python test/peers/interop/hub_twin.py read ENDPOINT HOME REPO    finds both offline, and what it knows to be absent

Answers the paths.
"""

import json
import os
import sys

mode, endpoint, home, repo = sys.argv[1:]
os.environ |= {"HF_ENDPOINT": endpoint, "HF_HOME": home, "HF_HUB_OFFLINE": "0" if mode == "fetch" else "1"}
from huggingface_hub import hf_hub_download, scan_cache_dir, try_to_load_from_cache  # noqa: E402

paths = [hf_hub_download(repo, name) for name in ("config.json", "model.safetensors")]
absent = try_to_load_from_cache(repo, "preprocessor_config.json")
found = scan_cache_dir()
print(json.dumps({"paths": paths, "absent": type(absent).__name__, "warnings": [str(one) for one in found.warnings]}))
