// A recipe of its own, which runs with the built package as a user's does, and starts without tsx.

import { appendFileSync } from 'node:fs';
import { concat, finalize, NEVER, of, range, tap, throwError } from 'rxjs';
import { z } from 'zod';
import { UserError } from '../../dist/src/base/errors.js';
import { nameIn } from '../../dist/src/cli/flag.js';
import { recipe } from '../../dist/src/cli/recipe.js';
import { shapes } from './shapes.js';

const log = (line) => {
  process.stdout.write(`${line}\n`);
};

recipe({
  continues: 'the same command begins again',
  description: 'Ends in the way that it is told.',
  flags: {
    Demo: {
      end: z
        .enum(['well', 'user-error', 'bug', 'never', 'stuck', 'many', 'promise', 'async-bug', 'shape'])
        .default('well'),
      shape: nameIn(shapes).default('circle').describe('what is drawn'),
      file: z.string().optional().describe('where the end is recorded'),
    },
  },
  run: async ({ end, file, shape, plugin }, signal) => {
    const ended = finalize(() => {
      if (file) setTimeout(() => appendFileSync(file, `flushed ${signal.aborted}\n`), 50);
    });
    if (end === 'async-bug') throw new TypeError('thrown before the stream');
    if (end === 'shape') return log(`${shapes.make(shape)} ${JSON.stringify(plugin) ?? 'none'}`);
    if (end === 'promise') return log('done');
    if (end === 'many') return range(1, 20_000).pipe(tap((n) => log(`line ${n}`)));
    if (end === 'user-error')
      return throwError(() => new UserError('a\x1b[2J\x9b\u202e.png: expected an image,\n  got a poem'));
    if (end === 'bug') return throwError(() => new RangeError('a bug'));
    if (end === 'well') return of(1).pipe(tap(() => log('worked')));
    if (end === 'stuck') setInterval(() => {}, 1000);
    const alive = setInterval(() => {}, 1000);
    return concat(of('started').pipe(tap(log)), NEVER).pipe(
      finalize(() => clearInterval(alive)),
      ended,
    );
  },
});
