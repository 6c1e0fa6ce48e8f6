import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import { UserError } from '../../src/base/errors.js';
import { named } from '../../src/base/named.js';
import { ignored, nameIn, readUnless, unique } from '../../src/cli/flag.js';
import { flags } from '../../src/cli/flags.js';

const groups = {
  Data: {
    imageDir: z.string().min(1).describe('folder of images'),
    dataPercentage: z.number().gt(0).max(1).default(0.5).describe('share of the pairs'),
  },
  Training: {
    epochs: z.int().min(1).default(50).describe('passes over the training split'),
    style: z.enum(['candy', 'mosaic']).default('candy'),
    separateLr: z.boolean().default(false),
    layers: z.array(z.int().min(0)).default([0, 1]),
    domains: z.array(z.enum(['in_domain', 'out_domain'])).default(['in_domain']),
    threads: z.union([z.literal('auto'), z.int().min(1)]).default('auto'),
    side: z
      .int()
      .refine((n) => n % 8 === 0, 'expected a multiple of 8')
      .optional(),
  },
};
const parse = (...argv: string[]) => flags(argv, groups, { name: 'demo', description: 'Shows flags.' });
const config = (...argv: string[]) => {
  const asked = parse('--image-dir', 'x', ...argv);
  assert('config' in asked);
  return asked.config;
};
const refuses = (argv: string[], message: string) =>
  assert.throws(() => parse('--image-dir=x', ...argv), { name: 'UserError', message });

