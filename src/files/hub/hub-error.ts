import { UserError } from '../../base/errors.js';
import type { HubSettings } from './hub-settings.js';

/** An error of the hub as one that says what to do. */
export function hubError(name: string, { endpoint, cache, token }: HubSettings, cause: unknown): UserError {
  const { message, statusCode, data } = cause as Error & {
    readonly statusCode?: number;
    readonly data?: { readonly statusCode?: number };
  };
  const status = statusCode ?? data?.statusCode;
  const page = `${endpoint}/${name}`;
  const error = (text: string) => new UserError(`${name}: ${text}`, { model: name, status }, { cause });
  if (status === 401 || (status === 403 && !token))
    return error(
      token
        ? `expected a model that the token may read, got HTTP ${status}; is the name right, and the token (HF_TOKEN, or that of hf auth login) valid?`
        : `expected a public model, got HTTP ${status}: it is private, gated or not there; is the name right? If so, set HF_TOKEN to a token that may read it (${endpoint}/settings/tokens)`,
    );
  if (status === 403)
    return error(
      `expected a model that the token may use, got HTTP 403; accept its terms at ${page}, or give HF_TOKEN a token with the right to it`,
    );
  if (status === 404) return error(`expected a model of the hub, got none at ${page}; is the name right?`);
  if (cause instanceof UserError) return error(cause.message);
  return error(
    `expected it in the hub's cache ${cache} or the hub to answer, got neither (${reasonOf(cause) ?? message}); ` +
      `download its files from ${page} into a folder and name that`,
  );
}

/** What `fetch failed` was about. */
function reasonOf(error: unknown): string | undefined {
  const { message, cause } = error as Error;
  if (!(cause instanceof Error)) return undefined;
  return `${message}: ${(cause as NodeJS.ErrnoException).code ?? cause.message}`;
}

/** Whether an error is of the network, so that another time may help. */
export function isUnreachable(error: unknown): boolean {
  const { statusCode } = error as { readonly statusCode?: number };
  return !(error instanceof UserError) && (statusCode === undefined || statusCode >= 500);
}
