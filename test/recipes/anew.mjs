// Resolves what a recipe imports from beside it with the recipe's own query, so that both are run anew.

export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  const { search } = new URL(context.parentURL ?? import.meta.url);
  return specifier.startsWith('./') && search.startsWith('?turn=')
    ? { ...found, url: found.url + search }
    : found;
}
