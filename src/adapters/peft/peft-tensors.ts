import { UserError } from '../../base/errors.js';
import { oneLine } from '../../base/printable.js';
import type { StoredTensor } from '../../files/safetensors-format.js';
import type { AdapterOptions } from '../../model/adapter.js';
import { TARGETS, type Target } from '../../model/targets.js';
import { siteName } from '../../model/vit/adapter-sites.js';
import {
  biasOfModule,
  type ModuleNames,
  moduleName,
  type NamedSite,
  siteOfModule,
} from '../../model/vit/module-names.js';
import { placeOfMaps } from '../place-of-maps.js';
import { PEFT_PREFIX } from './peft-files.js';

/** Tensors by name. */
export type Stored = ReadonlyMap<string, StoredTensor>;

/** One tensor of an adapter: the attribute that holds the ViT, the map that it changes, and its name in the ViT. */
export interface Change {
  readonly holder: string;
  readonly site: NamedSite & { readonly target: Target };
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
 * Parses the names of the tensors in PEFT's file, by the module names of all encoders, those of the model's first. What is on
 * a pooler is left out, and so is what is on another head than the model's, `headModule`: it touches no token.
 */
export function peftParts(
  file: Stored,
  path: string,
  headModule: string,
  all: readonly ModuleNames[],
): PeftParts {
  const changes: Change[] = [];
  const biases = new Map<string, StoredTensor>();
  const head = new Map<string, StoredTensor>();
  const holders = new Set<string>();
  for (const [key, stored] of withoutCounts(file)) {
    const name = key.startsWith(PEFT_PREFIX) ? key.slice(PEFT_PREFIX.length) : key;
    if (POOLER.test(name)) continue;
    const [module = ''] = /^(?:head|classifier)(?=\.)/.exec(name) ?? [];
    if (module === headModule || module === 'head') {
      head.set(name.slice(module.length + 1), stored);
      continue;
    }
    if (/(^|\.)classifier\./.test(name)) continue;
    const bias = biasOf(name, all);
    if (bias) {
      holders.add(bias.holder);
      biases.set(bias.name, stored);
      continue;
    }
    const change = changeOf(name, path, all);
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

/** A pooler; SigLIP's is a head of attention, of which the adapters alone are meant: other heads have such parts, too. */
const POOLER =
  /(^|\.)(pooler\.dense\.|head\.(mlp\.fc[12]|attention\.out_proj)\.(?!(base_layer\.)?(weight|bias)$))/;

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
export function modulesOf(
  { changes, holder }: PeftParts,
  all: readonly ModuleNames[],
): ReadonlyMap<string, readonly string[]> {
  const before = holder === '' ? '' : `${holder}.`;
  return new Map(
    changes.map(({ site }) => [
      siteName(site),
      all.flatMap((names) => {
        const module = moduleName(site, names);
        return module === undefined ? [] : [before + module];
      }),
    ]),
  );
}

function biasOf(
  name: string,
  all: readonly ModuleNames[],
): { readonly holder: string; readonly name: string } | undefined {
  const words = name.replace(/\.base_layer\.bias$/, '.bias').split('.');
  for (let start = 0; start < words.length; start++) {
    const bias = biasOfModule(words.slice(start).join('.'), all);
    if (bias) return { holder: words.slice(0, start).join('.'), name: bias };
  }
  return undefined;
}

function changeOf(name: string, path: string, all: readonly ModuleNames[]): Omit<Change, 'stored'> {
  const words = name.split('.');
  for (let end = words.length; end > 0; end--)
    for (let start = 0; start < end; start++) {
      const site = siteOfModule(words.slice(start, end).join('.'), all);
      if (!site) continue;
      const { target } = site;
      if (target === 'gate')
        throw new UserError(
          `${path}: expected ${TARGETS.join(', ')} alone, got a change of the gate of a gated MLP, ${oneLine(name)}; train the adapter without it (target_modules)`,
          { path },
        );
      return {
        holder: words.slice(0, start).join('.'),
        site: { ...site, target },
        key: words.slice(start).join('.'),
      };
    }
  throw new UserError(
    `${path}: expected tensors of a ViT's linear maps, got ${oneLine(name)}; the adapter is of another kind of model`,
    { path },
  );
}
