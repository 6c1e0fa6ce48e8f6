import { needsPlace } from '../../study/databases.js';
import { crowd } from '../../study/worker-crowd.js';

// Needs no Python, but minutes: eight workers, one of them killed and replaced every second, until the study has 500.
describe('eight workers of which one dies every second', () => {
  for (const name of ['postgresql', 'sqlite', 'mysql'])
    it(`lose no trial on ${name}, repeat none, and end`, async function () {
      const place = await needsPlace(this, name);
      try {
        const settings = { workers: 8, trials: 500, killEvery: 1000, kills: Number.POSITIVE_INFINITY };
        const { failed, killed } = await crowd(place, { ...settings, work: 300, heartbeat: 2 });
        console.log(`      ${killed} workers killed, ${failed} trials retried`);
      } finally {
        await place.remove();
      }
    });
});
