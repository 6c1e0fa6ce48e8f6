import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setBackend } from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { Parameters } from '../../src/model/parameters.js';
import { vitConfig } from '../../src/model/vit/config.js';
import { saveBackbone } from '../../src/model/vit/save-backbone.js';
import { addRandomBackbone } from '../../src/model/vit/vit.js';
import { png } from '../data/images/png-writer.js';
import { floats } from '../data/images/tiff-writer.js';
import { type Ended, run, type SharedProcess, sharedProcess } from './run.js';

const SIDE = 16;

/** What is wrong, how it comes about in a folder that holds a whole small data set and model, and what must be said. */
interface Case {
  readonly what: string;
  readonly spoil?: (dir: string) => unknown;
  readonly args?: readonly string[];
  readonly says: RegExp;
}

const write = (path: string, bytes: string | Uint8Array) => (dir: string) =>
  writeFileSync(join(dir, path), bytes);
const change = (path: string, edit: (bytes: Buffer) => Uint8Array | string) => (dir: string) =>
  writeFileSync(join(dir, path), edit(readFileSync(join(dir, path))));
const remove = (path: string) => (dir: string) => rmSync(join(dir, path), { recursive: true });
const folder = (path: string) => (dir: string) => {
  rmSync(join(dir, path), { recursive: true, force: true });
  mkdirSync(join(dir, path));
};
const mask = (value: number, width = SIDE, height = SIDE, depth: 8 | 16 = 8) =>
  png({ width, height, depth, colour: 0 }, Array(width * height).fill(value));
const header = (json: string) => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, Buffer.from(json)]);
};
const huge = Buffer.from([0, 0, 0, 0, 0, 0, 0, 16, 123]);
const weights = 'model/model.safetensors';

const images: readonly Case[] = [
  {
    what: 'a truncated JPEG',
    spoil: change('images/a.jpg', (bytes) => bytes.subarray(0, bytes.length / 2)),
    says: /a\.jpg: expected an image/,
  },
  {
    what: 'an image of zero bytes',
    spoil: write('images/a.jpg', ''),
    says: /a\.jpg: expected an image, got 0 bytes/,
  },
  {
    what: 'text in place of an image',
    spoil: write('images/a.jpg', 'hello, world'),
    says: /a\.jpg: expected an image/,
  },
  {
    what: 'a folder in place of an image',
    spoil: folder('images/a.jpg'),
    says: /a\.png: expected an image named a\.\*/,
  },
  {
    what: 'floats, NaN among them, in a 16-bit PNG’s place',
    spoil: write('images/a.jpg', floats(Number.NaN)),
    says: /a\.jpg: expected 8 or 16-bit integer pixels, got float/,
  },
  {
    what: 'a PNG cut short',
    spoil: (dir) => writeFileSync(join(dir, 'images/a.jpg'), mask(9).subarray(0, 50)),
    says: /a\.jpg: expected an image/,
  },
  {
    what: 'a PNG that claims 10^5 × 10^5 pixels',
    spoil: (dir) => writeFileSync(join(dir, 'images/a.jpg'), bomb()),
    says: /a\.jpg: expected an image/,
  },
];

