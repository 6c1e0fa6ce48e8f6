import { PLACES, type Place } from '../../bench/places.js';
import { createStudy, type LoadStudyOptions, loadStudy } from '../../src/study/create-study.js';
import { openStorage } from '../../src/study/open-storage.js';
import type { Storage } from '../../src/study/storage/storage.js';
import type { Study } from '../../src/study/study.js';
import { needsPlace } from './databases.js';
import { middle } from './sampler.js';

/** What a suite of studies gets of the place that it runs over. */
export interface Studies {
  readonly name: string;
  /** What the studies said; emptied after each test. */
  readonly warnings: readonly string[];
  place(): Place;
  url(): string | Storage;
  options(more?: Partial<LoadStudyOptions>): LoadStudyOptions;
  /** A new study, closed after the test. */
  create(more?: Parameters<typeof createStudy>[0]): Promise<Study>;
  /** The last one that was created, as another process has it. */
  again(more?: Partial<LoadStudyOptions>): Promise<Study>;
  /** Closes a study after the test that was made otherwise. */
  keep(study: Study): Study;
}

/** Runs a suite of studies over every kind of storage, or those that are named. */
export function overPlaces(
  title: string,
  suite: (studies: Studies) => void,
  places: readonly string[] = Object.keys(PLACES),
): void {
  for (const name of places) {
    describe(`${title} over ${name}`, () => {
      let place: Place | undefined;
      let url: string | Storage;
      let names = 0;
      const opened: Study[] = [];
      const warnings: string[] = [];
      const options = (more: Partial<LoadStudyOptions> = {}): LoadStudyOptions => ({
        storage: url,
        studyName: `study ${names}`,
        sampler: middle,
        warn: (code, message) => warnings.push(`${code}: ${message}`),
        ...more,
      });
      const keep = (study: Study) => {
        opened.push(study);
        return study;
      };

      before(async function () {
        place = await needsPlace(this, name);
        url = name === 'memory' ? await openStorage(place.url) : place.url;
      });
      afterEach(async () => {
        for (const study of opened.splice(0)) await study.close();
        warnings.length = 0;
      });
      after(() => place?.remove());

      suite({
        name,
        warnings,
        place: () => place!,
        url: () => url,
        options,
        keep,
        create: async (more = {}) => {
          names++;
          return keep(await createStudy({ ...options(), ...more }));
        },
        again: async (more) => keep(await loadStudy(options(more))),
      });
    });
  }
}
