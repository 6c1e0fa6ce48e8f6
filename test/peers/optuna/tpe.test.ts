import assert from 'node:assert/strict';
import { type Python } from '../../../bench/peers/python.js';
import type { ParamValue } from '../../../exports/study.js';
import { compareProposals, emptyTally } from '../../study/samplers/compare-proposals.js';
import { kinds, proposals, randomCases } from '../../study/samplers/tpe-cases.js';
import { needsPython } from '../python.js';

/**
 * With MILLRACE_PLAIN_NUMPY=1 numpy stays as it is on this processor, and what is equal is only counted: its sort leaves
 * equal observations in an order, and its exp and log round in places, that depend on the processor.
 */
const plain = process.env['MILLRACE_PLAIN_NUMPY'] === '1';

for (const [version, defaults] of [
  ['4.9.0', 'optuna4'],
  ['5.0.0', 'optuna5'],
] as const) {
  describe(`TPE beside Optuna ${version}`, function () {
    let python: Python;
    before(async function () {
      python = await needsPython(this, `optuna-${version}`, [`optuna==${version}`, 'numpy==2.4.6']);
    });

    for (const kind of kinds) {
      it(`proposes the same: ${kind.name}`, async function () {
        const cases = randomCases(kind, 60, 1);
        const twin = new URL('tpe_twin.py', import.meta.url);
        const { asked } = await python.json<{ asked: Record<string, ParamValue>[][] }>(twin, [], {
          plain,
          cases,
        });
        const tally = emptyTally();
        for (const [i, each] of cases.entries())
          compareProposals(each, await proposals(each, defaults), asked[i]!, tally);
        const { values, equal, ulps, wrong } = tally;
        console.log(`      ${equal} of ${values} values equal, the others within ${ulps.toFixed(2)} ulp`);
        if (plain) return;
        assert.deepEqual(wrong, []);
        assert.ok(equal >= 0.98 * values);
      });
    }
  });
}
