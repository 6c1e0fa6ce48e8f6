"""Asks Optuna's TPESampler what it proposes after given histories.

Standard input: {"plain": whether numpy and its sort stay as they are, "cases": [...]}; standard output: for each case
the parameters of each trial that was asked for.

Unless plain, numpy's argsort is stable, so that ties stand in order of their index (its own order of equals depends on
the processor), and numpy uses the C library's exp and log in place of those for AVX-512, which err by up to one unit
in the last place (X86_V4: numpy 2.4's name for that processor level).
"""

import json
import os
import sys
import warnings

task = json.load(sys.stdin)
if not task["plain"]:
    os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL AVX512_SPR"
warnings.simplefilter("ignore")

import numpy  # noqa: E402
import optuna  # noqa: E402

if not task["plain"]:
    unstable = numpy.argsort
    numpy.argsort = lambda a, *args, **options: unstable(a, *args, **{"kind": "stable", **options})

optuna.logging.set_verbosity(optuna.logging.ERROR)

STATES = {state.name: state for state in optuna.trial.TrialState}


def distribution(fields):
    fields = dict(fields)
    return getattr(optuna.distributions, fields.pop("name"))(**fields)


def distributions(fields):
    return {name: distribution(each) for name, each in fields.items()}


def number(value):
    return float(value)


def run(case):
    options = dict(case["options"])
    if "constraints" in options:
        names = options.pop("constraints")
        options["constraints_func"] = lambda trial: [trial.user_attrs[name] for name in names]
    sampler = optuna.samplers.TPESampler(**options)
    study = optuna.create_study(directions=case["directions"], sampler=sampler)
    for trial in case["trials"]:
        spaces = distributions(trial["distributions"])
        study.add_trial(
            optuna.trial.create_trial(
                state=STATES[trial["state"]],
                values=None if trial["values"] is None else [number(value) for value in trial["values"]],
                params={name: trial["params"][name] for name in spaces},
                distributions=spaces,
                intermediate_values={int(step): number(value) for step, value in trial["intermediate"]},
                user_attrs=trial["userAttrs"],
                system_attrs=trial["systemAttrs"],
            )
        )
    asked = []
    for values, attrs in case["asks"]:
        trial = study.ask()
        for name, fields in case["space"].items():
            trial._suggest(name, distribution(fields))
        asked.append(trial.params)
        for name, value in attrs.items():
            trial.set_user_attr(name, value)
        if values is not None:
            study.tell(trial, values)
    return asked


print(json.dumps({"optuna": optuna.__version__, "numpy": numpy.__version__, "asked": [run(case) for case in task["cases"]]}))
