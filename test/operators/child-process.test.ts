import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { lastValueFrom } from 'rxjs';
import { childProcess } from '../../operators/child-process.js';
import { UserError } from '../../src/base/errors.js';

describe('childProcess', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const program = (code: string) => {
    const file = join(dir, 'program.mjs');
    writeFileSync(file, `import { writeFileSync } from 'node:fs';\n${code}`);
    return file;
  };
  const until = async (path: string) => {
    while (!existsSync(path)) await wait(10);
  };

  it('is cold, completes without a value, and gives the program its arguments', async () => {
    const made = join(dir, 'made');
    const run$ = childProcess(program('writeFileSync(process.argv[2], "")'), [made]);
    await wait(50);
    assert(!existsSync(made));
    assert.equal(await lastValueFrom(run$, { defaultValue: 'nothing' }), 'nothing');
    assert(existsSync(made));
  });

  it('fails in one line that says how the program ended', async () => {
    await assert.rejects(lastValueFrom(childProcess(program('process.exit(3)'), ['--a', 'b'])), (error) => {
      assert(error instanceof UserError);
      assert.match(error.message, /^program\.mjs --a b: expected it to exit with code 0, got code 3$/);
      return true;
    });
  });

  it('tells the program to stop, once, when it is unsubscribed', async () => {
    const [ready, told] = [join(dir, 'ready'), join(dir, 'told')];
    const code = `
      const idle = setInterval(() => {}, 1000);
      process.once('SIGTERM', () => { writeFileSync(process.argv[3], ''); clearInterval(idle); });
      writeFileSync(process.argv[2], '');`;
    const subscription = childProcess(program(code), [ready, told]).subscribe();
    await until(ready);
    subscription.unsubscribe();
    await until(told);
  });

  it('ends one that hangs with the process that started it', async () => {
    const ready = join(dir, 'ready');
    const hangs = program(`
      process.once('SIGTERM', () => {});
      writeFileSync(process.argv[2], String(process.pid));
      for (const end = Date.now() + 20_000; Date.now() < end; );`);
    const operator = new URL('../../operators/child-process.js', import.meta.url);
    const parent = join(dir, 'parent.mjs');
    writeFileSync(
      parent,
      `import { existsSync } from 'node:fs';
      import { childProcess } from ${JSON.stringify(operator.href)};
      const subscription = childProcess(${JSON.stringify(hangs)}, [${JSON.stringify(ready)}]).subscribe();
      setInterval(() => {
        if (!existsSync(${JSON.stringify(ready)})) return;
        subscription.unsubscribe();
        process.exit(0);
      }, 10);`,
    );
    await promisify(execFile)(process.execPath, ['--import', 'tsx', parent]);
    const pid = Number(readFileSync(ready, 'utf8'));
    const lives = () => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    for (let i = 0; i < 300 && lives(); i++) await wait(10);
    assert(!lives());
  });
});
