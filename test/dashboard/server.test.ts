import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { get, request } from 'node:http';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { UserError } from '../../src/base/errors.js';
import { dashboard } from '../../src/dashboard/dashboard.js';
import { MOST_STREAMS } from '../../src/dashboard/event-stream.js';
import type { Moment, RunChange, RunRow } from '../../src/dashboard/protocol.js';
import { MOST_POINTS } from '../../src/dashboard/series.js';
import { lockFolder } from '../../src/files/folder-lock.js';
import { runEvent, sampleRun, stepEvent } from '../loggers/sample-run.js';
import { type Message, messagesOf, Served, text, until } from './served.js';

const isAt = ({ event }: Message) => event === 'at';
const runsIn = (messages: readonly Message[]) =>
  new Map(
    messages
      .filter(({ event }) => event === 'run')
      .map(({ data }) => [(data as RunChange).row.name, data as RunChange]),
  );

describe('dashboard: the runs', () => {
  const served = new Served();
  before(async () => {
    served.log('whole', sampleRun());
    served.log('other', [runEvent({ run: 'other', adapter: 'serial_lora', config: { rank: 8 } })]);
    const torn = `${text(sampleRun().slice(0, 6))}no event\n{"type":"step","step":-1}\n${'x'.repeat(3 << 20)}\n${text(sampleRun().slice(6))}`;
    served.log('torn', torn);
    mkdirSync(join(served.dir, 'logs', 'no-run'));
    await served.start();
  });
  after(() => served.close());

  const listed = async (query = '') => {
    const answer = await served.get(`/api/runs${query}`);
    return { status: answer.status, body: await answer.text() };
  };
  /** Lists the runs once all files are read. */
  const rows = async (query = '') => {
    for (;;) {
      const { runs } = JSON.parse((await listed(query)).body) as { runs: RunRow[] };
      if (runs.every(({ name, step }) => name !== 'torn' || step === 12)) return runs;
    }
  };

  it('are listed with state, scores and settings; lines that are no events are counted', async () => {
    const runs = new Map((await rows()).map((row) => [row.name, row]));
    assert.deepEqual([...runs.keys()], ['other', 'torn', 'whole']);
    const { state, scores, step, settings, parameters, malformed } = runs.get('whole')!;
    assert.deepEqual(
      { state, step, malformed, parameters },
      { state: 'finished', step: 12, malformed: 0, parameters: 3843 },
    );
    assert.equal(scores['softDice'], 0.8);
    assert.equal(settings['rank'], 4);
    assert.equal(runs.get('torn')!.malformed, 3);
    assert.equal(runs.get('torn')!.step, 12);
    assert.match(runs.get('torn')!.problem!, /expected an event, got no event/);
    assert.equal(runs.get('other')!.state, 'interrupted');
  });

  it('are filtered as by `millrace runs --where`', async () => {
    assert.deepEqual(
      (await rows('?where=rank>=8')).map(({ name }) => name),
      ['other'],
    );
    const { status, body } = await listed('?where=adaptr=lora');
    assert.equal(status, 400);
    assert.match(body, /did you mean adapter/);
  });

  it('come as a stream: rows of all, details of those that were asked for', async () => {
    const reader = messagesOf(await served.get('/api/events?run=whole'));
    const runs = runsIn(await until(reader, ({ data }) => (data as Moment).runs?.length === 3));
    const { series, splits, pictures } = runs.get('whole')!.details!;
    assert.deepEqual(
      series['loss']!.steps,
      Array.from({ length: 12 }, (_, i) => i + 1),
    );
    assert.deepEqual(series['loss']!.values.slice(0, 2), [1, 0.5]);
    assert.equal(series['validation/softDice']!.values.length, 3);
    assert.ok(splits['test']!.scores['loss']);
    assert.deepEqual(pictures, []);
    assert.equal(runs.get('other')!.details, undefined);
    await reader.return(undefined);
  });
});

