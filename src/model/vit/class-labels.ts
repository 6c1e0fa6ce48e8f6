import type { Json } from '../../files/json-file.js';

/**
 * The names of a checkpoint's classes in the order of their ids, by `id2label` of its config.json. Undefined where it has
 * none, where ids are missing, and for the placeholders that transformers writes, LABEL_0, LABEL_1 and so on.
 */
export function classLabels(config: Json | undefined): readonly string[] | undefined {
  const table = config?.['id2label'];
  if (typeof table !== 'object' || table === null) return undefined;
  const labels = Object.keys(table).map((_, id) => (table as Json)[`${id}`]);
  if (labels.length === 0 || !labels.every((label) => typeof label === 'string')) return undefined;
  return labels.every((label, id) => label === `LABEL_${id}`) ? undefined : labels;
}
