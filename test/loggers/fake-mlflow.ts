import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Entry {
  readonly key: string;
  readonly value: string;
}

interface Point {
  readonly key: string;
  readonly value: number | string;
  readonly step: number;
  readonly timestamp: number;
}

/** A run as the fake server keeps it. */
export interface FakeRun {
  readonly id: string;
  readonly name: string;
  status: string;
  readonly tags: Map<string, string>;
  readonly params: Map<string, string>;
  readonly points: Point[];
}

/**
 * What goes wrong with a server: it never answers, answers 500, closes each connection, answers as another server, or does
 * as it is asked and closes the connection instead of answering.
 */
export type Fault = 'hangs' | 'fails' | 'drops' | 'strange' | 'loses answers';

/** An MLflow server in memory, with the few calls that the logger makes, and faults. */
export class FakeMlflow {
  readonly runs: FakeRun[] = [];
  readonly artifacts = new Map<string, Buffer>();
  /** All calls so far. */
  calls = 0;
  fault: Fault | undefined;
  /** The number of calls after which the fault begins. */
  soundFor = 0;
  /** The number of calls at which it ends. */
  faultyUntil = Number.POSITIVE_INFINITY;
  #server: Server | undefined;
  #experiments: string[] = [];

  async start(): Promise<void> {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    await new Promise<void>((resolve) => this.#server!.listen(0, '127.0.0.1', resolve));
  }

  get uri(): string {
    return `http://127.0.0.1:${(this.#server!.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server!.closeAllConnections();
    await new Promise((resolve) => this.#server!.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const fault = this.calls >= this.soundFor && this.calls < this.faultyUntil ? this.fault : undefined;
    this.calls++;
    if (fault === 'hangs') return;
    if (fault === 'drops') return void request.socket.destroy();
    if (fault === 'fails') return void response.writeHead(500).end('broken');
    if (fault === 'strange') return void response.end('<html>');
    const { pathname, searchParams } = new URL(request.url!, 'http://host');
    const path = pathname.replace('/api/2.0/mlflow/', '');
    const data = Buffer.concat(chunks);
    if (request.method === 'PUT') {
      this.artifacts.set(pathname.replace('/api/2.0/mlflow-artifacts/artifacts/', ''), data);
      return void response.end();
    }
    const body = request.method === 'POST' ? JSON.parse(data.toString()) : Object.fromEntries(searchParams);
    const [status, answer] = this.#call(path, body);
    if (fault === 'loses answers') return void request.socket.destroy();
    response.writeHead(status).end(JSON.stringify(answer));
  }

  #call(path: string, body: Record<string, unknown>): [number, unknown] {
    const missing = [404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'none' }] as [number, unknown];
    const { name, run_id: id, status } = body as Record<string, string>;
    if (path === 'experiments/get-by-name') {
      const experiment = { experiment_id: '1', lifecycle_stage: 'active' };
      return this.#experiments.includes(String(body['experiment_name'])) ? [200, { experiment }] : missing;
    }
    if (path === 'experiments/create') {
      this.#experiments.push(name!);
      return [200, { experiment_id: '1' }];
    }
    if (path === 'runs/create') {
      const tags = new Map((body['tags'] as Entry[]).map(({ key, value }) => [key, value]));
      const run: FakeRun = {
        id: `run${this.runs.length}`,
        name: String(body['run_name']),
        status: 'RUNNING',
        tags,
        params: new Map(),
        points: [],
      };
      this.runs.push(run);
      return [200, { run: asAnswer(run) }];
    }
    if (path === 'runs/search') {
      const [, tag = '', value] = /tags\.`(.+)` = '(.*)'/.exec(String(body['filter'])) ?? [];
      return [200, { runs: this.runs.filter(({ tags }) => tags.get(tag) === value).map(asAnswer) }];
    }
    const run = this.runs.find((one) => one.id === id);
    if (!run) return missing;
    if (path === 'runs/update') run.status = status!;
    if (path === 'runs/delete') this.runs.splice(this.runs.indexOf(run), 1);
    if (path === 'runs/log-batch') {
      const {
        params = [],
        tags = [],
        metrics = [],
      } = body as { params?: Entry[]; tags?: Entry[]; metrics?: Point[] };
      for (const { key, value } of params) run.params.set(key, value);
      for (const { key, value } of tags) run.tags.set(key, value);
      run.points.push(...metrics);
    }
    return [200, path === 'runs/get' ? { run: asAnswer(run) } : {}];
  }
}

function asAnswer({ id, params, points }: FakeRun): unknown {
  const steps = new Map<string, number>();
  for (const { key, step } of points) steps.set(key, Math.max(step, steps.get(key) ?? 0));
  return {
    info: {
      run_id: id,
      lifecycle_stage: 'active',
      artifact_uri: `mlflow-artifacts:/1/${id}/artifacts`,
      start_time: 1,
    },
    data: {
      params: [...params].map(([key, value]) => ({ key, value })),
      metrics: [...steps].map(([key, step]) => ({ key, step })),
    },
  };
}