const masks: readonly Case[] = [
  {
    what: 'a mask of another size',
    spoil: write('masks/a.png', mask(1, 8, 16)),
    says: /a\.png: expected the size of .*a\.jpg, 16×16, got 8×16/,
  },
  {
    what: 'an id that is not declared',
    spoil: write('masks/a.png', mask(7)),
    says: /a\.png: expected the ids 1, 2, 3 .* got 7; declare it with --mask-ids/,
  },
  {
    what: 'a 16-bit id that is not declared',
    spoil: write('masks/a.png', mask(999, SIDE, SIDE, 16)),
    says: /a\.png: expected the ids .* got 999/,
  },
  {
    what: 'black and white masks under the ids 1,2',
    spoil: (dir) => {
      for (const stem of 'abcdefghij')
        writeFileSync(
          join(dir, `masks/${stem}.png`),
          png(
            { width: SIDE, height: SIDE, depth: 8, colour: 0 },
            Array.from({ length: SIDE * SIDE }, (_, i) => (i % 2 ? 255 : 1)),
          ),
        );
    },
    args: ['--mask-ids', '1,2'],
    says: /masks.*: expected the ids 1,2, got 1 and 255 alone.*--mask-ids 1,255/,
  },
  {
    what: 'a mask of zero bytes',
    spoil: write('masks/a.png', ''),
    says: /a\.png: expected a mask, got 0 bytes/,
  },
  {
    what: 'a mask in colour',
    spoil: write(
      'masks/a.png',
      png(
        { width: SIDE, height: SIDE, depth: 8, colour: 2 },
        Array.from({ length: SIDE * SIDE * 3 }, (_, i) => i % 3),
      ),
    ),
    says: /a\.png: expected a mask of one channel/,
  },
  {
    what: 'a truncated mask',
    spoil: change('masks/a.png', (bytes) => bytes.subarray(0, bytes.length - 20)),
    says: /a\.png: expected a mask/,
  },
  {
    what: 'a mask whose bytes are damaged',
    spoil: change('masks/a.png', (bytes) => {
      bytes[bytes.length - 25]! ^= 0xff;
      return bytes;
    }),
    says: /a\.png: expected a mask/,
  },
  {
    what: 'an interlaced mask of few bits',
    spoil: write(
      'masks/a.png',
      png({ width: SIDE, height: SIDE, depth: 4, colour: 3, interlaced: true }, Array(SIDE * SIDE).fill(1)),
    ),
    says: /a\.png: expected a mask without interlacing/,
  },
];

const folders: readonly Case[] = [
  {
    what: 'no image folder',
    args: ['--image-dir', 'nowhere'],
    says: /nowhere: expected a folder of images, got nothing there; see --image-dir/,
  },
  {
    what: 'a file for an image folder',
    args: ['--image-dir', 'images/a.jpg'],
    says: /a\.jpg: expected a folder of images, got a file/,
  },
  {
    what: 'an empty image folder',
    spoil: folder('images'),
    says: /images: expected images .*, got none; see --image-dir/,
  },
  {
    what: 'an empty mask folder',
    spoil: folder('masks'),
    says: /masks: expected masks .*, got none; see --mask-dir/,
  },
  {
    what: 'an image without a mask',
    spoil: remove('masks/a.png'),
    says: /a\.jpg: expected a mask named a\.\* in/,
  },
  {
    what: 'a mask without an image',
    spoil: remove('images/a.jpg'),
    says: /a\.png: expected an image named a\.\* in/,
  },
  {
    what: 'two images of one stem',
    spoil: (dir) => cpSync(join(dir, 'images/a.jpg'), join(dir, 'images/a.jpeg')),
    says: /expected one image per stem, got .* too/,
  },
  {
    what: 'no list file',
    args: ['--list', 'nowhere.txt'],
    says: /nowhere\.txt: expected a list file, got nothing there; see --list/,
  },
  {
    what: 'a folder for a list file',
    args: ['--list', 'images'],
    says: /images: expected a list file, got a folder/,
  },
  {
    what: 'an empty list',
    spoil: write('list.txt', '# nothing\n'),
    args: ['--list', 'list.txt'],
    says: /list\.txt: expected stems, one per line, got none/,
  },
  {
    what: 'a listed stem without files',
    spoil: write('list.txt', 'zebra\n'),
    args: ['--list', 'list.txt'],
    says: /zebra, listed in list\.txt: expected an image .* got neither/,
  },
];

const models: readonly Case[] = [
  {
    what: 'no model',
    args: ['--model-name', './nowhere'],
    says: /nowhere: expected .* got nothing there; see --model-name/,
  },
  {
    what: 'a folder without weights',
    spoil: remove(weights),
    says: /model\.safetensors: expected a whole safetensors file, got nothing there/,
  },
  {
    what: 'weights cut short',
    spoil: change(weights, (bytes) => bytes.subarray(0, bytes.length - 100)),
    says: /model\.safetensors: expected a whole safetensors file/,
  },
  {
    what: 'weights of four bytes',
    spoil: write(weights, 'abcd'),
    says: /model\.safetensors: expected a whole safetensors file, got 4 bytes/,
  },
  {
    what: 'a header of 2^60 bytes',
    spoil: write(weights, huge),
    says: /model\.safetensors: .* got a header of 1152921504606846976 bytes/,
  },
  {
    what: 'a header that is not JSON',
    spoil: write(weights, header('{"a": ')),
    says: /model\.safetensors: .* got a header that is not JSON/,
  },
  {
    what: 'offsets beyond the file',
    spoil: write(weights, header('{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}')),
    says: /model\.safetensors: .* a at 0–16 of 0 bytes/,
  },
  {
    what: 'offsets that do not fit the shape',
    spoil: write(
      weights,
      Buffer.concat([header('{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,8]}}'), Buffer.alloc(8)]),
    ),
    says: /model\.safetensors: .* a of shape \[4\] in 8 bytes/,
  },
  {
    what: 'weights of something else',
    spoil: write(
      weights,
      Buffer.concat([header('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'), Buffer.alloc(8)]),
    ),
    says: /model.*: expected/,
  },
  {
    what: 'a config that is no JSON',
    spoil: write('model/config.json', '{'),
    says: /config\.json: expected/,
  },
  {
    what: 'a config that does not fit the weights',
    spoil: change('model/config.json', (bytes) =>
      bytes.toString().replace('"hidden_size": 16', '"hidden_size": 32'),
    ),
    says: /model.*: expected/,
  },
];

