"""Prints, as JSON, how many trials a second Optuna's TPE asks and tells: the other half of `bench -- study versus`.

optuna_speed.py TRIALS [STORAGE]
"""

import json
import sys
import time

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
trials = int(sys.argv[1])
storage = sys.argv[2] if len(sys.argv) > 2 else None
study = optuna.create_study(storage=storage, sampler=optuna.samplers.TPESampler(seed=1))

start = time.perf_counter()
for _ in range(trials):
    trial = study.ask()
    x = trial.suggest_float("x", -100, 100)
    y = trial.suggest_int("y", -100, 100)
    study.tell(trial, x * x + y * y)
print(json.dumps({"trials_per_s": trials / (time.perf_counter() - start), "best": study.best_value}))