describe('dashboard: a run of another process', () => {
  const served = new Served();
  afterEach(() => served.stop());
  after(() => served.close());

  it('grows in the stream, is complete after a reconnection, and starts anew when its file is replaced', async () => {
    const path = served.log('live', [runEvent({ run: 'live' })]);
    const release = lockFolder(join(served.dir, 'logs', 'live'));
    await served.start();
    const first = messagesOf(await served.get('/api/events?run=live'));
    const row = runsIn(await until(first, isAt)).get('live')!.row;
    assert.equal(row.state, 'running');

    const step1 = text([stepEvent(1)]);
    appendFileSync(path, step1.slice(0, 40));
    appendFileSync(path, step1.slice(40));
    const seen = await until(first, ({ data }) => (data as RunChange).details?.series['loss'] !== undefined);
    assert.deepEqual((seen.at(-1)!.data as RunChange).details!.series['loss'], {
      from: 0,
      steps: [1],
      values: [1],
    });
    const { id } = (await until(first, isAt)).at(-1)!;
    await first.return(undefined);

    appendFileSync(path, text([stepEvent(2)]));
    const again = messagesOf(await served.get('/api/events?run=live', { 'Last-Event-ID': id! }));
    const after = await until(again, ({ data }) => (data as RunChange).details?.series['loss'] !== undefined);
    assert.deepEqual((after.at(-1)!.data as RunChange).details!.series['loss'], {
      from: 1,
      steps: [2],
      values: [0.5],
    });

    writeFileSync(`${path}.new`, text([runEvent({ run: 'live' }), stepEvent(7)]));
    renameSync(`${path}.new`, path);
    const replaced = await until(again, ({ data }) => (data as RunChange).row?.step === 7);
    assert.deepEqual((replaced.at(-1)!.data as RunChange).details!.series['loss']!.steps, [7]);
    release();
    await until(again, ({ data }) => (data as RunChange).row?.state === 'interrupted');
    await again.return(undefined);
  });

  it('of any length has a bounded number of points', async () => {
    const steps = Array.from({ length: 10_000 }, (_, i) => stepEvent(i + 1, { loss: i < 5000 ? 1 : 0 }));
    served.log('long', [runEvent({ run: 'long', batches: 10_000 }), ...steps]);
    await served.start();
    const reader = messagesOf(await served.get('/api/events?run=long'));
    const points: { steps: number[]; values: (number | null)[] } = { steps: [], values: [] };
    await until(reader, ({ event, data }) => {
      if (event !== 'run') return false;
      const { row, details } = data as RunChange;
      const change = details?.series['loss'];
      if (row.name === 'long' && change) {
        points.steps.splice(change.from, Infinity, ...change.steps);
        points.values.splice(change.from, Infinity, ...change.values);
      }
      return row.step === 10_000;
    });
    assert.ok(points.steps.length <= MOST_POINTS && points.steps.length > MOST_POINTS / 2);
    assert.equal(points.steps.at(-1), 10_000);
    assert.ok(points.steps.every((step, i) => i === 0 || step > points.steps[i - 1]!));
    assert.equal(points.values[0], 1);
    assert.equal(points.values.at(-1), 0);
    await reader.return(undefined);
  });
});

