import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Python } from '../../../bench/peers/python.js';

/** `mlflow server` on loopback, with its database and artifacts in a folder. */
export class MlflowServer {
  private constructor(
    readonly uri: string,
    private readonly process: ChildProcess,
  ) {}

  static async start(python: Python, dir: string): Promise<MlflowServer> {
    const port = await freePort();
    const args = ['server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
    const stores = [
      '--backend-store-uri',
      `sqlite:///${dir}/mlflow.db`,
      '--artifacts-destination',
      join(dir, 'files'),
    ];
    // Its workers are ended with it, as one group.
    const child = spawn(join(dirname(python.path), 'mlflow'), [...args, ...stores], {
      cwd: dir,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    const server = new MlflowServer(`http://127.0.0.1:${port}`, child);
    while (!(await server.#isUp())) {
      if (child.exitCode !== null) throw new Error(`mlflow server ended with ${child.exitCode}:\n${said}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return server;
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.process;
    if (exitCode !== null || signalCode !== null) return;
    const ended = once(this.process, 'exit');
    process.kill(-this.process.pid!, 'SIGKILL');
    await ended;
  }

  async #isUp(): Promise<boolean> {
    return fetch(`${this.uri}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
