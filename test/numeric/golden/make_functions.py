"""Writes functions.json: correctly rounded values of exp, ln, powers, erf and erfc, and sums in numpy's order.

python3 make_functions.py > functions.json    (mpmath 1.4, numpy 2.4.6)
"""

import json
import random

import mpmath
import numpy

mpmath.mp.prec = 200
random.seed(1)


def values(f, arguments):
    return [[x, float(f(mpmath.mpf(x)))] for x in arguments]


def uniform(low, high, count=60):
    return [random.uniform(low, high) for _ in range(count)]


print(
    json.dumps(
        {
            "exp": values(mpmath.exp, uniform(-40, 5) + uniform(-1e-3, 1e-3, 20) + uniform(-745, -700, 8) + [709.5]),
            "log": values(mpmath.log, uniform(0, 1) + uniform(0.985, 1.015, 40) + uniform(1, 1e6) + [5e-324, 1e300]),
            "pow": [[n, d, float(mpmath.mpf(n) ** (mpmath.mpf(-1.0 / (d + 4))))] for n in (2, 3, 10, 99, 2500) for d in (1, 2, 6)],
            "erf": values(mpmath.erf, uniform(-7, 7) + uniform(-1e-9, 1e-9, 8)),
            "erfc": values(mpmath.erfc, uniform(-7, 26)),
            "sums": [[n, float((1 / (numpy.arange(n) + 1.0)).sum())] for n in (3, 8, 20, 128, 129, 1000, 5000)],
        }
    )
)
