import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Python } from '../../../bench/peers/python.js';
import { hubFolder } from '../../../src/files/hub/hub-folder.js';
import { type HubServer, hubServer } from '../../files/hub-server.js';
import { needsPython } from '../python.js';
import { INTEROP } from './requirements.js';

const wanted = {
  all: ['config.json', 'model.safetensors'],
  optional: ['preprocessor_config.json'],
};
const weights = Buffer.from('weights');

describe("the hub's cache", () => {
  let python: Python;
  let hub: HubServer;
  let home: string;
  const variables = Object.fromEntries(
    ['HF_HOME', 'HF_ENDPOINT', 'HF_HUB_OFFLINE'].map((name) => [name, process.env[name]]),
  );
  before(async function () {
    python = await needsPython(this, 'interop', INTEROP);
  });
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'millrace-hub-'));
    hub = await hubServer();
    hub.repos.set(
      'org/tiny',
      new Map([
        ['config.json', Buffer.from('{"a":1}')],
        ['model.safetensors', weights],
      ]),
    );
    Object.assign(process.env, { HF_HOME: home, HF_ENDPOINT: hub.url });
  });
  afterEach(async () => {
    // Never the object as a whole: Node then hears of no change, such as that of TZ, any more.
    for (const [name, value] of Object.entries(variables))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    await hub.close();
    await rm(home, { recursive: true });
  });
  const ask = (mode: string) =>
    python.json<{ paths: string[]; absent: string; warnings: string[] }>(
      new URL('hub_twin.py', import.meta.url),
      [mode, hub.url, home, 'org/tiny'],
    );

  it('of ours is read by huggingface_hub, offline', async () => {
    const folder = await hubFolder('org/tiny', wanted);
    const { paths, absent, warnings } = await ask('read');
    assert.deepEqual(paths, [join(folder, 'config.json'), join(folder, 'model.safetensors')]);
    // Python's mark of a file that the repository is known to lack.
    assert.deepEqual([absent, warnings], ['object', []]);
  });

  it('of huggingface_hub is read by us, offline', async () => {
    const { paths } = await ask('fetch');
    const asked = hub.requests.length;
    process.env['HF_HUB_OFFLINE'] = '1';
    const folder = await hubFolder('org/tiny', wanted);
    assert.equal(join(folder, 'model.safetensors'), paths[1]);
    assert.ok(weights.equals(await readFile(paths[1]!)));
    assert.equal(hub.requests.length, asked);
  });
});