const flags: readonly Case[] = [
  { what: 'an unknown flag', args: ['--epocs', '3'], says: /--epocs: unknown flag.*--epochs/ },
  { what: 'a word that is no flag', args: ['train'], says: /"train": expected a flag/ },
  {
    what: 'a flag whose last value is bad',
    args: ['--lr', '1', '--lr', '-2'],
    says: /--lr: expected .*, got -2/,
  },
  { what: 'a flag without its value', args: ['--lr'], says: /--lr: expected .*, got nothing/ },
  { what: 'half an epoch', args: ['--epochs', '1.5'], says: /--epochs: expected .*, got 1\.5/ },
  {
    what: 'a word for a number',
    args: ['--batch-size', 'many'],
    says: /--batch-size: expected .*, got "many"/,
  },
  {
    what: 'an unknown engine',
    args: ['--engine', 'wasmm'],
    says: /--engine: expected .*, got "wasmm".*wasm/,
  },
  {
    what: 'an image size that no patch divides',
    args: ['--image-size', '17'],
    says: /image size: expected a multiple of the patch size 8, got 17; the nearest are 16 and 24: see --image-size/,
  },
  {
    what: 'an image size that no memory holds',
    args: ['--image-size', '99999936'],
    says: /image size: expected one that fits into .* GiB of memory, got 99999936, .* see --image-size/,
  },
  {
    what: 'no list file by name',
    args: ['--list', ''],
    says: /--list: expected a comma-separated list, each text, got ""/,
  },
  {
    what: 'blocks that do not divide',
    args: ['--num-blocks-per-row', '3'],
    says: /blocks: expected a divisor of .*, got 3; see --num-blocks-per-row/,
  },
  {
    what: 'an unknown target',
    args: ['--targets', 'query,valeu'],
    says: /--targets: expected .*, got "valeu".*value/,
  },
  {
    what: 'a share of data that leaves none',
    args: ['--data-percentage', '0.01'],
    says: /expected at least one training pair, got none; .*--data-percentage/,
  },
  {
    what: 'an id declared twice',
    args: ['--mask-ids', '1,1,2'],
    says: /--mask-ids: expected each id once, got \[1,1,2\]/,
  },
  {
    what: 'mixup of masks',
    args: ['--mix', 'cutmix,mixup'],
    says: /--mix: mixup: expected labelled pictures, got masks, .*use cutmix/,
  },
  { what: 'no config file', args: ['--config', 'nowhere.yaml'], says: /nowhere\.yaml: expected/ },
  {
    what: 'an unknown key in a config file',
    spoil: write('c.yaml', 'epocs: 3\n'),
    args: ['--config', 'c.yaml'],
    says: /c\.yaml: epocs: .*epochs/,
  },
  {
    what: 'a config file that is no YAML',
    spoil: write('c.yaml', 'epochs: [\n'),
    args: ['--config', 'c.yaml'],
    says: /c\.yaml/,
  },
];

const places: readonly Case[] = [
  {
    what: 'a file where checkpoints go',
    spoil: write('out', 'mine'),
    args: ['--out-dir', 'out'],
    says: /out.*expected/,
  },
  {
    what: 'a place where nothing can be written',
    args: ['--out-dir', '/sys/millrace'],
    says: /\/sys\/millrace.*: expected/,
  },
  {
    what: 'a checkpoint of something else',
    spoil: (dir) => {
      const path = join(dir, 'models/localized_lora_42_1/step-00000002');
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'checkpoint.json'), '{"format":"other"}');
    },
    args: ['--resume'],
    says: /step-00000002\/checkpoint\.json: expected a checkpoint of this project/,
  },
];

