"""Writes importance.json: trials, and what Optuna's evaluators make of them.

python3 make_importance.py > importance.json    (optuna 4.9.0, numpy 2.4.6, scikit-learn 1.9.1)
"""

import json
import warnings

import numpy
import optuna
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def mixed(trial):
    x = trial.suggest_float("x", -5, 5)
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    step = trial.suggest_float("step", 0, 1, step=0.25)
    n = trial.suggest_int("n", 1, 100)
    log = trial.suggest_int("log", 1, 64, log=True)
    even = trial.suggest_int("even", 2, 20, step=2)
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    trial.suggest_float("fixed", 1, 1)
    return (
        x * x
        + 3 * abs(numpy.log10(rate) + 3)
        + 2 * step
        + n / 50
        + abs(log - 8) / 4
        + even / 20
        + {"a": 0, "b": 4, "c": 1}[kind]
    )


def linear(trial):
    x = trial.suggest_float("x", 0, 1)
    y = trial.suggest_float("y", 0, 1)
    z = trial.suggest_float("z", 0, 1)
    return 3 * x + 2 * y + z


def rows(study):
    return [{"params": t.params, "value": t.value} for t in study.trials]


random = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
random.optimize(mixed, n_trials=80)
tpe = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
tpe.optimize(lambda t: -mixed(t), n_trials=120)
flat = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=2))
flat.optimize(linear, n_trials=150)

cases = []
for name, study in (("random", random), ("tpe", tpe)):
    for options in (
        {},
        {"target_quantile": 0.3},
        {"target_quantile": 0.2, "region_quantile": 0.6},
        {"evaluate_on_local": False},
    ):
        evaluator = PedAnovaImportanceEvaluator(**options)
        cases.append(
            {
                "study": name,
                "options": options,
                "importances": get_param_importances(study, evaluator=evaluator),
                "raw": get_param_importances(study, evaluator=evaluator, normalize=False),
            }
        )
forests = [
    get_param_importances(flat, evaluator=FanovaImportanceEvaluator(seed=seed), normalize=False) for seed in range(5)
]
print(
    json.dumps(
        {
            "studies": {"random": rows(random), "tpe": rows(tpe), "linear": rows(flat)},
            "pedAnova": cases,
            "fanova": {name: sorted(forest[name] for forest in forests) for name in forests[0]},
        }
    )
)
