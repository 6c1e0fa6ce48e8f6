import { readFile } from 'node:fs/promises';
import { type Context, Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { UserError } from '../base/errors.js';
import { runFilter } from '../experiment/run-fields.js';
import { notFromOtherSites, onlyByLoopbackName, withToken } from './access.js';
import { asset, contentPolicy } from './assets.js';
import type { EventStreams } from './event-stream.js';
import { inside, type LogFolder } from './log-folder.js';
import type { Studies } from './studies.js';

/** What the routes serve, and to whom. */
export interface Served {
  readonly folder: LogFolder;
  readonly streams: EventStreams;
  readonly studies: Studies;
  /** Asked for where the server does not listen on loopback. */
  readonly token: string | undefined;
}

const PICTURES: Readonly<Record<string, string>> = { jpg: 'image/jpeg', png: 'image/png' };

/** The addresses of the dashboard: its page, the runs, their event stream, and their pictures. It only reads. */
export async function routes({ folder, streams, studies, token }: Served): Promise<Hono> {
  const app = new Hono();
  app.use(secureHeaders({ contentSecurityPolicy: await contentPolicy(), strictTransportSecurity: false }));
  app.use(token === undefined ? onlyByLoopbackName() : withToken(token), notFromOtherSites());
  app.use(async (c, next) => {
    await next();
    c.header('Cache-Control', 'no-store');
  });
  app.get('/api/runs', (c) => listed(c, folder));
  app.get('/api/events', (c) => streams.answer(c));
  app.get('/api/studies', async (c) => c.json(await studies.names()));
  app.get('/api/studies/:study', async (c) => {
    const view = await studies.view(c.req.param('study'));
    return view ? c.json(view) : c.notFound();
  });
  app.get('/api/runs/:run/files/*', (c) => picture(c, folder));
  app.get('*', async (c) => {
    const file = await asset(c.req.path);
    return file ? c.body(file.text, 200, { 'Content-Type': file.type }) : c.notFound();
  });
  app.onError((error, c) => c.text(`${error.message}\n`, error instanceof UserError ? 400 : 500));
  return app;
}

/** The runs for which all conditions `?where=` hold, as `millrace runs --where` reads them. */
async function listed(c: Context, folder: LogFolder): Promise<Response> {
  await folder.look();
  const overviews = folder.runs.map((run) => run.overview);
  const conditions = c.req.queries('where') ?? [];
  const filters = conditions.map((expression) => runFilter(expression, overviews));
  const runs = folder.runs.filter(({ overview }) => filters.every((filter) => filter(overview)));
  return c.json({ ...folder.moment, runs: runs.map((run) => run.row) });
}

/** A drawing in a run's folder. */
async function picture(c: Context, folder: LogFolder): Promise<Response> {
  const run = folder.run(c.req.param('run') ?? '');
  const path = c.req.path.split('/files/').slice(1).join('/files/');
  const type = PICTURES[path.split('.').at(-1) ?? ''];
  if (!run || type === undefined) return c.notFound();
  const file = await inside(run.folder, decodeURIComponent(path));
  const bytes = file === undefined ? undefined : await readFile(file).catch(() => undefined);
  return bytes === undefined ? c.notFound() : c.body(new Uint8Array(bytes), 200, { 'Content-Type': type });
}
