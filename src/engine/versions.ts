import { packageVersion } from '../config/flags.js';
import { installedVersion } from './engine.js';

/** The versions that a run's results may depend on, for its record. */
export function versions(): Record<string, string> {
  const tfjs = installedVersion('@tensorflow/tfjs-core');
  return { millrace: packageVersion(), node: process.versions.node, ...(tfjs && { tfjs }) };
}
