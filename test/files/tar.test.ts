import assert from 'node:assert/strict';
import { type TarFile, tarFiles } from '../../src/files/tar.js';
import { tar } from './tar-writer.js';

async function read(archive: Buffer, chunk = 700): Promise<TarFile[]> {
  const found: TarFile[] = [];
  async function* chunks() {
    for (let at = 0; at < archive.length; at += chunk) yield archive.subarray(at, at + chunk);
  }
  for await (const file of tarFiles(chunks(), 'a.tar')) found.push({ ...file, data: Buffer.from(file.data) });
  return found;
}

const paths = async (archive: Buffer) => (await read(archive)).map((file) => file.path);

describe('tarFiles', () => {
  const files = { 'images/a.jpg': 'first', 'b.txt': 'x'.repeat(1500), 'empty/none': '' };

  for (const chunk of [1, 511, 512, 4096])
    it(`reads files whatever the chunks: ${chunk} bytes`, async () => {
      const found = await read(tar(files), chunk);
      assert.deepEqual(Object.fromEntries(found.map(({ path, data }) => [path, data.toString()])), files);
    });

  it('reads prefixes, pax paths and GNU long names', async () => {
    const long = `${'folder/'.repeat(20)}picture.png`;
    assert.deepEqual(await paths(tar({ 'c.txt': '1' }, { prefix: 'a/b' })), ['a/b/c.txt']);
    assert.deepEqual(await paths(tar({ [long]: '1', after: '2' }, { long: 'pax' })), [long, 'after']);
    assert.deepEqual(await paths(tar({ [long]: '1', after: '2' }, { long: 'gnu' })), [long, 'after']);
  });

  it('passes over folders and links', async () => {
    assert.deepEqual(await paths(tar({ folder: '' }, { type: '5' })), []);
    assert.deepEqual(await paths(tar({ link: '' }, { type: '2' })), []);
  });

  for (const path of ['../evil', 'a/../../evil', '/etc/passwd', 'C:/evil', 'a\\..\\evil', '.'])
    it(`refuses the path ${path}`, async () => {
      await assert.rejects(read(tar({ [path]: '1' })), {
        name: 'UserError',
        message: /^a\.tar: expected paths below/,
      });
      await assert.rejects(read(tar({ [path]: '1' }, { long: 'pax' })), { name: 'UserError' });
    });

  it('refuses every truncation', async () => {
    const whole = tar({ 'a.txt': 'x'.repeat(600) });
    // Header, two blocks of data, and the first block of zeros are needed; the second block of zeros is not.
    for (const length of [0, 1, 511, 512, 1000, 1535, 1536, 2047])
      await assert.rejects(read(whole.subarray(0, length)), {
        message: /^a\.tar: expected a tar archive, got an end/,
      });
    assert.equal((await read(whole.subarray(0, 2048))).length, 1);
  });

  it('refuses names that no file system accepts', async () => {
    const long = `images/${'e'.repeat(300)}.jpg`;
    for (const how of ['pax', 'gnu'] as const)
      await assert.rejects(read(tar({ [long]: '1' }, { long: how })), {
        name: 'UserError',
        message: /^a\.tar: expected names of at most 255 bytes, got 304 in/,
      });
  });

  it('refuses sizes before it reads them: files above 64 MiB, headers above 1 MiB, and less than nothing', async () => {
    const sized = (size: string, type: string) => {
      const archive = tar({ a: '' }, { type });
      archive.write(`${size}\0`, 124);
      archive.write(' '.repeat(8), 148);
      const sum = archive.subarray(0, 512).reduce((total, byte) => total + byte, 0);
      archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      return archive;
    };
    for (const [size, type, message] of [
      ['00400000001', '0', /a file of 67108865 bytes/],
      ['00004000001', 'x', /a header of 1048577 bytes/],
      ['00004000001', 'L', /a header of 1048577 bytes/],
    ] as const)
      await assert.rejects(read(sized(size, type)), { name: 'UserError', message });
    const negative = Buffer.from('13 size=-512\n');
    await assert.rejects(
      read(Buffer.concat([tar({ pax: negative }, { type: 'x' }).subarray(0, 1024), tar({ a: '1' })])),
      {
        name: 'UserError',
        message: /a file of -512 bytes/,
      },
    );
  });

  it('refuses a changed header, and a file that is not a tar', async () => {
    const changed = tar({ 'a.txt': '1' });
    changed[3]! ^= 1;
    await assert.rejects(read(changed), { message: /checksum is wrong/ });
    await assert.rejects(read(Buffer.alloc(4096, 'poem ')), { name: 'UserError' });
  });
});
