import { parentPort, workerData } from 'node:worker_threads';
import { type DashboardOptions, dashboard } from './dashboard.js';

// The thread of a dashboard beside a training: what it does holds up no step.

/** What the thread says: where it serves, or why it does not. */
export type DashboardNews = { readonly address: string } | { readonly failed: string };

const tell = (news: DashboardNews) => parentPort!.postMessage(news);

dashboard(workerData as DashboardOptions).subscribe({
  next: (address) => tell({ address }),
  error: (error: Error) => tell({ failed: error.message }),
});
