"""Makes qmc.json, scipy's unscrambled points, and src/study/samplers/qmc/sobol-directions.ts from its table.

    python -m venv venv && venv/bin/pip install 'scipy==1.17.1'
    venv/bin/python test/study/samplers/qmc/golden/make_qmc.py
"""

import json
import pathlib

import numpy as np
from scipy.stats import _sobol, qmc

DIMENSIONS = 256
here = pathlib.Path(__file__).parent

golden = {"sobol": [], "halton": []}
for name, engine in (("sobol", qmc.Sobol), ("halton", qmc.Halton)):
    for dimensions, start, count in ((1, 0, 16), (2, 0, 16), (7, 1000, 4), (40, 123456, 2), (DIMENSIONS, 77, 1)):
        sequence = engine(dimensions, scramble=False)
        points = (sequence.fast_forward(start) if start else sequence).random(count)
        golden[name].append({"dimensions": dimensions, "start": start, "points": points.tolist()})
(here / "qmc.json").write_text(json.dumps(golden) + "\n")

table = np.load(pathlib.Path(_sobol.__file__).with_name("_sobol_direction_numbers.npz"))
rows = []
for poly, initial in zip(table["poly"][1:DIMENSIONS], table["vinit"][1:DIMENSIONS]):
    degree = int(poly).bit_length() - 1
    rows.append(f"{poly}:{','.join(str(m) for m in initial[:degree])}")
lines, line = [], ""
for row in rows:
    if len(line) + len(row) + 1 > 105:
        lines.append(line)
        line = ""
    line = f"{line} {row}".strip()
lines.append(line)
source = f"""/**
 * Primitive polynomials (their bits, both ends included) and initial direction numbers m_1, m_2, … of Sobol
 * dimensions 2 to {DIMENSIONS}: new-joe-kuo-6.21201 of Joe & Kuo (2008, "Constructing Sobol sequences with better
 * two-dimensional projections"). Written by test/study/samplers/qmc/golden/make_qmc.py.
 */
export const SOBOL_DIRECTIONS = `
{chr(10).join(lines)}
`;
"""
(here / "../../../../../src/study/samplers/qmc/sobol-directions.ts").resolve().write_text(source)
