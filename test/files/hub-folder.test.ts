import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../src/base/errors.js';
import { hubFolder, type WantedFiles } from '../../src/files/hub/hub-folder.js';
import { hubSettings } from '../../src/files/hub/hub-settings.js';
import { dropAfter, wrongBytes } from './file-server.js';
import { COMMIT, type HubServer, hubServer, TOKEN } from './hub-server.js';

const large = Buffer.from(Array.from({ length: 50_000 }, (_, i) => i % 251));
const wanted: WantedFiles = {
  all: ['config.json'],
  optional: ['preprocessor_config.json'],
  oneOf: ['model.safetensors', 'other.bin'],
};

describe('hubFolder', () => {
  let hub: HubServer;
  let dir: string;
  const names = Object.keys(process.env).filter((name) => /^(HF|HUGGING)/.test(name));
  const before = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  beforeEach(async () => {
    hub = await hubServer();
    dir = await mkdtemp(join(tmpdir(), 'millrace-hub-'));
    for (const name of names) delete process.env[name];
    Object.assign(process.env, { HF_HOME: dir, HF_ENDPOINT: hub.url });
    const files = {
      'config.json': Buffer.from('{}'),
      'model.safetensors': large,
      'README.md': Buffer.from('a'),
    };
    hub.repos.set('org/tiny', new Map(Object.entries(files)));
  });
  afterEach(async () => {
    for (const name of Object.keys(process.env).filter((one) => one.startsWith('HF_')))
      delete process.env[name];
    Object.assign(process.env, before);
    await hub.close();
    await rm(dir, { recursive: true });
  });
  const repo = () => join(dir, 'hub', 'models--org--tiny');

  it('downloads what is asked for in the layout of the cache, and asks nothing the second time', async () => {
    const folder = await hubFolder('org/tiny', wanted);
    assert.equal(folder, join(repo(), 'snapshots', COMMIT));
    assert.deepEqual((await readdir(folder)).toSorted(), ['config.json', 'model.safetensors']);
    assert.ok(large.equals(await readFile(join(folder, 'model.safetensors'))));
    assert.equal(await readFile(join(repo(), 'refs', 'main'), 'utf8'), COMMIT);
    assert.deepEqual(await readdir(join(repo(), '.no_exist', COMMIT)), ['preprocessor_config.json']);
    assert.equal((await readdir(join(repo(), 'blobs'))).length, 2);
    const asked = hub.requests.length;
    assert.equal(await hubFolder('org/tiny', wanted), folder);
    process.env['HF_HUB_OFFLINE'] = '1';
    assert.equal(await hubFolder('org/tiny', wanted), folder);
    assert.equal(hub.requests.length, asked);
  });

  it('goes on where a connection broke, with the token for the hub alone', async () => {
    Object.assign(process.env, { HF_TOKEN: TOKEN });
    hub.answers.push(dropAfter(20_000));
    const folder = await hubFolder('org/tiny', wanted);
    assert.ok(large.equals(await readFile(join(folder, 'model.safetensors'))));
    const parts = hub.requests.filter(({ what }) => what.startsWith('GET /cdn/'));
    assert.deepEqual(
      parts.map(({ range, token }) => [range, token]),
      [
        [undefined, undefined],
        ['bytes=20000-', undefined],
      ],
    );
    assert.ok(
      hub.requests.filter(({ what }) => !what.includes('/cdn/')).every(({ token }) => token === TOKEN),
    );
  });

  it('downloads once for two that ask at a time', async () => {
    const folders = await Promise.all([hubFolder('org/tiny', wanted), hubFolder('org/tiny', wanted)]);
    assert.equal(folders[0], folders[1]);
    assert.equal(hub.requests.filter(({ what }) => what.startsWith('GET /cdn/')).length, 1);
  });

  it('refuses other bytes than those of the checksum, and keeps none', async () => {
    hub.answers.push(wrongBytes);
    await assert.rejects(hubFolder('org/tiny', wanted), (error: UserError) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /^org\/tiny: .*expected sha256:\w{64}, got sha256:\w{64}/);
      return true;
    });
    assert.deepEqual(await readdir(join(repo(), 'snapshots', COMMIT)), ['config.json']);
    assert.ok((await hubFolder('org/tiny', wanted)).endsWith(COMMIT));
  });

  for (const [status, token, message] of [
    [401, undefined, /expected a public model, got HTTP 401: .*set HF_TOKEN/],
    [403, undefined, /expected a public model, got HTTP 403: .*set HF_TOKEN/],
    [401, 'hf_bad', /expected a model that the token may read, got HTTP 401/],
    [403, 'hf_bad', /got HTTP 403; accept its terms at http.*\/org\/tiny/],
    [404, undefined, /expected a model of the hub, got none at http.*\/org\/tiny; is the name right/],
  ] as const)
    it(`says what to do about HTTP ${status} ${token ? 'with a token' : 'without a token'}`, async () => {
      hub.guarded.set('org/tiny', status);
      if (token) process.env['HF_TOKEN'] = token;
      await assert.rejects(hubFolder('org/tiny', wanted), message);
    });

  it('reads a private model with the token in its file', async () => {
    hub.guarded.set('org/tiny', 401);
    await writeFile(join(dir, 'token'), `${TOKEN}\n`);
    assert.ok((await hubFolder('org/tiny', wanted)).endsWith(COMMIT));
  });

  it('names what the repository lacks', async () => {
    hub.repos.get('org/tiny')!.delete('model.safetensors');
    await assert.rejects(
      hubFolder('org/tiny', wanted),
      /expected model\.safetensors or other\.bin in .*, got none/,
    );
    hub.repos.get('org/tiny')!.delete('config.json');
    await assert.rejects(hubFolder('org/tiny', wanted), /expected config\.json in .*\/org\/tiny, got none/);
  });

  it('refuses offline what the cache lacks, and says why a hub does not answer', async () => {
    process.env['HF_HUB_OFFLINE'] = 'yes';
    await assert.rejects(hubFolder('org/tiny', wanted), /since HF_HUB_OFFLINE is set, got nothing there/);
    assert.equal(hub.requests.length, 0);
    delete process.env['HF_HUB_OFFLINE'];
    process.env['HF_ENDPOINT'] = 'http://127.0.0.1:9';
    await assert.rejects(hubFolder('org/tiny', wanted), /the hub to answer, got neither \(fetch failed/);
  });

  it('asks for an optional file that a cache of another program says nothing of, and goes on offline', async () => {
    const folder = await hubFolder('org/tiny', wanted);
    await rm(join(repo(), '.no_exist'), { recursive: true });
    hub.repos.get('org/tiny')!.set('preprocessor_config.json', Buffer.from('{"a":1}'));
    process.env['HF_HUB_OFFLINE'] = '1';
    assert.equal(await hubFolder('org/tiny', wanted), folder);
    delete process.env['HF_HUB_OFFLINE'];
    await hubFolder('org/tiny', wanted);
    assert.equal(await readFile(join(folder, 'preprocessor_config.json'), 'utf8'), '{"a":1}');
  });
});

describe('hubSettings', () => {
  it('follows the rules of huggingface_hub', async () => {
    const settings = await hubSettings({ HF_HOME: '/a', HF_TOKEN: ' hf_x\n', HF_ENDPOINT: 'http://mirror/' });
    assert.deepEqual(settings, { endpoint: 'http://mirror', cache: '/a/hub', token: 'hf_x', offline: false });
    const other = await hubSettings({ XDG_CACHE_HOME: '/x', HF_HUB_CACHE: '/c', TRANSFORMERS_OFFLINE: 'ON' });
    assert.deepEqual(other, {
      endpoint: 'https://huggingface.co',
      cache: '/c',
      token: undefined,
      offline: true,
    });
  });
});
