"""Prints what bench/peers/optuna-evolution.py does for 'sphere 10', a hundred times as fast: many studies at a time.

    venv/bin/python bench/peers/optuna-cma-es-twin.py --seeds 100 --check optuna.json   # equal to a rounding error
    venv/bin/python bench/peers/optuna-cma-es-twin.py --first-seed 300 --seeds 10000 > twin.json
    venv/bin/python bench/peers/optuna-cma-es-twin.py --first-seed 300 --seeds 10000 --draws independent > independent.json

Optuna seeds each trial's draws by an integer in 1..65535 plus the trial's number, so all studies of all seeds take
theirs from the same 66,334 vectors. `--draws independent` replaces them by draws that no two trials share.
"""

import argparse
import json
import math

import numpy as np
from cmaes import CMA

N, TRIALS, LOW, HIGH = 10, 800, -5.12, 5.12
ATTEMPTS = 6  # kept of each seed; Optuna draws up to 101 times for a point inside the bounds
BATCH = 2000


def optunas_draws():
    random = np.random.RandomState()
    table = np.empty((2**16 - 1 + TRIALS, ATTEMPTS, N))
    for seed in range(1, len(table)):
        random.seed(seed)
        table[seed] = random.randn(ATTEMPTS, N)
    return table


def trial_seeds(seed):
    """What CmaEsSampler draws for trials 1 and on; until trial 11's distribution is stored it makes a new CMA each time."""
    random = np.random.RandomState(seed)
    seeds = np.zeros(TRIALS, int)
    for number in range(1, TRIALS):
        if number <= 11:
            random.randint(1, 2**31 - 2)
        seeds[number] = random.randint(1, 2**16) + number
    return seeds


def best_values(first, draws):
    """The best values of studies that begin at the points `first`; `draws(number)` has ATTEMPTS vectors for each study."""
    cma = CMA(mean=np.full(N, 0.5), sigma=1 / 6)
    weights, mu, size = cma._weights, cma._mu, cma.population_size
    c_sigma, c_c, c_1, c_mu = cma._c_sigma, cma._cc, cma._c1, cma._cmu
    studies = np.arange(len(first))
    mean, sigma = np.full(first.shape, 0.5), np.full(len(first), 1 / 6)
    path_sigma, path_c = np.zeros(first.shape), np.zeros(first.shape)
    covariance = np.tile(np.eye(N), (len(first), 1, 1))
    best = np.sum(first**2, axis=1)
    for generation, start in enumerate(range(1, TRIALS, size), 1):
        eigenvalues, basis = np.linalg.eigh((covariance + covariance.transpose(0, 2, 1)) / 2)
        axes = np.sqrt(np.where(eigenvalues < 0, 1e-8, eigenvalues))
        points, losses = [], []
        for number in range(start, min(start + size, TRIALS)):
            y = np.einsum("bij,bkj->bki", basis * axes[:, None, :], draws(number))
            x = mean[:, None, :] + sigma[:, None, None] * y
            inside = np.all((x >= 0) & (x <= 1), axis=2)
            assert inside.any(axis=1).all(), "raise ATTEMPTS"
            x = LOW + x[studies, inside.argmax(axis=1)] * (HIGH - LOW)
            losses.append(np.sum(x**2, axis=1))
            points.append((x - LOW) / (HIGH - LOW))
        best = np.minimum(best, np.min(losses, axis=0))
        if len(points) < size:
            break
        order = np.argsort(np.stack(losses, 1), axis=1, kind="stable")
        points = np.take_along_axis(np.stack(points, 1), order[:, :, None], 1)

        # CMA.tell, for all studies at once
        y = (points - mean[:, None, :]) / sigma[:, None, None]
        move = np.sum(y[:, :mu] * weights[None, :mu, None], axis=1)
        whiten = np.einsum("bij,bkj->bik", basis / axes[:, None, :], basis)
        mean = mean + sigma[:, None] * move
        path_sigma = (1 - c_sigma) * path_sigma + math.sqrt(c_sigma * (2 - c_sigma) * cma._mu_eff) * np.einsum(
            "bij,bj->bi", whiten, move
        )
        length = np.linalg.norm(path_sigma, axis=1)
        sigma = sigma * np.exp(c_sigma / cma._d_sigma * (length / cma._chi_n - 1))
        moving = (
            length / math.sqrt(1 - (1 - c_sigma) ** (2 * (generation + 1))) < (1.4 + 2 / (N + 1)) * cma._chi_n
        ).astype(float)
        path_c = (1 - c_c) * path_c + (moving * math.sqrt(c_c * (2 - c_c) * cma._mu_eff))[:, None] * move
        norms = np.sum(np.einsum("bij,bkj->bki", whiten, y) ** 2, axis=2)
        scaled = np.where(weights >= 0, weights, weights * N / (norms + 1e-8))
        keep = 1 + c_1 * (1 - moving) * c_c * (2 - c_c) - c_1 - c_mu * np.sum(weights)
        covariance = (
            keep[:, None, None] * ((basis * (axes**2)[:, None, :]) @ basis.transpose(0, 2, 1))
            + c_1 * path_c[:, :, None] * path_c[:, None, :]
            + c_mu * np.einsum("bk,bki,bkj->bij", scaled, y, y)
        )
    return best


def batches(seeds, independent):
    table = None if independent else optunas_draws()
    random = np.random.default_rng(seeds[0])
    for at in range(0, len(seeds), BATCH):
        batch = seeds[at : at + BATCH]
        first = np.array([np.random.RandomState(seed).uniform(LOW, HIGH, N) for seed in batch])
        if independent:
            yield best_values(first, lambda _: random.standard_normal((len(batch), ATTEMPTS, N)))
        else:
            own = np.array([trial_seeds(seed) for seed in batch])
            yield best_values(first, lambda number: table[own[:, number]])


parser = argparse.ArgumentParser()
parser.add_argument("--seeds", type=int, default=50)
parser.add_argument("--first-seed", type=int, default=0)
parser.add_argument("--draws", choices=["optuna", "independent"], default="optuna")
parser.add_argument("--check", help="what optuna-evolution.py printed for the same seeds: prints the largest relative difference")
args = parser.parse_args()
seeds = range(args.first_seed, args.first_seed + args.seeds)
values = np.concatenate(list(batches(seeds, args.draws == "independent")))
if args.check:
    with open(args.check) as file:
        theirs = np.array(json.load(file)["sphere 10"])
    print(f"{len(values)} seeds, largest relative difference {np.max(np.abs(values / theirs - 1)):.2g}")
else:
    print(json.dumps({"sphere 10": values.tolist()}))
