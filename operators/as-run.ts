import { concat, defer, type MonoTypeOperatorFunction, tap } from 'rxjs';
import { versions } from '../src/base/package.js';
import type { Tensors } from '../src/data/batch.js';
import { engineInUse } from '../src/engine/engine.js';
import { doneEvent } from '../src/events/done-event.js';
import type { Event, RunEvent } from '../src/events/event.js';
import type { Scores } from '../src/events/scores.js';
import type { Run } from '../src/train/run.js';

/**
 * Puts a `RunEvent` before the events (model, engine, versions) and a `DoneEvent` after them, of reason `finished` unless
 * `earlyStop` or `guard` has ended the run.
 *
 * Stands after all that makes events and before all that listens to them.
 *
 * @example
 * training$.pipe(guard(run), testBest(run, batches), asRun(run), logTo(run, jsonLines()), progress(run));
 */
export function asRun<In extends Tensors, Out extends Tensors, Target extends Tensors, S extends Scores>(
  run: Run<In, Out, Target, S>,
): MonoTypeOperatorFunction<Event<S>> {
  return (events$) =>
    defer(() => {
      const started = performance.now();
      let done = false;
      return concat(
        defer(() => [runEvent(run)]),
        events$.pipe(
          tap((event) => {
            done ||= event.type === 'done';
          }),
        ),
        defer(() => (done ? [] : [doneEvent('finished', { step: run.position, epoch: run.epoch }, started)])),
      );
    });
}

function runEvent<In extends Tensors, Out extends Tensors, Target extends Tensors, S extends Scores>({
  name,
  seed,
  epochs,
  batches,
  classes,
  config,
  model,
}: Run<In, Out, Target, S>): RunEvent {
  const { parameters, adapter } = model;
  const backboneParameters = parameters.count('backbone');
  const engine = engineInUse();
  return {
    type: 'run',
    time: Date.now(),
    run: name,
    seed,
    epochs,
    batches,
    classes,
    config,
    adapter: adapter?.name ?? 'none',
    adapterParameters: parameters.count('adapter'),
    headParameters: parameters.count('head'),
    ...(backboneParameters > 0 && { backboneParameters }),
    engine: engine.name,
    precision: engine.precision,
    versions: versions(),
  };
}
