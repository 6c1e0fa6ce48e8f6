import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PLACES, type Place } from '../../bench/places.js';
import { openStorage } from '../../src/study/open-storage.js';
import { FinishedTrialError, type Storage, type TrialTemplate } from '../../src/study/storage/storage.js';
import type { Distribution } from '../../src/study/trials/distribution.js';
import type { FrozenTrial, Json } from '../../src/study/trials/frozen-trial.js';
import {
  categoricalDistribution,
  floatDistribution,
  intDistribution,
} from '../../src/study/trials/make-distribution.js';
import { needsPlace } from '../study/databases.js';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => value as Json);
const key = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('a', 'A', 'a ', 'á', '__proto__'),
);

for (const name of Object.keys(PLACES)) {
  describe(`storage contract: ${name}`, () => {
    let place: Place | undefined;
    let storage: Storage;
    /** The same studies, seen by another process. */
    let other: Storage;
    let names = 0;
    const newStudy = (directions = ['minimize'] as ('minimize' | 'maximize')[]) =>
      storage.createStudy(`study ${names++}`, directions);
    const read = async (id: number, from = other) => (await from.readTrials([id]))[0]!;
    const all = async (study: number, from = other) =>
      from.readTrials((await from.readHeads(study, -1, [])).map(({ id }) => id));

    before(async function () {
      place = await needsPlace(this, name);
      storage = await openStorage(place.url);
      other = name === 'memory' ? storage : await openStorage(place.url);
    });
    after(async () => {
      await other?.close();
      if (other !== storage) await storage?.close();
      await place?.remove();
    });

    describe('studies', () => {
      it('keeps name, directions and attributes, and lists them in order of creation', async () => {
        const first = await storage.createStudy('Füße 🦶 "quoted" \\ %', ['minimize', 'maximize']);
        const second = await storage.createStudy('b', ['maximize']);
        const value = {
          list: [1, 2.5, null, true],
          text: 'a "b"\nc',
          no: Number.NaN,
          up: Infinity,
          down: -Infinity,
        };
        await storage.setStudyAttr(first, 'user', 'key', 'old');
        await storage.setStudyAttr(first, 'user', 'key', value);
        await storage.setStudyAttr(first, 'system', 'key', [3]);
        const expected = {
          id: first,
          name: 'Füße 🦶 "quoted" \\ %',
          directions: ['minimize', 'maximize'],
          userAttrs: { key: value },
          systemAttrs: { key: [3] },
        };
        const found = (await other.findStudy('Füße 🦶 "quoted" \\ %'))!;
        const fields = ({ id, name, directions, userAttrs, systemAttrs }: typeof found) => ({
          id,
          name,
          directions,
          userAttrs,
          systemAttrs,
        });
        assert.deepEqual(fields(found), expected);
        const listed = (await other.studies()).filter(({ id }) => id === first || id === second);
        assert.deepEqual(listed.map(fields), [
          expected,
          { id: second, name: 'b', directions: ['maximize'], userAttrs: {}, systemAttrs: {} },
        ]);
      });

      it('refuses a name that is taken, whoever took it', async () => {
        await storage.createStudy('taken', ['minimize']);
        for (const each of [storage, other])
          await assert.rejects(each.createStudy('taken', ['maximize']), {
            name: 'UserError',
            message: /^study "taken" exists in .*choose another name, or load it/,
          });
        assert.deepEqual((await other.findStudy('taken'))!.directions, ['minimize']);
      });

      it('lets only one of many have a name', async () => {
        const made = await Promise.allSettled(
          [storage, other, storage, other].map((each) => each.createStudy('raced', ['minimize'])),
        );
        assert.equal(made.filter(({ status }) => status === 'fulfilled').length, 1);
      });

      it('deletes a study with all that belongs to it, and nothing else', async () => {
        const doomed = await newStudy(['minimize', 'minimize']);
        const kept = await newStudy();
        await storage.setStudyAttr(doomed, 'user', 'a', 1);
        await storage.setStudyAttr(doomed, 'system', 'a', 1);
        const lost = await storage.createTrial(doomed, wholeTemplate('COMPLETE', [1, 2]));
        const left = await storage.createTrial(kept, wholeTemplate('COMPLETE', [1]));
        await storage.deleteStudy(doomed);
        assert((await other.studies()).every(({ id }) => id !== doomed));
        assert.deepEqual(await other.readTrials([lost.id]), []);
        assertSame(await read(left.id), { ...wholeTemplate('COMPLETE', [1]), id: left.id, number: 0 });
        await assert.rejects(storage.createTrial(doomed), { name: 'UserError', message: /was deleted/ });
      });

      it('gives the name of a deleted study to a new one, which has no trials', async () => {
        const old = await storage.createStudy('again', ['minimize']);
        await storage.createTrial(old);
        await other.deleteStudy(old);
        const fresh = await storage.createStudy('again', ['maximize']);
        assert.deepEqual(await all(fresh), []);
        assert.equal((await storage.createTrial(fresh)).number, 0);
      });
    });

    describe('trials', () => {
      it('numbers from 0 within each study, with ids that rise', async () => {
        const [a, b] = [await newStudy(), await newStudy()];
        const trials = [];
        for (const study of [a, b, a, a, b]) trials.push(await storage.createTrial(study));
        assert.deepEqual(
          trials.map(({ number }) => number),
          [0, 0, 1, 2, 1],
        );
        assert.deepEqual(
          trials.map(({ id }) => id),
          trials.map(({ id }) => id).toSorted((x, y) => x - y),
        );
      });

      it('numbers without gaps when many create at once', async () => {
        const study = await newStudy();
        const made = await Promise.all(
          Array.from({ length: 24 }, (_, i) => [storage, other][i % 2]!.createTrial(study)),
        );
        const sorted = made.toSorted((a, b) => a.id - b.id).map(({ number }) => number);
        assert.deepEqual(
          sorted,
          Array.from({ length: 24 }, (_, i) => i),
        );
      });

      it('creates no more than it may, when many create at once', async () => {
        const study = await newStudy();
        await storage.createTrial(study, { state: 'FAIL', datetimeStart: 0, datetimeComplete: 0 });
        const limit = { states: ['RUNNING', 'COMPLETE'] as const, most: 5 };
        const made = await Promise.all(
          Array.from({ length: 12 }, (_, i) => [storage, other][i % 2]!.createTrialWithin(study, limit)),
        );
        const numbers = made.flatMap((trial) => trial?.number ?? []).toSorted((a, b) => a - b);
        assert.deepEqual(numbers, [1, 2, 3, 4, 5]);
      });

      it('stores one template, where one may be and many come at once', async () => {
        const study = await newStudy();
        const template = wholeTemplate('WAITING', null);
        const limit = { states: ['WAITING'] as const, most: 1 };
        const made = await Promise.all(
          [storage, other, storage, other].map((each) => each.createTrialWithin(study, limit, template)),
        );
        const [first, ...more] = made.filter((trial) => trial !== null);
        assert.deepEqual([first?.number, more], [0, []]);
        assertSame(await read(first!.id), { ...template, id: first!.id, number: 0 });
      });

      it('starts a trial now, RUNNING and empty', async () => {
        const before = Date.now();
        const { id, number } = await storage.createTrial(await newStudy());
        const trial = await read(id);
        assertSame(trial, { id, number, state: 'RUNNING', datetimeStart: trial.datetimeStart });
        assert(Math.abs(trial.datetimeStart! - before) < 10_000, String(trial.datetimeStart));
      });

      for (const state of ['COMPLETE', 'PRUNED', 'FAIL', 'WAITING', 'RUNNING'] as const)
        it(`stores a ${state} template whole`, async () => {
          const study = await newStudy();
          const template = wholeTemplate(state, state === 'COMPLETE' || state === 'PRUNED' ? [0.1] : null);
          const { id } = await storage.createTrial(study, template);
          assertSame(await read(id), { ...template, id, number: 0 });
        });

      it('adds params, reports and attributes to a running trial; what is set again is overwritten', async () => {
        const { id } = await storage.createTrial(await newStudy());
        await storage.writeTrial(id, {
          params: new Map([
            ['b', { internal: 2, distribution: floatDistribution(0, 4) }],
            ['a', { internal: 1, distribution: categoricalDistribution(['x', 'y']) }],
          ]),
          intermediateValues: new Map([
            [7, 1],
            [3, 2],
          ]),
          userAttrs: { u: 1 },
          systemAttrs: { s: 'before' },
        });
        await storage.writeTrial(id, {
          intermediateValues: new Map([[7, 9]]),
          userAttrs: { v: [] },
          systemAttrs: { s: 'after' },
        });
        const trial = await read(id);
        assert.deepEqual(Object.entries(trial.params), [
          ['b', 2],
          ['a', 'y'],
        ]);
        assert.deepEqual(trial.internalParams, { b: 2, a: 1 });
        assert.deepEqual(
          [...trial.intermediateValues],
          [
            [7, 9],
            [3, 2],
          ],
        );
        assert.deepEqual([trial.userAttrs, trial.systemAttrs], [{ u: 1, v: [] }, { s: 'after' }]);
      });

      it('ends a trial with the changes that come along, and then never changes it', async () => {
        const study = await newStudy(['minimize', 'maximize']);
        const { id } = await storage.createTrial(study);
        const time = 1_700_000_000_000;
        const changes = { userAttrs: { last: true } };
        assert.equal(
          await storage.finishTrial(id, { state: 'COMPLETE', values: [1, -Infinity], time, changes }),
          true,
        );
        const ended = await read(id);
        assert.deepEqual(
          [ended.state, ended.values, ended.datetimeComplete, ended.userAttrs],
          ['COMPLETE', [1, -Infinity], time, { last: true }],
        );
        for (const each of [storage, other]) {
          assert.equal(
            await each.finishTrial(id, {
              state: 'FAIL',
              values: null,
              time: 1,
              changes: { userAttrs: { no: 1 } },
            }),
            false,
          );
          assert.equal(await each.claimTrial(id, 1), false);
          await assert.rejects(each.writeTrial(id, { userAttrs: { no: 1 } }), FinishedTrialError);
        }
        assertSame(await read(id), ended);
      });

      it('ends a trial once, when many end it', async () => {
        const { id } = await storage.createTrial(await newStudy());
        const ends = await Promise.all(
          [1, 2, 3, 4].map((value) =>
            [storage, other][value % 2]!.finishTrial(id, { state: 'COMPLETE', values: [value], time: value }),
          ),
        );
        assert.equal(ends.filter(Boolean).length, 1);
        assert.deepEqual((await read(id)).values, [ends.indexOf(true) + 1]);
      });

      it('stores a successor in the same transaction', async () => {
        const study = await newStudy();
        const { id } = await storage.createTrial(study);
        const successor = {
          study,
          template: { ...wholeTemplate('WAITING', null), systemAttrs: { retry_history: [0] } },
        };
        const end = { state: 'FAIL', values: null, time: 1_700_000_000_000, successor } as const;
        assert.deepEqual(
          await Promise.all([storage.finishTrial(id, end), other.finishTrial(id, end)].map((p) => p)).then(
            (r) => r.toSorted(),
          ),
          [false, true],
        );
        const trials = await all(study);
        assert.deepEqual(
          trials.map(({ number, state }) => [number, state]),
          [
            [0, 'FAIL'],
            [1, 'WAITING'],
          ],
        );
        assert.deepEqual(trials[1]!.systemAttrs, { retry_history: [0] });
      });

      it('lets only one claim a waiting trial', async () => {
        const study = await newStudy();
        for (let round = 0; round < 5; round++) {
          const { id } = await storage.createTrial(study, { state: 'WAITING' });
          const time = 1_700_000_000_000;
          const won = await Promise.all(
            [storage, other, storage, other].map((each) => each.claimTrial(id, time)),
          );
          assert.equal(won.filter(Boolean).length, 1);
          const { state, datetimeStart } = await read(id);
          assert.deepEqual([state, datetimeStart], ['RUNNING', time]);
        }
      });

      it('gives heads of what is new and of what was asked for, by id', async () => {
        const [study, elsewhere] = [await newStudy(), await newStudy()];
        const made: FrozenTrial[] = [];
        for (let i = 0; i < 4; i++) {
          made.push(await storage.createTrial(study));
          await storage.createTrial(elsewhere);
        }
        await storage.finishTrial(made[3]!.id, { state: 'PRUNED', values: null, time: 1 });
        const ids = made.map(({ id }) => id);
        const heads = await other.readHeads(study, ids[1]!, [ids[0]!, ids[3]!]);
        assert.deepEqual(
          heads
            .map(({ id, number, state }) => [id, number, state])
            .toSorted((a, b) => Number(a[0]) - Number(b[0])),
          [
            [ids[0], 0, 'RUNNING'],
            [ids[2], 2, 'RUNNING'],
            [ids[3], 3, 'PRUNED'],
          ],
        );
      });

      it('reads more trials at once than one query may name', async () => {
        const study = await newStudy();
        const template: TrialTemplate = {
          state: 'COMPLETE',
          values: [1],
          datetimeStart: 0,
          datetimeComplete: 0,
        };
        const { id } = await storage.createTrial(study, template);
        const many = [...Array.from({ length: 2500 }, (_, i) => id + 1_000_000 + i), id];
        assert.deepEqual(
          (await other.readTrials(many)).map((trial) => trial.id),
          [id],
        );
      });
    });

    describe('names', () => {
      const names = ['a', 'a ', 'A', 'á', 'a\u0301', 'ß', 'ss', '', ' ', '\t', '\u001b[31m', '__proto__'];

      it('are told apart: attributes, parameters, studies', async () => {
        const attrs = fields(names.map((each, i) => [each, i]));
        const { id } = await storage.createTrial(await newStudy());
        const one = { internal: 1, distribution: floatDistribution(0, 4) };
        await storage.writeTrial(id, {
          userAttrs: attrs,
          systemAttrs: attrs,
          params: new Map(names.map((each) => [each, one])),
        });
        for (const each of names) await storage.writeTrial(id, { userAttrs: fields([[each, `${each}!`]]) });
        const trial = await read(id);
        assert.deepEqual(sorted(trial.systemAttrs), sorted(attrs));
        assert.deepEqual(sorted(trial.userAttrs), sorted(fields(names.map((each) => [each, `${each}!`]))));
        assert.deepEqual(Object.keys(trial.params).toSorted(), names.toSorted());

        const studies: number[] = [];
        for (const each of names) studies.push(await storage.createStudy(`of ${each}`, ['minimize']));
        for (const [i, each] of names.entries())
          assert.equal((await other.findStudy(`of ${each}`))?.id, studies[i], JSON.stringify(each));
        for (const [each, value] of Object.entries(attrs))
          await storage.setStudyAttr(studies[0]!, 'user', each, value);
        assert.deepEqual(sorted((await other.findStudy(`of ${names[0]}`))!.userAttrs), sorted(attrs));
      });

      it('may be 20,000 in one trial', async () => {
        const { id } = await storage.createTrial(await newStudy());
        const distribution = intDistribution(0, 20_000);
        const params = Array.from(
          { length: 20_000 },
          (_, i) => [`p${i}`, { internal: i, distribution }] as const,
        );
        const end = {
          state: 'COMPLETE',
          values: [1],
          time: 1,
          changes: { params: new Map(params) },
        } as const;
        assert.equal(await storage.finishTrial(id, end), true);
        const read20000 = (await read(id)).params;
        assert.deepEqual([Object.keys(read20000).length, read20000.p19999], [20_000, 19_999]);
      });
    });

    describe('values', () => {
      it('keeps every float, NaN and the infinities', async () => {
        const study = await newStudy(['minimize', 'minimize']);
        const usual = fc.double({ noNaN: true, min: -100, max: 100 });
        const any = fc.oneof(
          finite,
          usual,
          usual,
          fc.constantFrom(Infinity, -Infinity, 1e308, 5e-324, 0.1 + 0.2),
        );
        await fc.assert(
          fc.asyncProperty(
            fc.tuple(any, any),
            fc.array(fc.oneof(any, fc.constant(Number.NaN))),
            finite,
            async (values, steps, x) => {
              const { id } = await storage.createTrial(study);
              await storage.writeTrial(id, {
                intermediateValues: new Map(steps.entries()),
                params: new Map([['x', { internal: x, distribution: floatDistribution(x, x) }]]),
              });
              await storage.finishTrial(id, { state: 'COMPLETE', values, time: 1 });
              const trial = await read(id);
              // SQL knows no negative zero.
              const plus = (value: number) => value + 0;
              assert.deepEqual(trial.values!.map(plus), values.map(plus));
              assert.deepEqual([...trial.intermediateValues.values()].map(plus), steps.map(plus));
              assert.equal(plus(trial.params.x as number), plus(x));
            },
          ),
          { numRuns: 20 },
        );
      });

      it('keeps every JSON value under every key', async () => {
        const study = await newStudy();
        await fc.assert(
          fc.asyncProperty(fc.dictionary(key, json), key, json, async (attrs, one, value) => {
            const { id } = await storage.createTrial(study);
            await storage.writeTrial(id, { userAttrs: attrs, systemAttrs: { [one]: value } });
            await storage.setStudyAttr(study, 'user', 'any', value);
            const trial = await read(id);
            assert.deepEqual(plain(trial.userAttrs), plain(attrs));
            assert.deepEqual(plain(trial.systemAttrs), plain({ [one]: value }));
          }),
          { numRuns: 20 },
        );
      });

      it('keeps distributions of every kind', async () => {
        const distributions: Distribution[] = [
          floatDistribution(-1, 1),
          floatDistribution(1e-5, 1e-1, { log: true }),
          floatDistribution(0, 1, { step: 0.1 }),
          intDistribution(-5, 5, { step: 5 }),
          intDistribution(1, 1024, { log: true }),
          categoricalDistribution(['a', 1, 2.5, true, false, null, 'Füße', 'NaN']),
          categoricalDistribution([Number.NaN, Infinity, -Infinity, 0]),
        ];
        const { id } = await storage.createTrial(await newStudy());
        const params = distributions.map(
          (distribution, i) => [`p${i}`, { internal: 0, distribution }] as const,
        );
        await storage.writeTrial(id, { params: new Map(params) });
        assert.deepEqual(Object.values((await read(id)).distributions), distributions);
      });

      it('keeps times to its resolution, in any time zone', async () => {
        const study = await newStudy();
        const resolution = name === 'mysql' ? 1000 : 1;
        await fc.assert(
          fc.asyncProperty(fc.integer({ min: 0, max: 4e12 }), async (time) => {
            const template: TrialTemplate = {
              state: 'FAIL',
              datetimeStart: time,
              datetimeComplete: time + 1000,
            };
            const { id } = await storage.createTrial(study, template);
            const { datetimeStart, datetimeComplete } = await read(id);
            assert(Math.abs(datetimeStart! - time) < resolution, `${datetimeStart} for ${time}`);
            assert(Math.abs(datetimeComplete! - time - 1000) < resolution);
          }),
          { numRuns: 10 },
        );
      });
    });
  });
}

