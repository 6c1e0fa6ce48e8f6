"""Makes cma-es.json: what the package cmaes (the one behind Optuna's sampler) makes of given points, and numpy of matrices.

    python -m venv venv && venv/bin/pip install 'cmaes==0.13.1'
    venv/bin/python test/study/samplers/cma-es/golden/make_cma_es.py
"""

import json
import pathlib

import numpy as np
from cmaes import CMA

updates = []
for n, size, generations, slope in (
    (2, None, 12, False),
    (5, None, 20, False),
    (3, 4, 10, False),
    (20, None, 6, False),
    (8, 20, 1, True),
):
    cma = CMA(mean=np.full(n, 0.5), sigma=1 / 6, population_size=size, seed=n)
    history = []
    for _ in range(generations):
        points = [cma.ask() for _ in range(cma.population_size)]
        # an ellipsoid, turned, or a slope, on which the first step is long
        losses = [
            sum(p) if slope else sum(10**i * (p[i] + p[(i + 1) % n] - 0.6) ** 2 for i in range(n)) for p in points
        ]
        cma.tell(list(zip(points, losses)))
        order = np.argsort(losses, kind="stable")
        history.append([points[i].tolist() for i in order])
    updates.append({"n": n, "populationSize": cma.population_size, "byDefault": size is None, "points": history, "mean": cma._mean.tolist(),
                    "sigma": cma._sigma, "covariance": cma._C.ravel().tolist()})

random = np.random.RandomState(1)
eigen = []
for n in (1, 2, 2, 3, 3, 5, 10, 25):
    factor = random.randn(n, n)
    matrix = factor @ factor.T if n > 3 else factor + factor.T
    values, vectors = np.linalg.eigh(matrix)
    eigen.append({"n": n, "matrix": matrix.ravel().tolist(), "values": values.tolist(), "vectors": vectors.ravel().tolist()})
target = pathlib.Path(__file__).with_name("cma-es.json")
target.write_text(json.dumps({"updates": updates, "eigen": eigen}) + "\n")
