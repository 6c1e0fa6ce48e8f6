import type { GradientTransform, Packs, State } from './transform.js';

/** Applies transforms one after another; the state of each is stored under its index, from 0. */
export function chain(...transforms: readonly GradientTransform[]): GradientTransform {
  return {
    init: (parameters, lateGroups) =>
      Object.fromEntries(
        transforms.map((transform, i) => [String(i), transform.init(parameters, lateGroups)]),
      ),
    update(updates, state, context) {
      const next: Record<string, State> = {};
      let current: Packs = updates;
      transforms.forEach((transform, i) => {
        const result = transform.update(current, state[i] as State, context);
        current = result.updates;
        next[i] = result.state;
      });
      return { updates: current, state: next };
    },
  };
}
