import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Frees what JavaScript holds no more, so that a measurement counts only what is held, however busy the machine is. */
export const collectGarbage = runInNewContext('gc') as () => void;
