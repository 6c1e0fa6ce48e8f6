import { type Place } from '../../../bench/places.js';
import { openStorage } from '../../../src/study/open-storage.js';
import { needsPlace } from '../../study/databases.js';
import { crowd } from '../../study/worker-crowd.js';

/** Ends a random connection to this database but its own. */
const BREAK: Readonly<Record<string, string>> = {
  postgresql: `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() order by random() limit 1`,
  mysql: `begin not atomic
    declare one int;
    select id into one from information_schema.processlist
      where db = database() and id <> connection_id() order by rand() limit 1;
    if one is not null then execute immediate concat('kill ', one); end if;
  end`,
};

/**
 * x and n as in a plain search, but some trials block their event loop for three heartbeats, and where n is 13 the
 * process dies as the kernel's killer of processes without memory left would have it.
 */
const OBJECTIVE = `
  import { execFileSync } from 'node:child_process';
  export default async (trial) => {
    const x = trial.suggestFloat('x', -10, 10);
    const n = trial.suggestInt('n', 0, 60);
    if (n === 13) process.kill(process.pid, 'SIGKILL');
    await new Promise((done) => setTimeout(done, 200));
    if (n % 20 === 7) execFileSync('sleep', ['6']);
    await trial.report(x, 1);
    return x ** 2 + n ** 2;
  };`;

describe('eight workers, of which one dies every two seconds while a connection breaks every second', () => {
  for (const name of ['postgresql', 'mysql'])
    it(`end 300 trials on ${name}: none lost, none twice, none RUNNING`, async function () {
      const place: Place = await needsPlace(this, name);
      // Tables are made in peace: on MariaDB a cut leaves half of them.
      await (await openStorage(place.url)).close();
      let broken = 0;
      const breaker = setInterval(() => {
        place.run(BREAK[name]!).then(
          () => broken++,
          () => {},
        );
      }, 1000);
      try {
        const { failed, killed } = await crowd(place, {
          workers: 8,
          trials: 300,
          killEvery: 2000,
          kills: Number.POSITIVE_INFINITY,
          heartbeat: 2,
          objective: OBJECTIVE,
        });
        console.log(
          `      ${broken} connections broken, ${killed} workers killed, ${failed} trials failed, each retried twice at most`,
        );
      } finally {
        clearInterval(breaker);
        await place.remove();
      }
    });
});
