import assert from 'node:assert/strict';
import { createStudy } from '../../src/study/create-study.js';
import type { Json } from '../../src/study/trials/frozen-trial.js';
import { TrialEndedError } from '../../src/study/trials/trial-ended-error.js';
import { overPlaces } from '../study/over-places.js';

class Point {
  x = 1;
}
const circle: Record<string, unknown> = {};
circle['self'] = { again: circle };
const deep = (levels: number): Json => (levels === 0 ? 1 : [deep(levels - 1)]);
const holes: unknown[] = [1];
holes[2] = 3;

/** What JavaScript holds and JSON does not, with what the error says of it. */
const NO_JSON: readonly (readonly [unknown, RegExp])[] = [
  [undefined, /got undefined; use null, or leave it out/],
  [() => 1, /got a function/],
  [Symbol('s'), /got a symbol/],
  [1n, /got a BigInt; use Number\(x\) or String\(x\)/],
  [new Date(0), /got a Date; use date.toISOString\(\)/],
  [new Map([['a', 1]]), /got a Map; use Object.fromEntries\(map\)/],
  [new Set([1]), /got a Set; use \[...set\]/],
  [new Float32Array(2), /got a Float32Array; use Array.from/],
  [new Point(), /got a Point/],
  [new Error('no'), /got a Error/],
  [/x/, /got a RegExp/],
  [Object(1), /got a Number/],
  [Promise.resolve(1), /got a Promise/],
  [holes, /got undefined at \[1\]/],
  [{ a: { b: [0, () => 1] } }, /got a function at \.a\.b\[1\]/],
  [{ [Symbol('s')]: 1 }, /got a field named by a symbol/],
  [circle, /got an object that holds itself at \.self\.again/],
  [deep(600), /got more than 500 levels/],
];

