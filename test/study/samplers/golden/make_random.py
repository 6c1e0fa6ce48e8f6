"""Writes random.json: what Optuna's RandomSampler proposes, and draws of numpy's RandomState.

python3 make_random.py > random.json    (optuna 4.9.0, numpy 2.4.6)
"""

import json

import numpy
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial):
    trial.suggest_float("x", -5, 3)
    trial.suggest_float("s", 0, 1, step=0.1)
    trial.suggest_int("i", -3, 9)
    trial.suggest_int("il", 1, 1000, log=True)
    trial.suggest_int("is", 0, 18, step=3)
    trial.suggest_categorical("c", ["a", "b", "c"])
    return 0.0


study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=7))
study.optimize(objective, n_trials=20)

random = numpy.random.RandomState(5)
order = list(range(10))
random.shuffle(order)
draws = {
    "shuffle": order,
    "integers": [int(random.randint(count)) for count in (1000, 1, 7, 2**31)],
    "indices": random.choice(4, p=[0.1, 0.2, 0.3, 0.4], size=6).tolist(),
    "uniform": random.uniform(-3, 4),
    "normal": random.randn(5).tolist(),
}
print(json.dumps({"trials": [trial.params for trial in study.trials], "numpy": draws}, indent=2))
