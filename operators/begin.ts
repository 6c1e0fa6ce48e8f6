import { concat, defer, type OperatorFunction } from 'rxjs';
import { versions } from '../src/base/package.js';
import type { Engine } from '../src/engine/engine.js';
import type { Event, RunEvent } from '../src/events/event.js';
import type { Model } from '../src/model/model.js';

export interface BeginOptions
  extends Pick<RunEvent, 'run' | 'seed' | 'epochs' | 'batches' | 'classes' | 'config'> {
  readonly engine: Pick<Engine, 'name' | 'precision'>;
  readonly model: Model & { readonly adapter?: { readonly name: string } | undefined };
}

/**
 * Starts a run's events with a `RunEvent`: what runs, on what, and with which versions.
 *
 * Stands after all that makes events and before all that listens to them.
 *
 * @example
 * const engine = await useEngine('auto');
 * const classes = ['pet', 'background', 'border'];
 * training$.pipe(begin({ run: 'lora_42_1', model, engine, seed, epochs, batches: 20, classes, config: {} }));
 */
export function begin<E extends Event>({
  engine,
  model,
  ...about
}: BeginOptions): OperatorFunction<E, E | RunEvent> {
  const backboneParameters = model.parameters.count('backbone');
  const event = (): RunEvent => ({
    type: 'run',
    time: Date.now(),
    ...about,
    adapter: model.adapter?.name ?? 'none',
    adapterParameters: model.parameters.count('adapter'),
    headParameters: model.parameters.count('head'),
    ...(backboneParameters > 0 && { backboneParameters }),
    engine: engine.name,
    precision: engine.precision,
    versions: versions(),
  });
  return (events$) =>
    concat(
      defer(() => [event()]),
      events$,
    );
}
