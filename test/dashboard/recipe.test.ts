import assert from 'node:assert/strict';
import { once } from 'node:events';
import { sampleRun } from '../loggers/sample-run.js';
import { run, start } from '../recipes/run.js';
import { messagesOf, Served, until } from './served.js';

describe('recipes/dashboard', () => {
  const served = new Served();
  after(() => served.close());

  it('prints its address, and on SIGTERM ends its streams and exits as other recipes', async () => {
    served.log('whole', sampleRun());
    const running = start('dashboard', ['--logs', 'logs/', '--port', '0'], served.dir);
    const [line] = (await once(running.process.stdout!, 'data')) as [string];
    const address = /http:\/\/127\.0\.0\.1:\d+\//.exec(line)?.[0];
    assert.ok(address, line);
    const stream = messagesOf(await fetch(`${address}api/events?run=whole`));
    await until(stream, ({ event }) => event === 'at');
    running.process.kill('SIGTERM');
    await assert.rejects(until(stream, () => false));
    const { code, stderr } = await running.ended;
    assert.equal(code, 143);
    assert.match(stderr, /^\ndashboard: stopping on SIGTERM; repeat to quit at once\n$/);
  });

  it('says what is wrong with its flags', async () => {
    const { code, stderr } = await run('dashboard', ['--logs', 'nowhere'], served.dir);
    assert.deepEqual([code, stderr.split('\n').length], [1, 2]);
    assert.match(stderr, /^dashboard: --logs nowhere: expected a folder of runs' logs, got/);
  });
});
