import { writeFile } from 'node:fs/promises';
import { pythonWith } from '../../../bench/peers/python.js';
import { kinds, randomCases } from '../../study/samplers/tpe-cases.js';

// Writes test/study/samplers/tpe/golden/tpe-*.json: histories of every kind, and what Optuna proposed after them.
// node --import tsx test/peers/optuna/make-tpe-golden.ts
for (const version of ['4.9.0', '5.0.0']) {
  const python = await pythonWith(`optuna-${version}`, [`optuna==${version}`, 'numpy==2.4.6']);
  const cases = kinds.flatMap((kind) => randomCases({ ...kind, most: 36 }, 2, 7));
  const twin = new URL('tpe_twin.py', import.meta.url);
  const { asked } = await python.json<{ asked: unknown[] }>(twin, [], { plain: false, cases });
  const file = new URL(`../../study/samplers/tpe/golden/tpe-${version}.json`, import.meta.url);
  const lines = cases.map((each, i) => JSON.stringify({ case: each, asked: asked[i] }));
  await writeFile(file, `[\n${lines.join(',\n')}\n]\n`);
}
