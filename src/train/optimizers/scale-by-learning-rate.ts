import { mul } from '../../base/tfjs-core.js';
import { type GradientTransform, mapPacks, stateless } from './transform.js';

/** −rate·update, with the rate that the schedule gives the pack at this step: the last link of a chain. */
export function scaleByLearningRate(): GradientTransform {
  return stateless((updates, { learningRate }) =>
    mapPacks(updates, (u, pack) => mul(-learningRate[pack]!, u)),
  );
}