describe('bad input', () => {
  let whole: string;
  let shared: SharedProcess;
  const made: string[] = [];

  before(async () => {
    shared = sharedProcess();
    whole = mkdtempSync(join(tmpdir(), 'millrace-whole-'));
    made.push(whole);
    for (const name of ['images', 'masks', 'model']) mkdirSync(join(whole, name));
    for (const stem of 'abcdefghij') {
      const noise = Buffer.from(
        Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (i * stem.charCodeAt(0)) % 251),
      );
      const picture = sharp(noise, { raw: { width: SIDE, height: SIDE, channels: 3 } });
      writeFileSync(join(whole, 'images', `${stem}.jpg`), await picture.jpeg().toBuffer());
      writeFileSync(join(whole, 'masks', `${stem}.png`), mask(1));
    }
    const config = vitConfig.parse({
      hidden_size: 16,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      intermediate_size: 32,
      image_size: SIDE,
      patch_size: 8,
    });
    await setBackend('cpu');
    const parameters = new Parameters();
    addRandomBackbone(parameters, config, 1);
    await saveBackbone(join(whole, 'model'), config, parameters);
    parameters.dispose();
  });
  after(() => {
    shared.close();
    for (const dir of made) rmSync(dir, { recursive: true, force: true });
  });

  const flagsOf = (args: readonly string[]) => {
    const defaults = {
      'image-dir': 'images',
      'mask-dir': 'masks',
      'model-name': './model',
      'image-size': '16',
      epochs: '1',
      'batch-size': '2',
      engine: 'cpu',
    };
    const unset = Object.entries(defaults).filter(([name]) => !args.includes(`--${name}`));
    return [...unset.flatMap(([name, value]) => [`--${name}`, value]), ...args];
  };
  const train = (dir: string, args: readonly string[]) => run('train-localized', flagsOf(args), dir);
  const copy = () => {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-bad-'));
    made.push(dir);
    cpSync(whole, dir, { recursive: true });
    return dir;
  };

  it('does not affect the sound data set, which trains', async () => {
    const { code, stderr } = await train(copy(), []);
    assert.equal(code, 0, stderr);
  });

  for (const [kind, cases] of Object.entries({ images, masks, folders, models, flags, places }))
    it(`is refused in one line, with exit code 1 and nothing half-written: ${kind} (${cases.length})`, async () => {
      for (const [i, { what, spoil, args = [], says }] of cases.entries()) {
        const dir = copy();
        await spoil?.(dir);
        // The first of each kind as a user meets it.
        const ended = await (i === 0 ? run : shared.run)('train-localized', flagsOf(args), dir);
        assertOneLine(what, says, ended);
        assert.deepEqual(unfinished(dir), [], `${what}: left unfinished files`);
      }
    });

  it('is refused on a full disk too', function () {
    const dir = copy();
    const disk = join(dir, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      console.log('      skipped: a small disk to fill cannot be mounted here');
      this.skip();
    }
    return train(dir, ['--out-dir', 'disk/models'])
      .then((ended) => {
        assertOneLine('a full disk', /disk\/models.*: expected to write here, but the disk is full/, ended);
        assert.deepEqual(unfinished(disk), []);
      })
      .finally(() => execFileSync('umount', [disk]));
  });
});

function assertOneLine(what: string, says: RegExp, { code, stderr }: Ended): void {
  const lines = stderr.trimEnd().split('\n');
  const last = lines.at(-1)!;
  assert.equal(code, 1, `${what}: exit code ${code}: ${stderr}`);
  assert.match(last, /^train-localized: /, `${what}: ${stderr}`);
  assert.match(last, says, what);
  assert.doesNotMatch(stderr, /^\s+at /m, `${what}: a stack`);
}

function unfinished(dir: string): string[] {
  return (readdirSync(dir, { recursive: true }) as string[]).filter((name) => /unfinished|\.tmp$/.test(name));
}

/** A header that promises more pixels than any memory holds, with a right checksum. */
function bomb(): Buffer {
  return png({ width: 100_000, height: 100_000, depth: 8, colour: 0 }, []);
}
