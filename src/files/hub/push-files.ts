import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../../base/errors.js';
import { hubError, isUnreachable } from './hub-error.js';
import { isHubId } from './hub-folder.js';
import { hubSettings } from './hub-settings.js';

/** Uploads files of a folder, by their paths in it; returns the address of the repository. */
export type Push = (folder: string, files: readonly string[], title: string) => Promise<string>;

/**
 * A push to a model repository of the Hugging Face hub, which is made where it is not there; one commit has all files. Nothing
 * is asked of the hub before the result is called.
 *
 * @throws UserError naming `--push-to`, for what is no hub id, without a token, and offline; the result, for what the hub refuses.
 */
export async function pushTo(
  name: string,
  { isPrivate = false }: { readonly isPrivate?: boolean } = {},
): Promise<Push> {
  const settings = await hubSettings();
  const { endpoint, token, offline } = settings;
  const fail = (text: string, cause?: unknown) =>
    new UserError(`--push-to ${name}: ${text}`, { pushTo: name }, { cause });
  if (!isHubId(name)) throw fail('expected owner/name, such as me/pets');
  if (offline) throw fail('expected a network, got HF_HUB_OFFLINE; unset it');
  if (token === undefined)
    throw fail(
      `expected a token with the right to write, got none; set HF_TOKEN, or run hf auth login (${endpoint}/settings/tokens)`,
    );
  const access = { hubUrl: endpoint, accessToken: token, repo: { type: 'model', name } as const };
  return async (folder, files, title) => {
    const { createRepo, uploadFiles } = await import('@huggingface/hub');
    try {
      await createRepo({ ...access, visibility: isPrivate ? 'private' : 'public' }).catch(
        (error: unknown) => {
          // It is there.
          if ((error as { readonly statusCode?: number }).statusCode !== 409) throw error;
        },
      );
      await uploadFiles({
        ...access,
        commitTitle: title,
        files: files.map((path) => ({ path, content: pathToFileURL(join(folder, path)) })),
      });
    } catch (error) {
      const { statusCode } = error as { readonly statusCode?: number };
      if (statusCode === 401 || statusCode === 403)
        throw fail(
          `expected a token with the right to write there, got HTTP ${statusCode}; give HF_TOKEN one (${endpoint}/settings/tokens). The export is in ${folder}`,
          error,
        );
      if (isUnreachable(error))
        throw fail(`expected the hub to answer, got ${reasonOf(error)}; the export is in ${folder}`, error);
      throw hubError(name, settings, error);
    }
    return `${endpoint}/${name}`;
  };
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