describe('flags', () => {
  it('fills in the defaults, with types', () => {
    const { epochs, style, ...rest } = config();
    const typed: [number, 'candy' | 'mosaic'] = [epochs, style];
    assert.deepEqual(typed, [50, 'candy']);
    assert.deepEqual(rest, {
      imageDir: 'x',
      dataPercentage: 0.5,
      separateLr: false,
      layers: [0, 1],
      domains: ['in_domain'],
      threads: 'auto',
      side: undefined,
    });
  });

  it('takes - and _ alike, = or a blank, percentages, negatives and lists', () => {
    const asked = parse('--image_dir=a b=c', '--data_percentage', '25%', '--layers', '1,2', '--layers=7');
    assert('config' in asked);
    assert.equal(asked.config.imageDir, 'a b=c');
    assert.equal(asked.config.dataPercentage, 0.25);
    assert.deepEqual(asked.config.layers, [1, 2, 7]);
    assert.equal(config('--epochs', '1e2').epochs, 100);
    assert.equal(config('--threads', '4').threads, 4);
    assert.deepEqual(config('--layers=').layers, []);
  });

  it('takes a boolean bare, negated or spelled out', () => {
    assert.equal(config('--separate-lr').separateLr, true);
    assert.equal(config('--separate_lr', 'True', '--epochs', '2').separateLr, true);
    assert.equal(config('--separate-lr=false').separateLr, false);
    assert.equal(config('--no-separate-lr').separateLr, false);
  });

  it('takes the last of a flag that is given twice, and says so; lists are joined', () => {
    const asked = parse('--image-dir=x', '--epochs', '3', '--layers=1', '--epochs=4', '--layers=2');
    assert('config' in asked);
    assert.deepEqual([asked.config.epochs, asked.config.layers], [4, [1, 2]]);
    assert.deepEqual(asked.notes, ['--epochs: given twice; the last one counts, 4']);
    assert.equal(config('--separate-lr', '--no-separate_lr').separateLr, false);
    refuses(['--epochs=3', '--epochs=many'], '--epochs: expected an integer from 1 up, got "many"');
  });

  it('accepts upstream’s flags that have no effect here, and says why', () => {
    const upstream = { A: { rBlock: ignored('LoRA has no blocks'), rank: z.int().default(4) } };
    const read = (...argv: string[]) => flags(argv, upstream, { name: 'demo', description: '' });
    const asked = read('--r_block', '8', '--rank=2');
    assert.deepEqual(asked, {
      config: { rank: 2 },
      notes: ['--r-block: ignored: LoRA has no blocks'],
    });
    assert.deepEqual(read(), { config: { rank: 4 }, notes: [] });
    const help = read('--help');
    assert('show' in help);
    assert.match(help.show, /--r-block VALUE +ignored: LoRA has no blocks\n/);
  });

  it('says which flags the values of others leave without an effect', () => {
    const shapes = named('shape', { circle: 0, square: 1 });
    const training = {
      A: {
        optimizer: nameIn(shapes).default('circle').describe('the shape'),
        momentum: readUnless(z.number().default(0.9).describe('momentum'), ({ optimizer }) =>
          optimizer === 'circle' ? 'circle has no momentum' : undefined,
        ),
        other: readUnless(nameIn(shapes).optional().describe('another'), () => 'never read'),
      },
    };
    const about = { name: 'demo', description: '' };
    const notes = (...argv: string[]) => {
      const asked = flags(argv, training, about);
      return 'notes' in asked && asked.notes;
    };
    assert.deepEqual(notes('--momentum=0.9'), ['--momentum: ignored: circle has no momentum']);
    assert.deepEqual(notes('--momentum=0.5', '--optimizer=square'), []);
    assert.deepEqual(notes('--other=square'), ['--other: ignored: never read']);
    assert.deepEqual(notes(), []);
    const dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    const file = join(dir, 'all.yaml');
    writeFileSync(file, 'momentum: 0.9\noptimizer: circle\n');
    assert.deepEqual(notes(`--config=${file}`), [], 'as recipes write all flags');
    writeFileSync(file, 'momentum: 0.5\n');
    assert.deepEqual(notes(`--config=${file}`), [`${file}: momentum: ignored: circle has no momentum`]);
    rmSync(dir, { recursive: true });
    const help = flags(['--help'], training, about);
    shapes.register('line', 2);
    assert('show' in help);
    assert.match(help.show, /--momentum X +momentum \(a number; default 0.9\)\n/);
    const later = flags(['--help'], training, about);
    assert('show' in later && /another \(one of circle, square, line\)/.test(later.show), 'names of later');
  });

  it('refuses a list with duplicates where each item counts once', () => {
    const lists = { A: { ids: unique(z.array(z.int()), 'id').default([1, 2]) } };
    const about = { name: 'demo', description: '' };
    assert.throws(() => flags(['--ids=1,1,2'], lists, about), {
      name: 'UserError',
      message: '--ids: expected each id once, got [1,1,2]',
    });
    assert.deepEqual(flags(['--ids=2,1'], lists, about), { config: { ids: [2, 1] }, notes: [] });
  });

  const bad: [string[], string][] = [
    [['--epocs', '3'], '--epocs: unknown flag; did you mean --epochs?'],
    [['--image', 'x'], '--image: unknown flag; did you mean --image-dir?'],
    [['--no-epochs'], '--no-epochs: unknown flag; did you mean --epochs?'],
    [['--zzz'], '--zzz: unknown flag'],
    [['-e', '3'], '"-e": expected a flag such as --help, got a bare word'],
    [['train'], '"train": expected a flag such as --help, got a bare word'],
    [['--epochs'], '--epochs: expected an integer from 1 up, got nothing'],
    [['--epochs', '--layers'], '--epochs: expected an integer from 1 up, got nothing'],
    [['--epochs', '0'], '--epochs: expected an integer from 1 up, got 0'],
    [['--epochs', '2.5'], '--epochs: expected an integer from 1 up, got 2.5'],
    [['--epochs', 'many'], '--epochs: expected an integer from 1 up, got "many"'],
    [['--epochs', ''], '--epochs: expected an integer from 1 up, got ""'],
    [['--epochs', '0x10'], '--epochs: expected an integer from 1 up, got "0x10"'],
    [['--epochs', 'Infinity'], '--epochs: expected an integer from 1 up, got "Infinity"'],
    [['--data_percentage', '120%'], '--data-percentage: expected a number above 0 and at most 1, got 1.2'],
    [['--style', 'cady'], '--style: expected one of candy, mosaic, got "cady"; did you mean candy?'],
    [['--separate-lr=maybe'], '--separate-lr: expected true or false, got "maybe"'],
    [['--no-separate-lr=1'], '--no-separate-lr: expected no value, got "1"'],
    [['--layers', '1,x'], '--layers: expected a comma-separated list, each an integer from 0 up, got "x"'],
    [
      ['--domains', 'in_domain,out_domian'],
      '--domains: expected a comma-separated list, each one of in_domain, out_domain, got "out_domian"; did you mean out_domain?',
    ],
    [['--threads', '0'], '--threads: expected auto or an integer from 1 up, got 0'],
    [['--side', '9'], '--side: expected a multiple of 8, got 9'],
  ];
  for (const [argv, message] of bad)
    it(`refuses ${argv.join(' ') || 'nothing'}`, () => refuses(argv, message));

  it('refuses an empty text in a list, which an unset shell variable gives', () => {
    const lists = { Data: { list: z.array(z.string().min(1)).default([]) } };
    for (const word of ['', 'a,', ','])
      assert.throws(() => flags(['--list', word], lists, { name: 'demo', description: '' }), {
        name: 'UserError',
        message: '--list: expected a comma-separated list, each text, got ""',
      });
  });

  it('says what a text must match', () => {
    const named = { Run: { runName: z.string().regex(/^\w+$/).default('run').describe('a name') } };
    const about = { name: 'demo', description: '' };
    assert.throws(() => flags(['--run-name=a/b'], named, about), {
      message: '--run-name: expected text that matches ^\\w+$, got "a/b"',
    });
  });

  it('asks for a required flag by name', () => {
    assert.throws(() => parse(), { name: 'UserError', message: '--image-dir: required; expected text' });
  });

  it('answers any command line with a config, a text or a UserError of one line', () => {
    const word = fc.oneof(
      fc.constantFrom(
        '--epochs',
        '--layers',
        '--separate-lr',
        '--style',
        '3',
        'candy',
        '--config',
        '--',
        '-',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
        try {
          parse(...argv);
        } catch (error) {
          assert(error instanceof UserError, String(error));
        }
      }),
    );
  });

  it('generates help by group, and tells the version', () => {
    const asked = parse('--epochs', 'many', '-h');
    assert('show' in asked);
    assert.match(asked.show, /^Usage: node recipes\/demo\.js \[flags\]\n\nShows flags\.\n\nData:\n/);
    assert.match(asked.show, /\n {2}--image-dir VALUE +folder of images \(required\)\n/);
    assert.match(
      asked.show,
      /--epochs N +passes over the training split \(an integer from 1 up; default 50\)\n/,
    );
    assert.match(asked.show, /--style NAME +\(one of candy, mosaic; default candy\)\n/);
    assert.match(asked.show, /\n {2}--\[no-\]separate-lr +\(default false\)\n/);
    assert.match(asked.show, /\nGeneral:\n {2}--config VALUE /);
    const version = parse('--version');
    assert('show' in version);
    assert.match(version.show, /^millrace \d+\.\d+\.\d+\n$/);
  });

  it('names no default where it is an empty list', () => {
    const empty = { A: { list: z.array(z.string()).default([]).describe('list files') } };
    const asked = flags(['--help'], empty, { name: '', description: '' });
    assert('show' in asked);
    assert.match(asked.show, /\n {2}--list A,B +list files \(a comma-separated list, each text\)\n/);
  });

  it('refuses a table that declares a flag twice', () => {
    const twice = { A: { rank: z.int() }, B: { rank: z.int() } };
    assert.throws(() => flags([], twice, { name: '', description: '' }), /--rank is declared twice/);
  });
});

