import { PLACES, type Place } from '../../bench/places.js';

/** Skips a test or suite whose database server does not answer, and says so. */
export async function needsPlace(test: Mocha.Context, name: string): Promise<Place> {
  try {
    return await PLACES[name]!();
  } catch (error) {
    console.log(`      skipped: no ${name} server: ${(error as Error).message || String(error)}`);
    return test.skip();
  }
}

/** Makes it look as if the process of these trials had died long ago. */
export function stopHeart(place: Place, ...ids: readonly number[]): Promise<void> {
  return place.run(
    `update trial_heartbeats set heartbeat = '2020-01-01 00:00:00' where trial_id in (${ids.join()})`,
  );
}
