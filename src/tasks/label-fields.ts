/** The names of classes, as config.json of transformers holds them. */
export function labelFields(labels: readonly string[]) {
  return {
    id2label: Object.fromEntries(labels.map((label, id) => [id, label])),
    label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
  };
}