describe('dashboard: access', () => {
  const served = new Served();
  before(async () => {
    served.log('whole', sampleRun());
    mkdirSync(join(served.dir, 'logs', 'whole', 'pictures'));
    writeFileSync(join(served.dir, 'logs', 'whole', 'pictures', 'epoch-1.jpg'), 'picture');
    writeFileSync(join(served.dir, 'secret.jpg'), 'secret');
    symlinkSync(join(served.dir, 'secret.jpg'), join(served.dir, 'logs', 'whole', 'link.jpg'));
    mkdirSync(join(served.dir, 'outside'));
    writeFileSync(join(served.dir, 'outside', 'events.jsonl'), text(sampleRun()));
    symlinkSync(join(served.dir, 'outside'), join(served.dir, 'logs', 'linked'));
    served.log('by-link', '');
    symlinkSync(join(served.dir, 'outside', 'events.jsonl'), join(served.dir, 'logs', 'by-link', 'new'));
    renameSync(
      join(served.dir, 'logs', 'by-link', 'new'),
      join(served.dir, 'logs', 'by-link', 'events.jsonl'),
    );
    await served.start();
    await served.get('/api/runs');
  });
  after(() => served.close());

  /** The status of a request whose path is sent as it is. */
  const statusOf = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<number>((resolve, reject) => {
      const { hostname, port } = new URL(served.address);
      const asked = request({ hostname, port, path, headers, method }, (answer) => {
        answer.resume();
        resolve(answer.statusCode!);
      });
      asked.on('error', reject).end();
    });

  it('serves the pictures of a run and nothing outside its folder, by whatever path or link', async () => {
    const files = '/api/runs/whole/files';
    assert.equal(await (await served.get(`${files}/pictures/epoch-1.jpg`)).text(), 'picture');
    for (const path of [
      `${files}/../../secret.jpg`,
      `${files}/..%2f..%2fsecret.jpg`,
      `${files}/%2e%2e/%2e%2e/secret.jpg`,
      `${files}/${encodeURIComponent(join(served.dir, 'secret.jpg'))}`,
      `${files}//${join(served.dir, 'secret.jpg')}`,
      `${files}/link.jpg`,
      `${files}/pictures%00.jpg`,
      `${files}/events.jsonl`,
      '/api/runs/..%2fwhole/files/pictures/epoch-1.jpg',
      '/page/..%2f..%2fpackage.json',
      '/page/../../package.json',
    ])
      assert.equal(await statusOf(path), 404, path);
  });

  it('shows no run that lies elsewhere', async () => {
    const { runs, problems } = (await (await served.get('/api/runs')).json()) as {
      runs: RunRow[];
      problems: string[];
    };
    assert.deepEqual(
      runs.map(({ name }) => name),
      ['by-link', 'whole'],
    );
    assert.match(problems[0]!, /^linked: a link that leads out/);
    assert.equal(runs[0]!.state, 'malformed');
    assert.equal(runs[0]!.adapter, null);
  });

  it('refuses other names of this machine, other sites, other methods and large headers', async () => {
    const { port } = new URL(served.address);
    assert.equal(await statusOf('/api/runs', { host: `localhost:${port}` }), 200);
    assert.equal(await statusOf('/api/runs', { host: `evil.example:${port}` }), 403);
    assert.equal(await statusOf('/api/runs', { host: `127.0.0.1.evil.example:${port}` }), 403);
    assert.equal(
      await statusOf('/api/events', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }),
      403,
    );
    assert.equal(await statusOf('/api/runs', {}, 'POST'), 404);
    assert.equal(await statusOf('/api/runs', { 'x-large': 'x'.repeat(20_000) }), 431);
    assert.equal(await statusOf('/api/runs'), 200);
  });

  it('survives a thousand event streams: some are served, the others refused, and all end with the server', async () => {
    const statuses = await Promise.all(
      Array.from(
        { length: 1000 },
        () =>
          new Promise<number>((resolve, reject) => {
            get(`${served.address}api/events?run=*`, (answer) => {
              answer.on('error', () => {}).resume();
              resolve(answer.statusCode!);
            }).on('error', reject);
          }),
      ),
    );
    assert.equal(statuses.filter((status) => status === 200).length, MOST_STREAMS);
    assert.equal(statuses.filter((status) => status === 503).length, 1000 - MOST_STREAMS);
    assert.equal((await served.get('/api/runs')).status, 200);
    served.stop();
    await assert.rejects(served.get('/api/runs'));
  });
});

describe('dashboard: beyond loopback', () => {
  const served = new Served();
  before(async () => {
    served.log('whole', sampleRun());
    await served.start({ host: '0.0.0.0' });
  });
  after(() => served.close());

  it('asks for the token, which becomes a cookie', async () => {
    const token = new URL(served.address).searchParams.get('token')!;
    assert.ok(token.length >= 32);
    for (const path of ['/', '/api/runs', '/api/events', `/api/runs?token=${token}x`, '/?token='])
      assert.equal((await served.get(path)).status, 401, path);
    const entered = await served.get(`/?token=${token}`);
    assert.deepEqual([entered.status, entered.headers.get('location')], [303, '/']);
    const cookie = entered.headers.get('set-cookie')!;
    assert.match(cookie, /HttpOnly; SameSite=Strict/);
    assert.equal((await served.get('/api/runs', { cookie: cookie.split(';')[0]! })).status, 200);
    assert.equal((await served.get('/api/runs', { cookie: cookie.split(';')[0]!.slice(0, -1) })).status, 401);
  });

  it('has another token each time', async () => {
    const other = new Served();
    other.log('whole', sampleRun());
    const address = await other.start({ host: '0.0.0.0' });
    assert.notEqual(new URL(address).search, new URL(served.address).search);
    other.close();
  });
});

describe('dashboard: what it cannot serve', () => {
  it('says where it looked, and which port is taken', async () => {
    await assert.rejects(lastValueFrom(dashboard({ logs: 'nowhere', port: 0 })), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /^--logs nowhere: expected a folder of runs' logs, got/);
      return true;
    });
    const served = new Served();
    served.log('whole', sampleRun());
    const port = Number(new URL(await served.start()).port);
    await assert.rejects(
      lastValueFrom(dashboard({ logs: served.dir, port })),
      /--port: expected a free port/,
    );
    served.close();
  });
});
