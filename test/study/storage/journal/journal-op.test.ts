import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createStudy } from '../../../../src/study/create-study.js';
import { floatDistribution } from '../../../../src/study/trials/make-distribution.js';
import { floatText } from '../../../../src/study/trials/python-json.js';
import { needsPlace } from '../../databases.js';
import { middle } from '../../sampler.js';

describe('the journal', () => {
  it('writes floats as Python does, where whole ones are no ints', async function () {
    const place = await needsPlace(this, 'journal');
    const study = await createStudy({ storage: place.url, sampler: middle });
    const trial = await study.ask();
    trial.suggestFloat('x', 0, 4);
    trial.suggestInt('n', 2, 2);
    await trial.report(1, 0);
    trial.setUserAttr('count', 7);
    await study.tell(trial, -3);
    await study.addTrial({
      state: 'COMPLETE',
      values: [4],
      params: { x: 1 },
      distributions: { x: floatDistribution(0, 2) },
      intermediateValues: new Map([[5, 6]]),
    });
    await study.close();
    const lines = readFileSync(place.url.slice('journal://'.length), 'utf8');
    for (const text of [
      '"param_name": "x", "param_value_internal": 2.0',
      '"param_name": "n", "param_value_internal": 2.0',
      '"step": 0, "intermediate_value": 1.0',
      '"values": [-3.0]',
      '"user_attr": {"count": 7}',
      '"value": 4.0',
      '"params": {"x": 1.0}',
      '"intermediate_values": {"5": 6.0}',
    ])
      assert(lines.includes(text), `${text} in\n${lines}`);
    await place.remove();
  });

  // json.loads of Python reads each as a float.
  for (const [x, text] of [
    [0, '0.0'],
    [-0, '-0.0'],
    [1e21, '1e+21'],
    [123456789012345680, '123456789012345680.0'],
    [5e-324, '5e-324'],
    [0.1, '0.1'],
    [Number.NaN, 'NaN'],
    [-Infinity, '-Infinity'],
  ] as const)
    it(`writes ${text}`, () => assert.equal(floatText(x), text));
});
