"""Makes cma-es.json: what the package cmaes (the one behind Optuna's sampler) makes of given points.

    python -m venv venv && venv/bin/pip install 'cmaes==0.13.1'
    venv/bin/python test/study/samplers/golden/make_cma_es.py
"""

import json
import pathlib

import numpy as np
from cmaes import CMA

cases = []
for n, size, generations in ((2, None, 12), (5, None, 20), (3, 4, 10), (20, None, 6)):
    cma = CMA(mean=np.full(n, 0.5), sigma=1 / 6, population_size=size, seed=n)
    history = []
    for _ in range(generations):
        points = [cma.ask() for _ in range(cma.population_size)]
        # an ellipsoid, turned
        losses = [sum(10**i * (p[i] + p[(i + 1) % n] - 0.6) ** 2 for i in range(n)) for p in points]
        cma.tell(list(zip(points, losses)))
        order = np.argsort(losses, kind="stable")
        history.append([points[i].tolist() for i in order])
    cases.append({"n": n, "populationSize": cma.population_size, "points": history, "mean": cma._mean.tolist(),
                  "sigma": cma._sigma, "covariance": cma._C.ravel().tolist()})
target = pathlib.Path(__file__).with_name("cma-es.json")
target.write_text(json.dumps(cases) + "\n")
