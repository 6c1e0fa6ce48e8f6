import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { imagesAddon } from '../../../src/data/pixels/addon.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

describe('the images addon on other instruction sets', () => {
  for (const isa of ['base', 'avx2'])
    it(`${isa}: gives the same values`, function () {
      if (!imagesAddon() || process.arch !== 'x64') {
        console.log('      skipped: the addon is not built, or this processor is no x64 one');
        this.skip();
      }
      const mocha = ['node_modules/mocha/bin/mocha.js', '--no-config', '--require', 'test/hooks.ts'];
      const { status, stdout } = spawnSync(
        process.execPath,
        ['--import', 'tsx', ...mocha, '--timeout', '600000', 'test/data/pixels/addon.test.ts'],
        { cwd: root, encoding: 'utf8', env: { ...process.env, MILLRACE_IMAGES_ISA: isa } },
      );
      assert.equal(status, 0, stdout);
    });
});