/** A trial with something in every field. */
function wholeTemplate(state: FrozenTrial['state'], values: readonly number[] | null): TrialTemplate {
  const finished = state !== 'WAITING' && state !== 'RUNNING';
  return {
    state,
    values,
    params: { x: 0.25, n: 3, c: 'b' },
    internalParams: { x: 0.25, n: 3, c: 1 },
    distributions: {
      x: floatDistribution(0, 1),
      n: intDistribution(1, 9),
      c: categoricalDistribution(['a', 'b']),
    },
    intermediateValues: new Map([
      [0, Number.NaN],
      [2, Infinity],
      [1, 0.5],
    ]),
    userAttrs: { note: 'a "quoted" one' },
    systemAttrs: { fixed_params: { x: 0.25 } },
    datetimeStart: state === 'WAITING' ? null : 1_700_000_000_000,
    datetimeComplete: finished ? 1_700_000_001_000 : null,
  };
}

function assertSame(trial: FrozenTrial, expected: Partial<FrozenTrial>): void {
  const { intermediateValues, ...rest } = trial;
  const empty = {
    values: null,
    params: {},
    internalParams: {},
    distributions: {},
    userAttrs: {},
    systemAttrs: {},
    datetimeStart: null,
    datetimeComplete: null,
  };
  const { intermediateValues: steps = new Map<number, number>(), ...others } = expected;
  assert.deepEqual(rest, { ...empty, ...others });
  const sorted = (map: ReadonlyMap<number, number>) => [...map].toSorted(([a], [b]) => a - b);
  assert.deepEqual(sorted(intermediateValues), sorted(steps));
}

/** An object whose fields may be called `__proto__`. */
const fields = <T>(entries: readonly (readonly [string, T])[]): Record<string, T> =>
  Object.fromEntries(entries);

const sorted = (record: object) => Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));

/** Without what JSON does not keep: negative zeros and prototypes. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