describe('--config', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const file = (text: string) => {
    const path = join(dir, 'run.yaml');
    writeFileSync(path, text);
    return path;
  };

  it('wins over the defaults and loses to the command line', () => {
    const path = file('data_percentage: .25\nepochs: 7\nseparate-lr: true\nimageDir: y\nlayers: [3]\n');
    const read = config('--epochs', '9', '--config', path);
    assert.deepEqual(
      [read.imageDir, read.dataPercentage, read.epochs, read.separateLr, read.layers],
      ['x', 0.25, 9, true, [3]],
    );
  });

  it('reads one value in place of a list as the command line does', () => {
    const lists = (text: string) => {
      const { layers, domains } = config('--config', file(text));
      return [layers, domains];
    };
    assert.deepEqual(lists('layers: 3\ndomains: out_domain\n'), [[3], ['out_domain']]);
    assert.deepEqual(lists('layers: 3,4\ndomains: in_domain, out_domain\n'), [
      [3, 4],
      ['in_domain', 'out_domain'],
    ]);
    assert.throws(
      () => lists('domains: sideways\n'),
      /domains: expected a comma-separated list, .*"sideways"/,
    );
  });

  const bad: [string, string, string][] = [
    ['an unknown key', 'epocs: 3\n', 'epocs: unknown key; did you mean epochs?'],
    [
      'a key given twice',
      'data-percentage: 1\ndata_percentage: .5\n',
      'data_percentage: given twice; keep one',
    ],
    ['a bad value', 'epochs: many\n', 'epochs: expected an integer from 1 up, got "many"'],
    ['a string for a number', 'epochs: "3"\n', 'epochs: expected an integer from 1 up, got "3"'],
    ['an empty value', 'epochs:\n', 'epochs: expected an integer from 1 up, got null'],
    ['a list', '- 1\n', 'expected a table of "flag: value" lines, got something else'],
    [
      'an alias without its anchor',
      'epochs: *no\n',
      'expected YAML, got text that cannot be parsed (Unresolved alias (the anchor must be set before the alias): no)',
    ],
    ['config itself', 'config: other.yaml\n', 'config: unknown key'],
    ['a key of two lines', '{? "a\\nb" : 1}\n', 'a\\nb: unknown key'],
  ];
  for (const [what, text, message] of bad)
    it(`refuses ${what}, naming file and key`, () => {
      const path = file(text);
      refuses(['--config', path], `${path}: ${message}`);
    });

  it('names the line of a syntax error', () => {
    const path = file('epochs: 3\nstyle: "candy\n');
    assert.throws(
      () => parse('--config', path),
      (error: Error) => error.message.startsWith(`${path}:`),
    );
  });

  it('refuses a missing file and a folder', () => {
    refuses(
      ['--config', join(dir, 'no.yaml')],
      `--config ${join(dir, 'no.yaml')}: expected a YAML file, but there is no such file`,
    );
    refuses(['--config', dir], `--config ${dir}: expected a YAML file, but it is a folder`);
  });
});