overPlaces('values', ({ name, create, again, url, warnings }) => {
  const server = name === 'postgresql' || name === 'mysql';

  it('are refused by the setter if they are not JSON, and the study stays readable', async () => {
    const study = await create();
    const trial = await study.ask();
    for (const [value, message] of NO_JSON) {
      const wrong = value as Json;
      const refused = { name: 'UserError', message };
      assert.throws(() => trial.setUserAttr('commit', wrong), refused);
      assert.throws(
        () => trial.setUserAttr('commit', wrong),
        /^UserError: user attribute "commit": expected JSON/,
      );
      assert.throws(() => trial.setSystemAttr('commit', wrong), refused);
      await assert.rejects(study.setUserAttr('commit', wrong), refused);
      await assert.rejects(study.setSystemAttr('commit', wrong), refused);
      if (value === undefined) continue;
      const attrs = { commit: wrong };
      await assert.rejects(study.addTrial({ state: 'FAIL', userAttrs: attrs }), refused);
      await assert.rejects(study.addTrial({ state: 'FAIL', systemAttrs: attrs }), refused);
      await assert.rejects(study.enqueueTrial({ x: 1 }, { userAttrs: attrs }), refused);
    }
    await study.tell(trial, 1);
    const other = await again();
    const [only, ...more] = await other.trials();
    assert.deepEqual([only!.userAttrs, only!.systemAttrs, more], [{}, {}, []]);
    assert.deepEqual([await other.userAttrs(), await other.systemAttrs()], [{}, {}]);
  });

  it('are stored with the values they had when set', async () => {
    const study = await create();
    const value: Record<string, Json | undefined> = Object.assign(Object.create(null) as object, {
      list: [1, [2, { three: null }]],
      floats: [Number.NaN, Infinity, -Infinity, 0.1, 1e300],
      text: 'a "b" \\ \n\0 Füße 🦶 \u2028 \ud800',
      nothing: undefined,
      deep: deep(400),
    });
    Object.defineProperty(value, '__proto__', { value: { polluted: true }, enumerable: true });
    const expected = JSON.stringify({ ...value, floats: 0 });
    const trial = await study.ask();
    trial.setUserAttr('a', value as Json);
    trial.setUserAttr('__proto__', { b: 1 });
    await study.setUserAttr('a', value as Json);
    (value['list'] as Json[]).push('later');
    value['late'] = true;
    const told = await study.tell(trial, 1);
    const other = await again();
    const [seen] = await other.trials();
    for (const attrs of [told.userAttrs, seen!.userAttrs, await study.userAttrs(), await other.userAttrs()]) {
      const kept = attrs['a'] as Record<string, Json>;
      assert.deepEqual(kept['floats'], [Number.NaN, Infinity, -Infinity, 0.1, 1e300]);
      assert.equal(JSON.stringify({ ...kept, floats: 0 }), expected);
      assert.equal(kept['polluted'], undefined);
    }
    assert.deepEqual(Object.getOwnPropertyDescriptor(seen!.userAttrs, '__proto__')?.value, { b: 1 });
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  it('have names that every storage keeps', async () => {
    const study = await create();
    const trial = await study.ask();
    for (const key of ['a\0b', '\ud800', 'x\udc00y', 1, null, undefined, {}] as string[]) {
      const refused = { name: 'UserError', message: /expected (a name that is a string|text without NUL)/ };
      assert.throws(() => trial.setUserAttr(key, 1), refused);
      assert.throws(() => trial.setSystemAttr(key, 1), refused);
      assert.throws(() => trial.suggestFloat(key, 0, 1), refused);
      await assert.rejects(study.setUserAttr(key, 1), refused);
      await assert.rejects(study.setSystemAttr(key, 1), refused);
      if (key !== undefined) await assert.rejects(createStudy({ storage: url(), studyName: key }), refused);
      if (typeof key === 'string') await assert.rejects(study.enqueueTrial({ [key]: 1 }), refused);
    }
    const names = [
      '',
      ' ',
      '\t\n\u001b[31m',
      '🦶',
      '__proto__',
      'constructor',
      'a'.repeat(512),
      '🦶'.repeat(512),
    ];
    for (const key of names) {
      trial.setUserAttr(key, key);
      assert.equal(trial.suggestFloat(key, 0, 1), 0.5);
      assert.equal(trial.suggestFloat(key, 0, 1), 0.5);
    }
    await study.tell(trial, 1);
    const [seen] = await (await again()).trials();
    assert.deepEqual(Object.keys(seen!.userAttrs).toSorted(), names.toSorted());
    assert.deepEqual(Object.keys(seen!.params).toSorted(), names.toSorted());
  });

  it('are refused at once where the database has no room for them, by their name', async () => {
    const study = await create();
    const trial = await study.ask();
    const long = 'k'.repeat(513);
    const attempt = (limited: boolean, what: () => unknown, message: RegExp) =>
      limited ? assert.throws(what, { name: 'UserError', message }) : what();
    attempt(
      server,
      () => trial.setUserAttr(long, 1),
      /^user attribute "k+…": expected a name of at most 512 letters/,
    );
    attempt(server, () => trial.suggestFloat(long, 0, 1), /^parameter "k+…": expected a name of at most 512/);
    const text = 'ü'.repeat(40_000);
    attempt(
      name === 'mysql',
      () => trial.setUserAttr('log', text),
      /^user attribute "log": expected at most 65535 bytes/,
    );
    attempt(
      name === 'mysql',
      () => trial.setSystemAttr('log', [text]),
      /^system attribute "log": expected at most/,
    );
    const choices = Array.from({ length: 9000 }, (_, i) => `choice ${i}`);
    attempt(
      name === 'mysql',
      () => trial.suggestCategorical('c', choices),
      /^parameter "c": expected choices of at most/,
    );
    if (server) await assert.rejects(trial.report(1, 2 ** 31), /expected a step of at most 2147483647/);
    else await trial.report(1, 2 ** 31);
    if (name === 'mysql')
      await assert.rejects(study.setUserAttr('log', text), /expected at most 65535 bytes/);
    else await study.setUserAttr('log', text);
    trial.setUserAttr('last', 'x'.repeat(65_533));
    await trial.report(2, 2 ** 31 - 1);
    assert.equal((await study.tell(trial, 1)).state, 'COMPLETE');
    const [seen] = await (await again()).trials();
    assert.equal((seen!.userAttrs['last'] as string).length, 65_533);
    assert.equal(seen!.intermediateValues.get(2 ** 31 - 1), 2);
    assert.equal(seen!.userAttrs['log'], name === 'mysql' ? undefined : text);
  });

  it('are reported as numbers at whole steps, and as nothing else', async () => {
    const study = await create();
    const trial = await study.ask();
    for (const value of [undefined, null, '0.5', {}, [1], true, 1n, new Date()] as unknown as number[])
      await assert.rejects(trial.report(value, 1), {
        name: 'UserError',
        message: /^report: expected a value that is/,
      });
    for (const step of [-1, 0.5, Number.NaN, Infinity, '1', null, undefined, 2 ** 53] as unknown as number[])
      await assert.rejects(trial.report(1, step), {
        name: 'UserError',
        message: /^report: expected a step that is/,
      });
    await trial.report(-Infinity, 0);
    const [seen] = await (await again()).trials();
    assert.deepEqual([...seen!.intermediateValues], [[0, -Infinity]]);
  });

  it('cannot change when the trial was told: not here, and not in the storage', async () => {
    const study = await create();
    const trial = await study.ask();
    trial.suggestFloat('x', 0, 1);
    await trial.report(1, 0);
    const told = await study.tell(trial, 1);
    const before = JSON.stringify(told);
    for (const change of [
      () => trial.setUserAttr('a', 1),
      () => trial.setSystemAttr('a', 1),
      () => trial.suggestFloat('y', 0, 1),
    ])
      assert.throws(change, TrialEndedError);
    await assert.rejects(trial.report(2, 1), TrialEndedError);
    await assert.rejects(study.tell(trial, 2), TrialEndedError);
    assert.equal(trial.suggestFloat('x', 0, 1), 0.5);
    assert.equal(JSON.stringify((await study.trials())[0]), before);
    const [seen] = await (await again()).trials();
    assert.deepEqual(
      [seen!.values, seen!.params, seen!.userAttrs, seen!.systemAttrs, [...seen!.intermediateValues]],
      [[1], { x: 0.5 }, {}, {}, [[0, 1]]],
    );
    assert.deepEqual(warnings, []);
  });

  it('of a trial may be 12,000 parameters', async () => {
    const study = await create();
    const trial = await study.ask();
    for (let i = 0; i < 12_000; i++) trial.suggestInt(`p${i}`, 0, 2);
    assert.equal((await study.tell(trial, 1)).state, 'COMPLETE');
    const [seen] = await (await again()).trials();
    assert.equal(Object.keys(seen!.params).length, 12_000);
  });
});
