import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** A server on 127.0.0.1 that gives each request the next answer, the last one again and again. */
export interface FileServer {
  readonly url: string;
  /** The Range header of every request so far. */
  readonly ranges: (string | undefined)[];
  /** The number of connections so far. */
  connections(): number;
  close(): Promise<void>;
}

export async function fileServer(
  files: Readonly<Record<string, Buffer>>,
  answers: readonly Answer[],
): Promise<FileServer> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(ranges.length, answers.length - 1)]!;
    ranges.push(request.headers.range);
    const body = files[(request.url ?? '').slice(1)];
    if (body) answer(request, response, body);
    else response.writeHead(404).end();
  });
  let connections = 0;
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url: `http://127.0.0.1:${port}/`, ranges, connections: () => connections, close };
}

function firstByte(request: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
}

/** Serves as it should, ranges included. */
export const well: Answer = (request, response, body) => {
  const from = firstByte(request);
  if (from >= body.length && from > 0) {
    response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end();
    return;
  }
  const rest = body.subarray(from);
  const range = { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` };
  response
    .writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length, ...(from > 0 ? range : {}) })
    .end(rest);
};

/** Serves well, but cuts the connection after so many bytes. */
export function dropAfter(bytes: number): Answer {
  return (request, response, body) => {
    const from = firstByte(request);
    const range = { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` };
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': body.length - from,
      ...(from > 0 ? range : {}),
    });
    response.write(body.subarray(from, from + bytes), () => request.socket.end());
  };
}

/** Sends the whole file, whatever was asked for. */
export const ignoreRange: Answer = (_, response, body) => {
  response.writeHead(200, { 'content-length': body.length }).end(body);
};

/** The same, but cuts the connection after so many bytes. */
export function ignoreRangeUntil(bytes: number): Answer {
  return (request, response, body) => {
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, bytes), () => request.socket.end());
  };
}

/** Sends the whole file, and says that it is larger by so many bytes. */
export function overstate(bytes: number): Answer {
  return (request, response, body) => {
    response.writeHead(200, { 'content-length': body.length + bytes });
    response.write(body, () => request.socket.end());
  };
}

/** Claims to resume, but elsewhere. */
export const wrongRange: Answer = (_, response, body) => {
  response
    .writeHead(206, { 'content-range': `bytes 1-${body.length - 1}/${body.length}` })
    .end(body.subarray(1));
};

/** Sends as many bytes as it should, and other ones. */
export const wrongBytes: Answer = (request, response, body) =>
  well(request, response, body.map((byte) => byte ^ 255) as Buffer);

export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(code, headers).end();
  };
}

/** Cuts the connection before it says anything. */
export const hangUp: Answer = (request) => {
  request.socket.destroy();
};

/** Sends a little, then nothing more. */
export const fallSilent: Answer = (_, response, body) => {
  response.writeHead(200, { 'content-length': body.length });
  response.write(body.subarray(0, 10));
};

/** Serves ranges with an end, too. */
export const ranged: Answer = (request, response, body) => {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (first === undefined) return well(request, response, body);
  const part = body.subarray(Number(first), last ? Number(last) + 1 : undefined);
  response
    .writeHead(206, {
      'content-length': part.length,
      'content-range': `bytes ${first}-${Number(first) + part.length - 1}/${body.length}`,
    })
    .end(part);
};
