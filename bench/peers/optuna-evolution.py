"""Prints, as JSON, what Optuna's CMA-ES and NSGA-II reach by seed: the other half of `npm run bench -- evolution`.

    python -m venv venv && venv/bin/pip install optuna==4.9.0 cmaes==0.13.1
    venv/bin/python bench/peers/optuna-evolution.py --seeds 50 > optuna.json
    npm run bench -- evolution --peer optuna.json
"""

import argparse
import json
import math

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)


def sphere(x):
    return sum(v * v for v in x)


def rosenbrock(x):
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


def zdt(number):
    def f(x):
        g = 1 + 9 * sum(x[1:]) / (len(x) - 1)
        r = x[0] / g
        h = [1 - math.sqrt(r), 1 - r * r, 1 - math.sqrt(r) - r * math.sin(10 * math.pi * x[0])][number - 1]
        return x[0], g * h

    return f


# name, function, dimensions, low, high, trials
CMA_ES = [
    *((f"sphere {d}", sphere, d, -5.12, 5.12, n) for d, n in ((2, 200), (5, 400), (10, 800))),
    *((f"rosenbrock {d}", rosenbrock, d, -5, 10, n) for d, n in ((2, 200), (5, 400), (10, 800))),
]
NSGA2 = [(f"ZDT{i}", zdt(i), 30, 0, 1, 1000) for i in (1, 2, 3)]


def study_of(problem, sampler, objectives):
    _, f, dimensions, low, high, trials = problem
    study = optuna.create_study(directions=["minimize"] * objectives, sampler=sampler)
    study.optimize(lambda t: f([t.suggest_float(f"x{i}", low, high) for i in range(dimensions)]), n_trials=trials)
    return study


def hypervolume(points, reference=(1.1, 11)):
    volume, top = 0.0, reference[1]
    for a, b in sorted(points):
        if a < reference[0] and b < top:
            volume += (reference[0] - a) * (top - b)
            top = b
    return volume


parser = argparse.ArgumentParser()
parser.add_argument("--seeds", type=int, default=50)
parser.add_argument("--only", choices=["cma-es", "nsga2"])
args = parser.parse_args()
result = {}
if args.only != "nsga2":
    for problem in CMA_ES:
        result[problem[0]] = [
            study_of(problem, optuna.samplers.CmaEsSampler(seed=seed), 1).best_value for seed in range(args.seeds)
        ]
if args.only != "cma-es":
    for problem in NSGA2:
        result[problem[0]] = [
            hypervolume([t.values for t in study_of(problem, optuna.samplers.NSGAIISampler(seed=seed), 2).trials])
            for seed in range(args.seeds)
        ]
print(json.dumps(result))
