import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { checkedUrl, Dropped, persist } from '../files/http.js';

/** How a server is asked. */
export interface MlflowClientOptions {
  /** Seconds after which a request is given up; default 5. */
  readonly timeout?: number | undefined;
  /** How often a request is tried; default 3. */
  readonly tries?: number | undefined;
  /** Milliseconds before the second try, doubled before each further one; default 500. */
  readonly pause?: number | undefined;
}

/** The end of an error: how to mend it. */
const WHOSE = "; is it an MLflow server's address (MLFLOW_TRACKING_URI)?";

const failure = z.object({ error_code: z.string(), message: z.string() }).partial();

/** A refusal by the server, by MLflow's own code. */
export class MlflowRefusal extends UserError {
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message, { code });
  }
}

/**
 * Requests to an MLflow server. Each is tried again where the connection drops, the server is silent, or it answers 5xx.
 *
 * Who asks is read from MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.
 */
export class MlflowHttp {
  readonly #base: string;

  constructor(
    readonly uri: string,
    private readonly options: MlflowClientOptions,
  ) {
    this.#base = `${checkedUrl(uri).href.replace(/\/*$/, '')}/api/2.0/`;
  }

  get(path: string, query: Readonly<Record<string, string>>): Promise<unknown> {
    return this.#ask('GET', `mlflow/${path}?${new URLSearchParams(query).toString()}`);
  }

  post(path: string, body: object): Promise<unknown> {
    return this.#ask('POST', `mlflow/${path}`, JSON.stringify(body));
  }

  async put(path: string, body: Uint8Array): Promise<void> {
    await this.#ask('PUT', path, body);
  }

  /** What is expected in an answer. @throws UserError where something else answered. */
  read<T>(schema: z.ZodType<T>, answer: unknown): T {
    const { success, data } = schema.safeParse(answer);
    if (success) return data;
    throw new UserError(`${this.uri}: expected an answer of MLflow, got another one${WHOSE}`);
  }

  async #ask(method: string, path: string, body?: string | Uint8Array): Promise<unknown> {
    const { timeout = 5, tries = 3, pause = 500 } = this.options;
    const url = `${this.#base}${path}`;
    const attempt = async () => {
      const init = { method, headers: headersFor(body), signal: AbortSignal.timeout(1000 * timeout) };
      const response = await fetch(url, body === undefined ? init : { ...init, body });
      return { status: response.status, text: await response.text() };
    };
    const patient = () => attempt().then(checkAnswer, asDropped);
    const { status, text } = await persist(this.uri, patient, () => 0, { tries, pause }, WHOSE);
    const answer = parsed(text);
    if (status < 400) return answer;
    const { error_code: code = `HTTP ${status}`, message = '' } = failure.safeParse(answer).data ?? {};
    throw new MlflowRefusal(
      `${this.uri}: expected it to take ${method} ${path.split('?')[0]}, got ${code}: ${message}`,
      code,
    );
  }
}

function checkAnswer(answer: { readonly status: number; readonly text: string }) {
  if (answer.status >= 500 || answer.status === 429) throw new Dropped(`HTTP ${answer.status}`);
  return answer;
}

function asDropped(error: unknown): never {
  if (error instanceof Error && error.name === 'TimeoutError') throw new Dropped('silence');
  const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  throw new Dropped(code ?? message, { cause: error });
}

function headersFor(body: string | Uint8Array | undefined): Record<string, string> {
  const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: user } = process.env;
  const { MLFLOW_TRACKING_PASSWORD: password = '' } = process.env;
  const basic = user && `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const authorization = token ? `Bearer ${token}` : basic;
  const type = body instanceof Uint8Array ? 'application/octet-stream' : 'application/json';
  return { 'content-type': type, ...(authorization && { authorization }) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
