import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { imagesAddon } from '../../../src/data/pixels/addon.js';
import { needsSharedData } from '../../shared-data.js';

const program = fileURLToPath(new URL('batch-digest.ts', import.meta.url));

describe('batches without the addon', () => {
  const digest = (code: string, folders: readonly string[]) => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', program, ...folders], {
      encoding: 'utf8',
      env: { ...process.env, MILLRACE_IMAGES: code },
    });
    assert.match(stdout, /^[0-9a-f]{64}$/, stderr);
    return stdout;
  };
  const needsAddon = (test: Mocha.Context) => {
    if (imagesAddon()) return;
    console.log('      skipped: native/build/images.node is not here (npm run build:images)');
    test.skip();
  };

  it('are the same to the last bit, of PNG pictures', function () {
    needsAddon(this);
    assert.equal(digest('javascript', []), digest('native', []));
  });

  it('are the same to the last bit, of photographs', function () {
    needsAddon(this);
    const pets = needsSharedData(this, 'oxford_pets_3breeds');
    const folders = [join(pets, 'images'), join(pets, 'annotations/trimaps')];
    assert.equal(digest('javascript', folders), digest('native', folders));
  });
});
