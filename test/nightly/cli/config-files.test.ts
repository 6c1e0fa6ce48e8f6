import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { flags } from '../../../src/cli/flags.js';
import { readMutated } from '../mutate.js';

const groups = {
  Data: {
    imageDir: z.string().default('images').describe('folder of images'),
    maskIds: z.array(z.int()).default([0, 1]).describe('ids'),
    split: z.enum(['upstream', 'hash']).default('upstream').describe('rule'),
  },
  Training: {
    epochs: z.int().min(1).default(8).describe('passes'),
    lr: z.number().default(1e-3).describe('learning rate'),
    batchNorm: z.boolean().default(false).describe('normalise'),
  },
};

describe('config files, on mutated inputs', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-fuzz-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  it('YAML and JSON', async () => {
    const wholes = [
      '# a run\nimage_dir: &dir data/images\nmask-ids: [1, 2]\nsplit: hash\nepochs: 3\nlr: 1e-3\nbatchNorm: true\n',
      'image_dir: "a b"\nmask_ids:\n  - 1\n  - 2\nlr: .5\n---\n',
      '{"imageDir": "x", "maskIds": [1, 2, 3], "epochs": 4, "lr": 0.01, "batchNorm": false}\n',
      'base: &a {epochs: 3}\n<<: *a\nimage-dir: |\n  x\n  y\n',
    ].map((text) => Buffer.from(text));
    const path = join(dir, 'run.yaml');
    await readMutated('config files', wholes, async (bytes) => {
      writeFileSync(path, bytes);
      flags(['--config', path], groups, { name: 'demo', description: 'Shows flags.' });
    });
  });
});
