import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('demo-recipe.js', import.meta.url));

function start(...args: string[]) {
  const child = spawn(process.execPath, [file, ...args]);
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, ...text }));
  return { child, ended };
}

describe('recipe', () => {
  it('ends with 0 when its work completes', async () => {
    assert.deepEqual(await start().ended, { code: 0, stdout: 'worked\n', stderr: '' });
  });

  it('takes a promise for work', async () => {
    assert.deepEqual(await start('--end', 'promise').ended, { code: 0, stdout: 'done\n', stderr: '' });
  });

  it('prints a UserError as one line that the terminal does not obey', async () => {
    const stderr = 'demo-recipe: a\\x1b[2J\\x9b\\u202e.png: expected an image, got a poem\n';
    assert.deepEqual(await start('--end', 'user-error').ended, { code: 1, stdout: '', stderr });
  });

  it('prints a bad flag as one line', async () => {
    const stderr = 'demo-recipe: --ned: unknown flag; did you mean --end?\n';
    assert.deepEqual(await start('--ned=bug').ended, { code: 1, stdout: '', stderr });
  });

  it('shows no control character of a flag to the terminal', async () => {
    const stderr = 'demo-recipe: --\\x1b[2J\\x07x: unknown flag\n';
    assert.deepEqual(await start('--\x1b[2J\x07x').ended, { code: 1, stdout: '', stderr });
  });

  it('keeps the stack of any other error, in the stream and before it', async () => {
    for (const [end, name] of [
      ['bug', 'RangeError: a bug'],
      ['async-bug', 'TypeError: thrown before'],
    ] as const) {
      const { code, stderr } = await start('--end', end).ended;
      assert.equal(code, 1);
      assert(stderr.startsWith(name), stderr);
      assert.match(stderr, /\n {4}at /);
    }
  });

  it('shows help and does not work', async () => {
    const { code, stdout } = await start('--help').ended;
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: node \S*demo-recipe\.js \[flags\]/);
    assert.doesNotMatch(stdout, /worked/);
  });

  it('continues when the reader of its output is gone', async () => {
    const { child, ended } = start('--end', 'many');
    child.stdout.once('data', () => child.stdout.destroy());
    const { code, stderr } = await ended;
    assert.deepEqual([code, stderr], [0, '']);
  });

  it('goes on where its output cannot be written, says so, and ends with 1; not for what is only shown', async () => {
    const full = openSync('/dev/full', 'w');
    try {
      for (const [place, stdio, expected] of [
        ['output', ['ignore', full, 'pipe'], 1],
        ['errors', ['ignore', 'pipe', full], 0],
      ] as const) {
        const child = spawn(process.execPath, [file, '--end', 'many'], {
          stdio: [...stdio],
        });
        let text = '';
        (child.stdout ?? child.stderr)!.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        assert.deepEqual(await once(child, 'close'), [expected, null], place);
        const said =
          /^demo-recipe: standard output cannot be written \(ENOSPC\); the work continues without it\n$/;
        if (place === 'output') assert.match(text, said);
        else assert.match(text, /line 20000\n$/);
      }
    } finally {
      closeSync(full);
    }
  });

  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    it(`unsubscribes on ${signal}, and lets files be flushed`, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'millrace-'));
      try {
        const path = join(dir, 'end.txt');
        const { child, ended } = start('--end', 'never', '--file', path);
        await once(child.stdout, 'data');
        child.kill(signal);
        const { code, stderr } = await ended;
        assert.equal(code, expected);
        assert.equal(
          stderr,
          `\ndemo-recipe: stopping on ${signal}; repeat to quit at once; the same command begins again\n`,
        );
        assert.equal(readFileSync(path, 'utf8'), 'flushed true\n');
      } finally {
        rmSync(dir, { recursive: true });
      }
    });

  it('quits at once on the second ctrl-C', async () => {
    const { child, ended } = start('--end', 'stuck');
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    await once(child.stderr, 'data');
    child.kill('SIGINT');
    assert.equal((await ended).code, 130);
  });
});
