"""Writes Parquet files with pyarrow in each codec and page version, as the `cases` on standard input say."""

import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq

folder = sys.argv[1]
cases = json.load(sys.stdin)
names = ["cat", "dog", "owl"]
notes = {"huggingface": json.dumps({"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}})}
rows = 40
picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def contents(k: int) -> bytes:
    return bytes((k * i + k) % 256 for i in range(100 + 37 * k))


table = pa.table(
    {
        "image": pa.array([{"bytes": contents(k), "path": f"{k}.png"} for k in range(rows)], picture),
        "mask": pa.array([contents(k % 3) for k in range(rows)], pa.binary()),
        "label": pa.array([k % 3 if k % 7 else None for k in range(rows)], pa.int64()),
        "group": pa.array([f"p{k // 5}" for k in range(rows)], pa.string()),
        "weight": pa.array([k / 4 for k in range(rows)], pa.float32()),
    }
).replace_schema_metadata(notes)
for case in cases:
    options = {key: value for key, value in case.items() if key != "name"}
    pq.write_table(table, f"{folder}/{case['name']}.parquet", **options)
json.dump([contents(k).hex() for k in range(rows)], sys.stdout)
