"""What Optuna's pruners decide, report by report, in studies whose trials run four at a time.

    pip install optuna==4.9.0 scipy==1.17.1 && python make_pruners.py > pruners.json

Each case has curves (a list of [step, value] for each trial) and, for each pruner, one string a trial: 0 or 1 for
each report, ending at the first 1. Trials of one group of four report in turn; those that are not pruned are told
their last value, or FAIL where the case says so.
"""
import json
import math

import numpy as np
import optuna
import scipy
from optuna.pruners import (
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    PatientPruner,
    PercentilePruner,
    SuccessiveHalvingPruner,
    ThresholdPruner,
    WilcoxonPruner,
)

optuna.logging.set_verbosity(optuna.logging.ERROR)

# By the expression that makes the same pruner here.
PRUNERS = {
    "new NopPruner()": lambda: NopPruner(),
    "new MedianPruner()": lambda: MedianPruner(),
    "new MedianPruner({ startupTrials: 2, warmupSteps: 3, intervalSteps: 3 })": lambda: MedianPruner(2, 3, 3),
    "new MedianPruner({ startupTrials: 0, minTrials: 4 })": lambda: MedianPruner(0, n_min_trials=4),
    "new PercentilePruner(25, { startupTrials: 4 })": lambda: PercentilePruner(25.0, 4),
    "new PercentilePruner(80, { startupTrials: 1, warmupSteps: 1 })": lambda: PercentilePruner(80.0, 1, 1),
    "new SuccessiveHalvingPruner()": lambda: SuccessiveHalvingPruner(),
    "new SuccessiveHalvingPruner({ minResource: 1, reductionFactor: 2 })": lambda: SuccessiveHalvingPruner(1, 2),
    "new SuccessiveHalvingPruner({ minResource: 2, reductionFactor: 2, minEarlyStoppingRate: 1 })":
        lambda: SuccessiveHalvingPruner(2, 2, 1),
    "new SuccessiveHalvingPruner({ minResource: 1, reductionFactor: 3, bootstrapCount: 3 })":
        lambda: SuccessiveHalvingPruner(1, 3, 0, 3),
    "new HyperbandPruner()": lambda: HyperbandPruner(),
    "new HyperbandPruner({ minResource: 1, maxResource: 12, reductionFactor: 2 })":
        lambda: HyperbandPruner(1, 12, 2),
    "new HyperbandPruner({ minResource: 2, maxResource: 12, reductionFactor: 2, bootstrapCount: 2 })":
        lambda: HyperbandPruner(2, 12, 2, 2),
    "new HyperbandPruner({ minResource: 5 })": lambda: HyperbandPruner(5),
    "new HyperbandPruner({ minResource: 4, maxResource: 4 })": lambda: HyperbandPruner(4, 4),
    "new WilcoxonPruner()": lambda: WilcoxonPruner(),
    "new WilcoxonPruner({ pThreshold: 0.3, startupSteps: 4 })": lambda: WilcoxonPruner(p_threshold=0.3, n_startup_steps=4),
    "new PatientPruner(null, 1)": lambda: PatientPruner(None, 1),
    "new PatientPruner(new MedianPruner({ startupTrials: 1 }), 2, { minDelta: 0.2 })":
        lambda: PatientPruner(MedianPruner(1), 2, 0.2),
    "new ThresholdPruner({ lower: -1, upper: 2 })": lambda: ThresholdPruner(lower=-1, upper=2),
    "new ThresholdPruner({ upper: 1, warmupSteps: 2, intervalSteps: 2 })":
        lambda: ThresholdPruner(upper=1, n_warmup_steps=2, interval_steps=2),
}


def curves(seed, odd):
    """32 curves of 12 reports: a level, a slope and noise; with `odd`, ties, gaps, NaN and infinities too."""
    random = np.random.RandomState(seed)
    result = []
    for _ in range(32):
        level, slope = random.normal(0, 1), random.normal(0, 0.15)
        steps = np.arange(12) if not odd else np.sort(random.choice(24, 12, replace=False))
        values = level + slope * steps + random.normal(0, 0.3, 12)
        values = [round(float(v), 1 if odd else 4) for v in values]
        if odd:
            for i in range(12):
                draw = random.rand()
                if draw < 0.02:
                    values[i] = [math.nan, math.inf, -math.inf][random.randint(3)]
        result.append([[int(s), v] for s, v in zip(steps, values)])
    return result


def short_curves(seed):
    """24 curves of none to four reports at steps that few share, a sixth of them NaN or infinite."""
    random = np.random.RandomState(seed)
    result = []
    for _ in range(24):
        steps = np.sort(random.choice(7, random.randint(5), replace=False))
        values = [round(float(v), 1) for v in random.normal(0, 1, len(steps))]
        values = [[math.nan, math.inf, -math.inf][random.randint(3)] if random.rand() < 1 / 6 else v for v in values]
        result.append([[int(s), v] for s, v in zip(steps, values)])
    return result


def decisions(make, direction, lines, fails):
    study = optuna.create_study(study_name="golden", direction=direction, pruner=make())
    result = []
    for start in range(0, len(lines), 4):
        group = [(study.ask(), line) for line in lines[start : start + 4]]
        said = ["" for _ in group]
        for i in range(12):
            for k, (trial, line) in enumerate(group):
                if said[k].endswith("1") or i >= len(line):
                    continue
                step, value = line[i]
                trial.report(value, step)
                said[k] += "1" if trial.should_prune() else "0"
                if said[k].endswith("1"):
                    study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        for k, (trial, line) in enumerate(group):
            if said[k].endswith("1"):
                continue
            if trial.number in fails or not line or math.isnan(line[-1][1]):
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, line[-1][1])
        result += said
    return result


def text(value):
    return value if math.isfinite(value) else str(value)


cases = []
studies = [
    ("minimize", curves(0, False)),
    ("maximize", curves(1, False)),
    ("minimize", curves(2, True)),
    ("maximize", curves(3, True)),
    *[(direction, short_curves(seed)) for seed in (5, 6) for direction in ("minimize", "maximize")],
]
for direction, lines in studies:
    fails = [5, 17]
    cases.append({
        "direction": direction,
        "fails": fails,
        "curves": [[[step, text(value)] for step, value in line] for line in lines],
        "decisions": {name: decisions(make, direction, lines, fails) for name, make in PRUNERS.items()},
    })

random = np.random.RandomState(4)
ranks = []
for n in [1, 2, 5, 12, 13, 14, 30, 50, 51, 80]:
    for digits in [1, 6]:
        d = np.round(random.normal(0.3, 1, n), digits)
        p = scipy.stats.wilcoxon(d, alternative="greater", zero_method="zsplit").pvalue
        ranks.append({"differences": d.tolist(), "p": float(p)})

made = f"make_pruners.py, optuna {optuna.__version__}, scipy {scipy.__version__}, numpy {np.__version__}"
print(json.dumps({"made by": made, "cases": cases, "ranks": ranks}, separators=(",", ":")))
