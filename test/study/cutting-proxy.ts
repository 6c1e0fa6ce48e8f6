import { createConnection, createServer, type Socket } from 'node:net';

/** Stands between a storage and its database server, and breaks connections as a network or a server would. */
export interface CuttingProxy {
  /** The database, through the proxy. */
  readonly url: string;
  /** Breaks the next connection that says so, when the server has answered and before the answer comes through. */
  cutAfter(said: RegExp): void;
  /** Breaks all connections that are open. */
  cutAll(): void;
  /** How many were broken. */
  readonly cuts: number;
  /** Takes no connections from now on. */
  close(): Promise<void>;
}

export async function cuttingProxy(database: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(database);
  const open = new Map<Socket, Socket>();
  let said: RegExp | undefined;
  let cuts = 0;
  const cut = (client: Socket) => {
    open.get(client)?.destroy();
    client.resetAndDestroy();
    cuts++;
  };
  const proxy = createServer((client) => {
    const server = createConnection(Number(port), hostname);
    open.set(client, server);
    let marked = false;
    client.on('data', (bytes) => {
      if (said?.test(bytes.toString('latin1'))) {
        marked = true;
        said = undefined;
      }
      server.write(bytes);
    });
    server.on('data', (bytes) => (marked ? cut(client) : client.write(bytes)));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => {
        other.destroy();
        open.delete(client);
      });
    }
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  const through = new URL(database);
  through.hostname = '127.0.0.1';
  through.port = String((proxy.address() as { port: number }).port);
  return {
    url: through.href,
    cutAfter: (pattern) => {
      said = pattern;
    },
    cutAll: () => [...open.keys()].forEach(cut),
    get cuts() {
      return cuts;
    },
    close: async () => {
      for (const client of open.keys()) client.destroy();
      await new Promise((done) => proxy.close(done));
    },
  };
}
