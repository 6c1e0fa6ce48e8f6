"""Optuna's side of a study that is shared with millrace.

    python interop.py create  URL NAME        a study with a trial of every kind
    python interop.py continue URL NAME N     N further trials by TPE, on the space that millrace's test suggests
    python interop.py dump    URL NAME        the study as JSON, NaN and infinities as strings
"""
import json
import math
import sys
from datetime import datetime, timezone

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

optuna.logging.set_verbosity(optuna.logging.ERROR)


def storage_of(url):
    if not url.startswith("journal://"):
        return optuna.storages.RDBStorage(url)
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(url[len("journal://"):]))


def plain(value):
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def milliseconds(time):
    """Trials show naive dates in local time, whatever the storage holds."""
    return None if time is None else time.timestamp() * 1000


def objective(trial):
    x = trial.suggest_float("x", -10, 10)
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    n = trial.suggest_int("n", 1, 64, log=True)
    kind = trial.suggest_categorical("kind", ["a", "b", None, True, 2, 0.5])
    trial.report(x, 0)
    trial.report(math.nan, 1)
    trial.set_user_attr("from", "optuna")
    return x**2 + abs(math.log10(rate) + 3) + n + (0 if kind == "a" else 1)


def create(study):
    space = {
        "x": FloatDistribution(-10, 10),
        "grid": FloatDistribution(0, 1, step=0.25),
        "rate": FloatDistribution(1e-5, 1e-1, log=True),
        "n": IntDistribution(1, 64, log=True),
        "even": IntDistribution(0, 10, step=2),
        "kind": CategoricalDistribution(["a", "b", None, True, 2, 0.5]),
        "whole": CategoricalDistribution([1.0, 2.0]),
    }
    params = {"x": 0.1, "grid": 0.75, "rate": 0.001, "n": 8, "even": 4, "kind": None, "whole": 2.0}
    values = {0: 1.5, 1: math.nan, 2: math.inf, 3: -math.inf}
    common = {"params": params, "distributions": space, "intermediate_values": values}
    attrs = {"user_attrs": {"note": "Füße", "list": [1, 2.5, None]}}
    study.add_trial(create_trial(value=0.25, **common, **attrs))
    study.add_trial(create_trial(value=math.inf, **common))
    study.add_trial(create_trial(state=TrialState.PRUNED, value=1.5, **common))
    study.add_trial(create_trial(state=TrialState.FAIL, **common))
    study.enqueue_trial({"x": 3.0, "kind": True}, user_attrs={"queued": True})
    running = study.ask()
    running.suggest_float("x", -10, 10)
    study.set_user_attr("who", "optuna")
    study.set_metric_names(["loss"])


def dump(study):
    return {
        "version": optuna.__version__,
        "directions": [d.name.lower() for d in study.directions],
        "userAttrs": plain(study.user_attrs),
        "metricNames": study.metric_names,
        "now": datetime.now(timezone.utc).timestamp() * 1000,
        "trials": [
            {
                "number": t.number,
                "state": t.state.name,
                "values": plain(t.values),
                "params": plain(t.params),
                "types": {k: type(v).__name__ for k, v in t.params.items()},
                "distributions": {k: optuna.distributions.distribution_to_json(d) for k, d in t.distributions.items()},
                "intermediateValues": plain(t.intermediate_values),
                "userAttrs": plain(t.user_attrs),
                "start": milliseconds(t.datetime_start),
                "complete": milliseconds(t.datetime_complete),
            }
            for t in study.get_trials(deepcopy=False)
        ],
    }


command, url, name, *rest = sys.argv[1:]
storage = storage_of(url)
if command == "create":
    create(optuna.create_study(storage=storage, study_name=name))
else:
    sampler = optuna.samplers.TPESampler(seed=1, n_startup_trials=3)
    study = optuna.load_study(storage=storage, study_name=name, sampler=sampler)
    if command == "continue":
        study.optimize(objective, n_trials=int(rest[0]))
    print(json.dumps(dump(study)))
