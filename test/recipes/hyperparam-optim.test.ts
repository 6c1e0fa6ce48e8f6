import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parse } from 'yaml';
import { readEvents } from '../../src/events/read-events.js';
import { loadStudy } from '../../src/study/create-study.js';
import { middle } from '../study/sampler.js';
import { run, type SharedProcess, sharedProcess, start } from './run.js';
import { tinyBackbone } from './trained.js';

describe('hyperparam-optim', () => {
  let dir: string;
  let backbone: string;
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    backbone = await tinyBackbone(join(dir, 'backbone'));
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const tiny = (epochs = 2) => [
    '--engine=wasm',
    `--epochs=${epochs}`,
    '--data_percentage=10%',
    `--model_name=${backbone}`,
  ];
  const search = (...args: string[]) => shared.run('hyperparam-optim', [...tiny(), ...args], dir);
  const trialsOf = async (studyName: string, file = 'study.db') => {
    const study = await loadStudy({ storage: `sqlite:///${join(dir, file)}`, studyName, sampler: middle });
    const trials = await study.trials();
    await study.close();
    return trials.map(({ number, state, values, params, intermediateValues }) => ({
      number,
      state,
      values,
      params,
      steps: [...intermediateValues],
    }));
  };

  it('begins with the defaults, finds the best, continues a study, and its best.yaml trains', async () => {
    const { code, stdout, stderr } = await search('--n_trials=2');
    assert.equal(code, 0, stderr);
    const [first] = await trialsOf('lora');
    assert.deepEqual(first!.params, { lora_rank: 4, lora_alpha: 16, lr: 1e-3, weight_decay: 1e-4 });
    const more = await search('--n_trials=4', '--pruner=none');
    assert.equal(more.code, 0);
    assert.doesNotMatch(more.stderr, /no trial was added/);
    const full = await search('--n_trials=3', '--pruner=none');
    assert.match(full.stderr, /^study lora: no trial was added: it has 4 of 3; --n-trials 7 adds 3$/m);
    const trials = await trialsOf('lora');
    assert.deepEqual(
      trials.map(({ number, state }) => [number, state]),
      [0, 1, 2, 3].map((number) => [number, 'COMPLETE']),
    );
    assert.match(stdout, /^trial 0 COMPLETE 0\.\d+ \{"lora_rank":4,.*\n/);
    assert(existsSync(join(dir, 'results/hyperparam-optim/lora/optimization-history.png')));

    const best = trials.reduce((a, b) => (b.values![0]! > a.values![0]! ? b : a));
    const config = parse(
      readFileSync(join(dir, 'results/hyperparam-optim/lora/best.yaml'), 'utf8'),
    ) as Record<string, unknown>;
    assert.deepEqual(
      [config['rank'], config['alpha'], config['lr'], config['weightDecay']],
      [best.params['lora_rank'], best.params['lora_alpha'], best.params['lr'], best.params['weight_decay']],
    );
    const trained = await shared.run(
      'train-lora',
      ['--config=results/hyperparam-optim/lora/best.yaml', '--run-name=best'],
      dir,
    );
    assert.equal(trained.code, 0, trained.stderr);
    const metrics = readFileSync(join(dir, 'logs/best/events.jsonl'), 'utf8').trim().split('\n');
    const last = metrics.map(
      (line) => JSON.parse(line) as { type: string; split?: string; scores: { softDice: number } },
    );
    const scored = last.filter(({ type, split }) => type === 'validation' && split === 'validation').at(-1)!;
    assert.equal(scored.scores.softDice, best.values![0]);
  });

  it('repeats the same trials for the same seed, in one run or in two', async () => {
    const make = (file: string, ...args: string[]) =>
      search(
        `--storage=sqlite:///${file}`,
        '--lora_type=localized_lora',
        '--separate_lr',
        '--pruner=asha',
        ...args,
      );
    assert.equal((await make('a.db', '--n_trials=3', '--random_seed=7')).code, 0);
    for (const n of [2, 3]) assert.equal((await make('b.db', `--n_trials=${n}`, '--random_seed=7')).code, 0);
    const trials = await trialsOf('localized_lora', 'a.db');
    assert.deepEqual(await trialsOf('localized_lora', 'b.db'), trials);
    const names = ['r_block', 'num_blocks', 'lora_alpha', 'lr_vit_backbone', 'lr_seg_head', 'weight_decay'];
    assert.deepEqual(Object.keys(trials[1]!.params), names);
  });

  it('trains once what trials have in common, with the trials of --no-forks', async () => {
    const make = (studyName: string, ...args: string[]) =>
      search(
        `--study-name=${studyName}`,
        '--backbone-frozen',
        '--separate-lr',
        '--freeze-epochs=1,2',
        '--lora-type=bitfit',
        '--sampler=random',
        '--pruner=none',
        '--n-trials=10',
        ...args,
      );
    const forked = await make('forked');
    assert.equal(forked.code, 0, forked.stderr);
    assert.match(forked.stdout, /^forks: [1-9]\d* of \d+ steps were trained before$/m);
    assert(!existsSync(join(dir, 'results/hyperparam-optim/forked/forks')));
    const alone = await make('alone', '--no-forks');
    assert.doesNotMatch(alone.stdout, /forks/);
    assert.deepEqual(await trialsOf('forked'), await trialsOf('alone'));
  });

  it('runs several at a time, and the head alone', async () => {
    const { code, stderr } = await search(
      '--backbone_frozen',
      '--study_name=head',
      '--n_trials=3',
      '--concurrency=2',
      '--optimize_for=loss',
    );
    assert.equal(code, 0, stderr);
    const trials = await trialsOf('head');
    assert.deepEqual(
      trials.map(({ params }) => Object.keys(params)),
      [0, 1, 2].map(() => ['lr', 'weight_decay']),
    );
    const config = readFileSync(join(dir, 'results/hyperparam-optim/head/best.yaml'), 'utf8');
    assert.match(config, /^mode: head$/m);
  });

  it('tries each point of a grid once, or all values by brute force, and stops', async () => {
    for (const sampler of ['grid', 'brute-force']) {
      const args = ['--epochs=1', '--backbone_frozen', `--study_name=${sampler}`, `--sampler=${sampler}`];
      const { code, stderr } = await search(...args, '--n_trials=50');
      assert.equal(code, 0, stderr);
      const trials = await trialsOf(sampler);
      const points = new Set(trials.map(({ params }) => `${params['lr']} ${params['weight_decay']}`));
      assert.deepEqual([points.size, trials.length], [4 * 3, 4 * 3], sampler);
    }
  });

  it('accepts the other samplers and pruners, with their own flags', async () => {
    const one = async (n: number, ...args: string[]) => {
      const { code, stderr } = await search('--study_name=pruned', `--n_trials=${n}`, ...args);
      assert.equal(code, 0, stderr);
      return (await trialsOf('pruned')).at(-1)!;
    };
    assert.equal((await one(1, '--pruner=none', '--sampler=gp')).state, 'COMPLETE');
    const threshold = await one(2, '--pruner=threshold', '--threshold_lower=0.999');
    assert.deepEqual([threshold.state, threshold.steps.length], ['PRUNED', 1]);
    const patient = ['--pruner=patient', '--pruner_patience=0', '--pruner_min_delta=0.01'];
    assert.equal((await one(3, ...patient, '--wrapped_pruner=median')).number, 2);
    const config = readFileSync(join(dir, 'results/hyperparam-optim/pruned/best.yaml'), 'utf8');
    assert.doesNotMatch(config, /prun|threshold|sampler/i);
  });

  it('shares a study among processes that begin at the same moment', async () => {
    const args = ['--storage=sqlite:///many.db', '--study_name=many', '--n_trials=5'];
    // A process that finds nothing to do looks again after half a heartbeat.
    const ended = await Promise.all(
      [1, 2, 3].map(() => run('hyperparam-optim', [...tiny(1), ...args, '--heartbeat=5'], dir)),
    );
    for (const { code, stderr } of ended) assert.equal(code, 0, stderr);
    const trials = await trialsOf('many', 'many.db');
    assert.deepEqual(
      trials.map(({ number, state }) => [number, state]),
      [0, 1, 2, 3, 4].map((number) => [number, 'COMPLETE']),
    );
    assert.deepEqual(trials[0]!.params, { lora_rank: 4, lora_alpha: 16, lr: 1e-3, weight_decay: 1e-4 });
    assert.equal(new Set(trials.map(({ params }) => JSON.stringify(params))).size, 5);
    const told = ended.flatMap(({ stdout }) => stdout.match(/^trial \d/gm) ?? []).toSorted();
    assert.deepEqual(told, ['trial 0', 'trial 1', 'trial 2', 'trial 3', 'trial 4']);
    const best = trials.reduce((a, b) => (b.values![0]! > a.values![0]! ? b : a));
    for (const { stdout } of ended) assert.match(stdout, new RegExp(`^best: trial ${best.number} `, 'm'));
    const config = readFileSync(join(dir, 'results/hyperparam-optim/many/best.yaml'), 'utf8');
    assert.equal((parse(config) as Record<string, unknown>)['lr'], best.params['lr']);

    const other = await shared.run('hyperparam-optim', [...tiny(3), ...args, '--optimize_for=loss'], dir);
    assert.equal(other.code, 1);
    assert.match(
      other.stderr,
      /--study-name many: expected the search .*, softDice of lora, 1 epochs on 10 % .*, got loss of lora, 3 epochs on 10 % /,
    );
  });

  it('retries what was stopped, the defaults included, while another process continues', async () => {
    const args = [...tiny(10), '--storage=sqlite:///stopped.db', '--n_trials=2', '--heartbeat=20'];
    const stopped = start('hyperparam-optim', args, dir);
    await new Promise<void>((resolve) =>
      stopped.process.stderr!.on('data', (text: string) => text.includes('epoch 1') && resolve()),
    );
    stopped.process.kill('SIGSTOP');
    const other = run('hyperparam-optim', args, dir);
    while ((await trialsOf('lora', 'stopped.db')).length < 2) await wait(50);
    for (const signal of ['SIGTERM', 'SIGCONT'] as const) stopped.process.kill(signal);
    assert.equal((await stopped.ended).code, 143);
    const { code, stderr } = await other;
    assert.equal(code, 0, stderr);
    const [first, , last] = await trialsOf('lora', 'stopped.db');
    assert.deepEqual([first!.state, last!.state, last!.params], ['FAIL', 'COMPLETE', first!.params]);
  });

  it('sends each trial to the loggers that are asked for, under its own name', async () => {
    const args = ['--n_trials=1', '--study-name=logged', '--output-dir=logged', '--logger=json-lines'];
    const { code, stderr } = await search(...args, '--storage=sqlite:///logged.db');
    assert.equal(code, 0, stderr);
    const events = await readEvents(join(dir, 'logged/logged/trials/0/events.jsonl'));
    const [first] = events;
    assert.ok(first!.type === 'run' && first!.run === 'logged_0');
    const last = events.at(-1)!;
    assert.ok(last.type === 'trial' && last.state === 'COMPLETE');
  });

  it('ends a trial early where --patience is given', async () => {
    // Small steps leave the classes as they are.
    const args = [
      '--study_name=patient',
      '--n_trials=1',
      '--optimizer=sgd',
      '--metric=accuracy',
      '--patience=1',
    ];
    const { code, stderr } = await shared.run('hyperparam-optim', [...tiny(20), ...args], dir);
    assert.equal(code, 0, stderr);
    const [trial] = await trialsOf('patient');
    assert(trial!.steps.length < 20, `${trial!.steps.length} epochs`);
  });

  it('searches over a classifier, goes on, and its best.yaml trains', async () => {
    const args = ['--task=classification', '--split=hash', '--label-smoothing=0.1', '--top-k=2'];
    const { code, stderr } = await search(...args, '--n_trials=1', '--pruner=none');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /--optimize-for accuracy: the share of pictures/);
    assert.equal((await search(...args, '--n_trials=2', '--pruner=none')).code, 0);
    const trials = await trialsOf('classifier_lora');
    assert.deepEqual(
      trials.map(({ number, state, steps }) => [number, state, steps.length]),
      [0, 1].map((number) => [number, 'COMPLETE', 2]),
    );
    assert.deepEqual(trials[0]!.params, { lora_rank: 4, lora_alpha: 16, lr: 1e-3, weight_decay: 1e-4 });
    const best = trials.reduce((a, b) => (b.values![0]! > a.values![0]! ? b : a));
    const trained = await shared.run(
      'train-classifier',
      ['--config=results/hyperparam-optim/classifier_lora/best.yaml', '--run-name=best_classifier'],
      dir,
    );
    assert.equal(trained.code, 0, trained.stderr);
    const scores = (await readEvents(join(dir, 'logs/best_classifier/events.jsonl'))).flatMap((event) =>
      event.type === 'validation' && event.split === 'validation' ? [event.scores['accuracy']] : [],
    );
    assert.equal(scores.at(-1), best.values![0]);

    const refused = async (pattern: RegExp, ...more: string[]) => {
      const ended = await search('--task=classification', '--split=hash', ...more);
      assert.equal(ended.code, 1);
      assert.match(ended.stderr, pattern);
    };
    await refused(
      /--optimize-for topK: expected --top-k below .* 8, got 9/,
      '--optimize-for=topK',
      '--top-k=9',
    );
    await refused(/--optimize-for: expected one of loss, accuracy, .*"softDice"/, '--optimize-for=softDice');
    await refused(/--mask-dir: unknown flag/, '--mask-dir=masks');
    const other = await search('--study-name=classifier_lora');
    assert.match(
      other.stderr,
      /expected the search .*, accuracy of classifier_lora, 2 epochs on 10 % of the embedded .*, got softDice of lora, /,
    );
    const typo = await search('--task=classificaton');
    assert.match(typo.stderr, /--task: expected one of .*did you mean classification\?/);
  });

  it('refuses an unknown pruner in one line', async () => {
    const { code, stderr } = await search('--pruner=meddian');
    assert.deepEqual([code, stderr.split('\n').length], [1, 2]);
    assert.match(stderr, /--pruner: expected .*did you mean median\?/);
  });
});
