"""Runs Optuna's CmaEsSampler over the studies that standard input describes; prints the parameters of their trials."""

import json
import sys
import warnings

import optuna

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def run(case):
    space = {
        name: getattr(optuna.distributions, fields["name"])(**{k: v for k, v in fields.items() if k != "name"})
        for name, fields in case["space"].items()
    }
    study = optuna.create_study(
        direction=case["direction"], sampler=optuna.samplers.CmaEsSampler(**case["options"])
    )
    for number in range(case["trials"]):
        trial = study.ask()
        params = {name: trial._suggest(name, distribution) for name, distribution in space.items()}
        value = sum(weight * (params[name] - centre) ** 2 for name, (weight, centre) in case["bowl"].items())
        if number in case["failed"]:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        elif number in case["pruned"]:
            trial.report(value, 0)
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, value)
    return [trial.params for trial in study.trials]


print(json.dumps([run(case) for case in json.load(sys.stdin)]))
