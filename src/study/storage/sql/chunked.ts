/** The most items of a list in one query: databases limit the number of parameters. */
const CHUNK = 1000;

/** Reads a list in chunks that fit into a query. */
export async function chunked<A, B>(
  list: readonly A[],
  read: (chunk: readonly A[]) => Promise<B[]>,
): Promise<B[]> {
  if (list.length === 0) return [];
  if (list.length <= CHUNK) return read(list);
  const parts: B[][] = [];
  for (let i = 0; i < list.length; i += CHUNK) parts.push(await read(list.slice(i, i + CHUNK)));
  return parts.flat();
}
