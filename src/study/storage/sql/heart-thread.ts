import { parentPort, workerData } from 'node:worker_threads';
import type { HeartNews, HeartOrder } from './heart.js';
import { beat } from './heartbeats.js';
import { openDatabase } from './open-database.js';
import { retry } from './retry.js';

// The thread of a Heart: beats at each interval for the trials that it was told of.

const { url, interval } = workerData as { url: string; interval: number };
const trials = new Set<number>();
const tell = (news: HeartNews) => parentPort!.postMessage(news);

async function live(): Promise<void> {
  const database = await openDatabase(url, { connections: 1 });
  let beating: Promise<void> | undefined;
  const timer = setInterval(() => {
    if (trials.size === 0 || beating) return;
    beating = retry(() => beat(database, [...trials]), database)
      .catch((error: Error) => tell({ warning: `no heartbeat could be stored: ${error.message}` }))
      .finally(() => {
        beating = undefined;
      });
  }, interval * 1000);

  parentPort!.on('message', async (order: HeartOrder) => {
    if ('begin' in order) trials.add(order.begin);
    else if ('end' in order) trials.delete(order.end);
    else {
      clearInterval(timer);
      await beating;
      await database.db.destroy();
      parentPort!.close();
    }
  });
  tell({ ready: true });
}

live().catch((error: Error) => tell({ failed: error.message }));
