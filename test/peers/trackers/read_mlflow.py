"""Prints what MLflow's client reads of an experiment on a server, as JSON: the runs by name."""

import json
import math
import sys

from mlflow import MlflowClient

uri, experiment = sys.argv[1:]
client = MlflowClient(uri)


def number(value):
    return value if math.isfinite(value) else str(value)


def files(run_id, path=None):
    for entry in client.list_artifacts(run_id, path):
        yield from files(run_id, entry.path) if entry.is_dir else [[entry.path, entry.file_size]]


def read(run):
    run_id = run.info.run_id
    history = {name: client.get_metric_history(run_id, name) for name in run.data.metrics}
    return {
        "name": run.info.run_name,
        "id": run_id,
        "status": run.info.status,
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": {name: [[point.step, number(point.value)] for point in points] for name, points in history.items()},
        "artifacts": sorted(files(run_id)),
    }


found = client.get_experiment_by_name(experiment)
json.dump([read(run) for run in client.search_runs([found.experiment_id])], sys.stdout)
