import { UserError } from '../../base/errors.js';
import { oneLine } from '../../base/printable.js';
import type { StoredTensor } from '../../files/safetensors-format.js';
import type { AdapterOptions } from '../../model/adapter.js';
import { siteName } from '../../model/vit/adapter-sites.js';
import { biasOfModule, moduleName, type Spelling, siteOfModule } from '../../model/vit/names.js';
import { placeOfMaps } from '../place-of-maps.js';
import { PEFT_PREFIX } from './peft-files.js';

/** Tensors by name. */
export type Stored = ReadonlyMap<string, StoredTensor>;

/** One tensor of an adapter: the attribute that holds the ViT, the map that it changes, and its name in the ViT. */
export interface Change {
  readonly holder: string;
  readonly site: NonNullable<ReturnType<typeof siteOfModule>>;
  readonly key: string;
  readonly stored: StoredTensor;
}

/** The tensors of PEFT's file. */
export interface PeftParts {
  readonly changes: readonly Change[];
  /** Biases of the backbone by our names. */
  readonly biases: Stored;
  /** The head, by names within its module. */
  readonly head: Stored;
  /** The attribute that holds the ViT. */
  readonly holder: string;
}

/**
 * Parses the names of the tensors in PEFT's file. What is on a pooler is left out, and so is what is on another head than
 * the model's, `headModule`: it touches no token.
 */
export function peftParts(file: Stored, path: string, headModule: string): PeftParts {
  const changes: Change[] = [];
  const biases = new Map<string, StoredTensor>();
  const head = new Map<string, StoredTensor>();
  const holders = new Set<string>();
  for (const [key, stored] of withoutCounts(file)) {
    const name = key.startsWith(PEFT_PREFIX) ? key.slice(PEFT_PREFIX.length) : key;
    const [module = ''] = /^(?:head|classifier)(?=\.)/.exec(name) ?? [];
    if (module === headModule || module === 'head') {
      head.set(name.slice(module.length + 1), stored);
      continue;
    }
    if (/(^|\.)(classifier|pooler\.dense)\./.test(name)) continue;
    const bias = biasOf(name);
    if (bias) {
      holders.add(bias.holder);
      biases.set(bias.name, stored);
      continue;
    }
    const change = changeOf(name, path);
    holders.add(change.holder);
    changes.push({ ...change, stored });
  }
  const quoted = [...holders].map((holder) => `"${holder}"`);
  if (quoted.length > 1)
    throw new UserError(
      `${path}: expected an adapter of one ViT, got tensors of ${oneLine(quoted.join(' and '))}`,
      {
        path,
      },
    );
  if (changes.length === 0) throw new UserError(`${path}: expected an adapter's tensors, got none`, { path });
  return { changes, biases, head, holder: [...holders][0]! };
}

/** BatchNorm's batch counter, which changes nothing here. */
export function withoutCounts(tensors: Stored): Stored {
  return new Map([...tensors].filter(([name]) => !/(^|\.)num_batches_tracked$/.test(name)));
}

/** The targets and blocks that the tensors change, in a ViT of so many blocks. */
export function placesOf({ changes }: PeftParts, count: number): AdapterOptions {
  return placeOfMaps(
    changes.map(({ site }) => site),
    count,
  );
}

/** All names that PEFT may know a changed map by, by our name of it. */
export function modulesOf({ changes, holder }: PeftParts): ReadonlyMap<string, readonly string[]> {
  const before = holder === '' ? '' : `${holder}.`;
  return new Map(
    changes.map(({ site }) => [
      siteName(site),
      ([4, 5] as const).map((spelling: Spelling) => before + moduleName(site.layer, site.target, spelling)),
    ]),
  );
}

function biasOf(name: string): { readonly holder: string; readonly name: string } | undefined {
  const words = name.replace(/\.base_layer\.bias$/, '.bias').split('.');
  for (let start = 0; start < words.length; start++) {
    const bias = biasOfModule(words.slice(start).join('.'));
    if (bias) return { holder: words.slice(0, start).join('.'), name: bias };
  }
  return undefined;
}

function changeOf(name: string, path: string): Omit<Change, 'stored'> {
  const words = name.split('.');
  for (let end = words.length; end > 0; end--)
    for (let start = 0; start < end; start++) {
      const site = siteOfModule(words.slice(start, end).join('.'));
      if (site) return { holder: words.slice(0, start).join('.'), site, key: words.slice(start).join('.') };
    }
  throw new UserError(
    `${path}: expected tensors of a ViT's linear maps, got ${oneLine(name)}; the adapter is of another kind of model`,
    { path },
  );
}
