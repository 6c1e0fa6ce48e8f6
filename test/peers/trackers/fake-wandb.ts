import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** What a W&B server is sent while `wandb sync` uploads a run. */
export interface Uploaded {
  /** The variables of the mutation that creates or updates the run. */
  readonly runs: Record<string, unknown>[];
  /** The rows of the run's history. */
  readonly history: Record<string, unknown>[];
  /** The sizes of the files. */
  readonly files: Map<string, number>;
  exitCode: number | undefined;
}

interface Stream {
  readonly files?: Readonly<Record<string, { readonly content?: readonly string[] }>>;
  readonly complete?: boolean;
  readonly exitcode?: number;
}

interface Query {
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** A server on loopback that takes what `wandb sync` uploads, and keeps it. */
export async function fakeWandb(): Promise<{ uri: string; uploaded: Uploaded; close(): void }> {
  const uploaded: Uploaded = { runs: [], history: [], files: new Map(), exitCode: undefined };
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const path = request.url ?? '';
    let answer: unknown = {};
    if (path.endsWith('/graphql')) answer = { data: answerTo(JSON.parse(body.toString()), uploaded, uri) };
    else if (path.endsWith('/file_stream')) take(JSON.parse(body.toString()), uploaded);
    else if (request.method === 'PUT') uploaded.files.set(path.replace('/upload/', ''), body.length);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { uri, uploaded, close };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

function answerTo({ query, variables }: Query, uploaded: Uploaded, uri: string): unknown {
  const { name, files = [] } = variables as { name?: string; files?: string[] };
  if (query.includes('createRunFiles')) {
    const places = files.map((file) => ({ name: file, uploadUrl: `${uri}/upload/${file}` }));
    return { createRunFiles: { runID: 'b', uploadHeaders: [], files: places } };
  }
  if (!query.includes('upsertBucket')) return { serverInfo: { features: [] } };
  uploaded.runs.push(variables);
  const project = { id: 'p', name: variables['project'], entity: { id: 'e', name: 'me' } };
  const bucket = {
    id: 'b',
    name,
    displayName: variables['displayName'],
    config: '{}',
    historyLineCount: 0,
    project,
  };
  return { upsertBucket: { bucket, inserted: true } };
}

function take({ files = {}, exitcode, complete }: Stream, uploaded: Uploaded): void {
  if (complete) uploaded.exitCode = exitcode;
  for (const row of files['wandb-history.jsonl']?.content ?? []) uploaded.history.push(JSON.parse(row));
}
