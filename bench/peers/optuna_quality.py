"""Prints, as JSON, the best value of each seed that a sampler of Optuna's reaches: the other half of `bench -- study quality`.

optuna_quality.py SEEDS TRIALS SAMPLER OPTIONS (a class of optuna.samplers and a JSON object of its options)
"""

import json
import math
import sys
import warnings

import numpy
import optuna

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
seeds, trials = int(sys.argv[1]), int(sys.argv[2])
sampler, options = getattr(optuna.samplers, sys.argv[3]), json.loads(sys.argv[4])


def branin(trial):
    x = trial.suggest_float("x", -5, 10)
    y = trial.suggest_float("y", 0, 15)
    a = y - 5.1 * x * x / (4 * math.pi**2) + 5 * x / math.pi - 6
    return a * a + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]
ALPHA = [1.0, 1.2, 3.0, 3.2]


def hartmann(trial):
    x = [trial.suggest_float(f"x{i}", 0, 1) for i in range(6)]
    return -sum(
        alpha * math.exp(-sum(a * (v - p) ** 2 for a, v, p in zip(row, x, centre)))
        for alpha, row, centre in zip(ALPHA, A, P)
    )


def conditional(trial):
    kind = trial.suggest_categorical("kind", ["linear", "tree", "net"])
    if kind == "linear":
        penalty = trial.suggest_float("penalty", 1e-6, 1e2, log=True)
        return 0.3 + 0.02 * (math.log10(penalty) + 1) ** 2
    if kind == "tree":
        depth = trial.suggest_int("depth", 1, 32)
        share = trial.suggest_float("share", 0.1, 1, step=0.05)
        return 0.25 + 0.001 * (depth - 11) ** 2 + 0.1 * (share - 0.6) ** 2
    rate = trial.suggest_float("rate", 1e-5, 1, log=True)
    width = trial.suggest_int("width", 8, 1024, log=True)
    activation = trial.suggest_categorical("activation", ["relu", "tanh", "gelu"])
    bonus = {"relu": 0.02, "tanh": 0.05, "gelu": 0.0}[activation]
    return 0.2 + bonus + 0.03 * (math.log10(rate) + 2.5) ** 2 + 0.01 * (math.log2(width) - 7) ** 2


def noise(seed):
    random = numpy.random.RandomState(seed + 1000)
    return lambda: random.uniform(-1, 1)


def noisy(draw):
    def objective(trial):
        x = [trial.suggest_float(f"x{i}", -5, 5) for i in range(3)]
        true = sum(v * v for v in x)
        trial.set_user_attr("true", true)
        return true + draw()

    return objective


def run(objective, seed, value):
    study = optuna.create_study(sampler=sampler(seed=seed, **options))
    study.optimize(objective, n_trials=trials)
    return value(study)


def best(study):
    return study.best_value


def true(study):
    return study.best_trial.user_attrs["true"]


print(
    json.dumps(
        {
            "Branin": [run(branin, seed, best) for seed in range(seeds)],
            "Hartmann-6": [run(hartmann, seed, best) for seed in range(seeds)],
            "mixed, conditional": [run(conditional, seed, best) for seed in range(seeds)],
            "noisy sphere 3": [run(noisy(noise(seed)), seed, true) for seed in range(seeds)],
        }
    )
)
