import { named } from '../../dist/src/base/named.js';

/** What the plugins of a test add to. */
export const shapes = named('shape', { circle: () => 'round', square: () => 'even' });
