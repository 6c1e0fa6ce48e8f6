import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { from, Observable, switchMap } from 'rxjs';
import { UserError } from '../base/errors.js';
import { DASHBOARD_PORT } from '../experiment/dashboard-flag.js';
import { isLoopback, randomToken } from './access.js';
import { EventStreams } from './event-stream.js';
import { LogFolder } from './log-folder.js';
import { routes } from './routes.js';
import { Studies } from './studies.js';

/** Options of `dashboard`. */
export interface DashboardOptions {
  /** The folder of runs' logs, or of one run. */
  readonly logs: string;
  /** Default 6007; 0 takes a free one. */
  readonly port?: number;
  /** The address on which it listens. Default 127.0.0.1; any other asks visitors for a token. */
  readonly host?: string;
  /** The storage of the studies. Default: `sqlite:///study.db`, where it is there. */
  readonly storage?: string | undefined;
}

const MOST_CONNECTIONS = 2048;
const MOST_HEADER_BYTES = 16_384;

/**
 * Serves the dashboard of a folder of logs while it is subscribed, and emits its address, with the token where one is
 * asked for. Unsubscribing ends all streams and closes the server at once.
 *
 * @throws UserError where there is no such folder or storage, and where the port is taken.
 * @example
 * dashboard({ logs: 'logs' }).subscribe((address) => console.log(address));
 */
export function dashboard(options: DashboardOptions): Observable<string> {
  return from(LogFolder.open(options.logs)).pipe(switchMap((folder) => served(folder, options)));
}

function served(
  folder: LogFolder,
  { port = DASHBOARD_PORT, host = '127.0.0.1', storage }: DashboardOptions,
): Observable<string> {
  return new Observable((subscriber) => {
    const token = isLoopback(host) ? undefined : randomToken();
    const streams = new EventStreams(folder);
    const studies = new Studies(storage);
    let server: Server | undefined;
    const listening = async () => {
      if (storage !== undefined) await studies.names();
      const { fetch } = await routes({ folder, streams, studies, token });
      if (subscriber.closed) return;
      server = createAdaptorServer({ fetch, serverOptions: { maxHeaderSize: MOST_HEADER_BYTES } }) as Server;
      server.maxConnections = MOST_CONNECTIONS;
      server.listen(port, host);
      await once(server, 'listening');
      subscriber.next(addressOf(server, host, token));
    };
    listening().catch((cause: NodeJS.ErrnoException) => subscriber.error(portError(cause, host, port)));
    return () => {
      streams.close();
      server?.close();
      server?.closeAllConnections();
      void studies.close();
    };
  });
}

function addressOf(server: Server, host: string, token: string | undefined): string {
  const { port } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}/${token === undefined ? '' : `?token=${token}`}`;
}

function portError(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  const why = {
    EADDRINUSE: ['port', `a free port, got ${port}, which is taken; give another one, or 0 for a free one`],
    EACCES: ['port', `a port that this user may open, got ${port}; give one from 1024 up`],
    EADDRNOTAVAIL: ['host', `an address of this machine, got ${host}`],
    ENOTFOUND: ['host', `an address of this machine, got ${host}`],
  }[cause.code ?? ''];
  return why ? new UserError(`--${why[0]}: expected ${why[1]}`, { host, port }, { cause }) : cause;
}
