import assert from 'node:assert/strict';
import { type Place } from '../../../../bench/places.js';
import { openStorage } from '../../../../src/study/open-storage.js';
import type { Storage } from '../../../../src/study/storage/storage.js';
import { floatDistribution } from '../../../../src/study/trials/make-distribution.js';
import { needsPlace } from '../../databases.js';

const TABLES = [
  'studies',
  'study_user_attributes',
  'study_system_attributes',
  'trial_user_attributes',
  'trial_system_attributes',
  'trial_params',
];
const refused = { name: 'UserError', message: /takes it for another name that is in use/ };

/** Optuna's tables have the collation of the server, and Millrace's had one that ignores blanks at the end. */
for (const [collation, alike] of [
  ['utf8mb4_general_ci', ['a ', 'A', 'á']],
  ['utf8mb4_bin', ['a ']],
] as const) {
  describe(`names on MariaDB's ${collation}`, () => {
    let place: Place | undefined;
    let storage: Storage;

    before(async function () {
      place = await needsPlace(this, 'mysql');
      await (await openStorage(place.url)).close();
      for (const table of TABLES)
        await place.run(`alter table ${table} convert to character set utf8mb4 collate ${collation}`);
      storage = await openStorage(place.url);
    });
    after(async () => {
      await storage?.close();
      await place?.remove();
    });

    it('refuses what the database takes for another name, and changes nothing', async () => {
      const study = await storage.createStudy('a', ['minimize']);
      await storage.setStudyAttr(study, 'user', 'a', 1);
      const { id } = await storage.createTrial(study);
      const param = { internal: 1, distribution: floatDistribution(0, 1) };
      await storage.writeTrial(id, {
        userAttrs: { a: 1 },
        systemAttrs: { a: 1 },
        params: new Map([['a', param]]),
      });
      for (const name of alike) {
        assert.equal(storage.limits?.fold?.(name), storage.limits?.fold?.('a'));
        assert.equal(await storage.findStudy(name), undefined);
        await assert.rejects(storage.createStudy(name, ['minimize']), refused);
        await assert.rejects(storage.setStudyAttr(study, 'user', name, 2), refused);
        for (const changes of [
          { userAttrs: { [name]: 2 } },
          { systemAttrs: { [name]: 2 } },
          { params: new Map([[name, { ...param, internal: 0 }]]) },
          { userAttrs: { [`new ${name}`]: 2, 'new a': 1 } },
        ])
          await assert.rejects(storage.writeTrial(id, changes), refused);
      }
      const [trial] = await storage.readTrials([id]);
      assert.deepEqual([trial!.userAttrs, trial!.systemAttrs, trial!.params], [{ a: 1 }, { a: 1 }, { a: 1 }]);
      assert.deepEqual((await storage.findStudy('a'))!.userAttrs, { a: 1 });
    });
  });
}
