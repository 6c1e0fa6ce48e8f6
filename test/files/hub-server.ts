import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, well } from './file-server.js';

const digest = (method: string, ...parts: (string | Buffer)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash(method)).digest('hex');

/** The commit of every repository. */
export const COMMIT = 'c0ffee'.padEnd(40, '0');
/** The token of a user who may read and write. */
export const TOKEN = 'hf_good';

/** A local server that plays the hub: its API for models, downloads, and uploads. */
export interface HubServer {
  readonly url: string;
  /** What was asked, `METHOD path`, the token beside it. */
  readonly requests: {
    readonly what: string;
    readonly token: string | undefined;
    readonly range: string | undefined;
  }[];
  /** Files by repository and path. Those that end so are of LFS: .safetensors, .bin, .onnx. */
  readonly repos: Map<string, Map<string, Buffer>>;
  /** Repositories that a token is needed for, and the status without it. */
  readonly guarded: Map<string, number>;
  /** How large files are served, one answer a request, then well. */
  readonly answers: Answer[];
  /** The commits that were made: their summary and files. */
  readonly commits: { readonly repo: string; readonly summary: string; readonly files: string[] }[];
  /** The ways to upload large files that were offered; `basic` is taken. */
  readonly offered: (readonly string[])[];
  close(): Promise<void>;
}

const isLarge = (path: string) => /\.(safetensors|bin|onnx)$/.test(path);

/** Starts it on 127.0.0.1. */
export async function hubServer(): Promise<HubServer> {
  const requests: HubServer['requests'] = [];
  const [repos, guarded] = [new Map<string, Map<string, Buffer>>(), new Map<string, number>()];
  const answers: Answer[] = [];
  const commits: HubServer['commits'] = [];
  const offered: (readonly string[])[] = [];
  const stored = new Map<string, Buffer>();
  let url = '';

  const infoOf = (path: string, data: Buffer) => ({
    type: 'file',
    path,
    size: data.length,
    oid: digest('sha1', `blob ${data.length}\0`, data),
    ...(isLarge(path) && { lfs: { oid: digest('sha256', data), size: data.length, pointerSize: 134 } }),
  });

  function resolved(request: IncomingMessage, response: ServerResponse, path: string, data: Buffer): void {
    const { oid, lfs } = infoOf(path, data);
    response.setHeader('x-repo-commit', COMMIT);
    if (lfs) {
      stored.set(lfs.oid, data);
      // The bytes lie elsewhere: another origin, which must not see the token.
      const location = `${url.replace('127.0.0.1', 'localhost')}/cdn/${lfs.oid}`;
      response
        .writeHead(302, { location, 'x-linked-etag': `"${lfs.oid}"`, 'x-linked-size': data.length })
        .end();
      return;
    }
    response.setHeader('etag', `"${oid}"`);
    if (request.method === 'HEAD') response.writeHead(200, { 'content-length': data.length }).end();
    else well(request, response, data);
  }

  /** The routes that change a repository. */
  function write(path: string, name: string, body: Buffer, response: ServerResponse): boolean {
    const json = (value: object) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      return true;
    };
    if (path === '/api/repos/create') {
      const { name: own, organization } = JSON.parse(body.toString()) as Record<string, string>;
      const repo = `${organization}/${own}`;
      if (repos.has(repo)) {
        response
          .writeHead(409, { 'content-type': 'application/json' })
          .end('{"error":"You already created it"}');
        return true;
      }
      repos.set(repo, new Map());
      return json({ url: `${url}/${repo}`, id: repo });
    }
    const repo = repos.get(name);
    if (!repo) return false;
    if (path.includes('/preupload/')) {
      const { files } = JSON.parse(body.toString()) as { files: { path: string }[] };
      return json({
        files: files.map((file) => ({
          path: file.path,
          uploadMode: isLarge(file.path) ? 'lfs' : 'regular',
          shouldIgnore: false,
        })),
      });
    }
    if (path.endsWith('/info/lfs/objects/batch')) {
      const { objects, transfers } = JSON.parse(body.toString()) as {
        objects: { oid: string; size: number }[];
        transfers: string[];
      };
      offered.push(transfers);
      return json({
        transfer: 'basic',
        objects: objects.map((one) => ({
          ...one,
          actions: { upload: { href: `${url}/upload/${one.oid}` } },
        })),
      });
    }
    if (!path.includes('/commit/')) return false;
    const lines = body.toString().trim().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as { key: string; value: Record<string, string> });
    for (const { key, value } of entries) {
      if (key === 'file') repo.set(value['path']!, Buffer.from(value['content']!, 'base64'));
      if (key === 'lfsFile') repo.set(value['path']!, stored.get(value['oid']!)!);
    }
    const files = entries.filter(({ key }) => key !== 'header').map(({ value }) => value['path']!);
    commits.push({ repo: name, summary: entries[0]!.value['summary']!, files });
    return json({ commitOid: COMMIT, commitUrl: `${url}/${name}/commit/${COMMIT}`, hookOutput: '' });
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = new URL(request.url!, url).pathname;
      const token = request.headers.authorization?.replace('Bearer ', '');
      requests.push({ what: `${request.method} ${path}`, token, range: request.headers.range });
      const body = Buffer.concat(chunks);
      const [, , oid] = /^\/(cdn|upload)\/(\w+)$/.exec(path) ?? [];
      if (oid && request.method === 'PUT') {
        stored.set(oid, body);
        return response.writeHead(200).end();
      }
      if (oid) return (answers.shift() ?? well)(request, response, stored.get(oid)!);
      const [, name = ''] =
        /^\/(?:api\/models\/)?([\w.-]+\/[\w.-]+?)(?=\.git\/|\/(?:revision|paths-info|resolve|preupload|commit)\/|$)/.exec(
          path,
        ) ?? [];
      const refused = guarded.get(name);
      if (refused !== undefined && token !== TOKEN) return response.writeHead(refused).end();
      if (request.method === 'POST' && !path.includes('/paths-info/')) {
        if (token !== TOKEN) return response.writeHead(401).end();
        if (write(path, name, body, response)) return undefined;
      }
      const files = repos.get(name);
      if (!files) return response.writeHead(404, { 'x-error-code': 'RepoNotFound' }).end();
      const [, asked] = /\/resolve\/\w+\/(.+)$/.exec(path) ?? [];
      const data = asked === undefined ? undefined : files.get(asked);
      if (data) return resolved(request, response, asked!, data);
      if (asked !== undefined)
        return response.writeHead(404, { 'x-error-code': 'EntryNotFound', 'x-repo-commit': COMMIT }).end();
      const answer = path.includes('/paths-info/')
        ? (JSON.parse(body.toString()) as { paths: string[] }).paths.flatMap((one) =>
            files.has(one) ? [infoOf(one, files.get(one)!)] : [],
          )
        : {
            _id: '1',
            id: name,
            sha: COMMIT,
            lastModified: '2026-01-01',
            siblings: [...files.keys()].map((rfilename) => ({ rfilename })),
          };
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url, requests, repos, guarded, answers, commits, offered, close };
}
