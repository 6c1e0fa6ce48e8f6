import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the Hugging Face hub and its cache are, as the environment says it to every program of theirs. */
export interface HubSettings {
  /** The address, `HF_ENDPOINT`. */
  readonly endpoint: string;
  /** The folder of the cache, `HF_HUB_CACHE` or inside `HF_HOME`. */
  readonly cache: string;
  /** The user's token, `HF_TOKEN` or the file that `hf auth login` writes. */
  readonly token: string | undefined;
  /** Whether no network may be asked, `HF_HUB_OFFLINE`. */
  readonly offline: boolean;
}

/** Reads the settings of the hub from the environment, by the rules of Python's huggingface_hub. */
export async function hubSettings(environment: NodeJS.ProcessEnv = process.env): Promise<HubSettings> {
  const given = (...names: readonly string[]) => names.map((name) => environment[name]).find(Boolean);
  const cached = environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const home = atHome(given('HF_HOME')) ?? join(atHome(cached)!, 'huggingface');
  const token =
    given('HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN') ??
    (await readFile(atHome(given('HF_TOKEN_PATH')) ?? join(home, 'token'), 'utf8').catch(() => ''));
  return {
    endpoint: (given('HF_ENDPOINT') ?? 'https://huggingface.co').replace(/\/+$/, ''),
    cache: atHome(given('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE')) ?? join(home, 'hub'),
    token: token.trim() || undefined,
    offline: /^(1|on|yes|true)$/i.test(given('HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE') ?? ''),
  };
}

function atHome(path: string | undefined): string | undefined {
  return path?.replace(/^~(?=\/|$)/, homedir());
}
