"""Optuna's side of a study whose workers watch each other's heartbeats.

    python heartbeats.py hang URL NAME GRACE    begins a trial, prints its number, and hangs
    python heartbeats.py work URL NAME GRACE    runs one trial, which fails the stale ones first
"""
import sys
import time
import warnings

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def hang(trial):
    print(trial.number, flush=True)
    time.sleep(3600)


what, url, name, grace = sys.argv[1:]
storage = optuna.storages.RDBStorage(url, heartbeat_interval=1, grace_period=int(grace))
study = optuna.load_study(study_name=name, storage=storage)
study.optimize(hang if what == "hang" else lambda trial: 0.0, n_trials=1)
