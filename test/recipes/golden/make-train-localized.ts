// Writes the loss curve that the tiny model follows: node --import tsx test/recipes/golden/make-train-localized.ts
// (after npm run build). The curve is this project's own, on wasm in f32; torch.json checks its parts against PyTorch.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useEngine } from '../../../src/engine/engine.js';
import { readEvents } from '../../../src/events/read-events.js';
import { run } from '../run.js';
import { tinyBackbone, tinyFlags } from '../tiny-backbone.js';

await useEngine('cpu');
const dir = mkdtempSync(join(tmpdir(), 'millrace-'));
const flags = tinyFlags(await tinyBackbone(dir), '--lr=0.01');
const { code, stderr } = await run('train-localized', flags, dir);
if (code !== 0) throw new Error(stderr);
const events = await readEvents(join(dir, 'logs', 'localized_lora_42_0.1', 'events.jsonl'));
const losses = events.filter((event) => event.type === 'step').map(({ loss }) => loss);
const madeBy = 'test/recipes/golden/make-train-localized.ts';
writeFileSync(
  new URL('train-localized.json', import.meta.url),
  `${JSON.stringify({ madeBy, losses }, null, 2)}\n`,
);
rmSync(dir, { recursive: true });
