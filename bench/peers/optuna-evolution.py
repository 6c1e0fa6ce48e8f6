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
parser.add_argument("--first-seed", type=int, default=0)
parser.add_argument("--problems", nargs="*", help="by name, such as 'sphere 10'; default all")
args = parser.parse_args()
seeds = range(args.first_seed, args.first_seed + args.seeds)
result = {}
for problem in CMA_ES + NSGA2:
    name = problem[0]
    if args.problems and name not in args.problems:
        continue
    if problem in CMA_ES:
        result[name] = [study_of(problem, optuna.samplers.CmaEsSampler(seed=s), 1).best_value for s in seeds]
    else:
        studies = (study_of(problem, optuna.samplers.NSGAIISampler(seed=s), 2) for s in seeds)
        result[name] = [hypervolume([t.values for t in study.trials]) for study in studies]
print(json.dumps(result))
