import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { didYouMean } from '../base/did-you-mean.js';
import { UserError } from '../base/errors.js';

/** A recipe's file: its name, and the first sentence of its opening comment. */
export interface RecipeFile {
  readonly name: string;
  readonly path: string;
  readonly description: string;
}

/** The recipes in a folder, by name. */
export function recipeFiles(folder: string): RecipeFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.js'))
    .toSorted()
    .map((file) => {
      const path = join(folder, file);
      return {
        name: file.replace(/\.js$/, ''),
        path,
        description: firstSentence(readFileSync(path, 'utf8')),
      };
    });
}

/**
 * The recipe of that name.
 *
 * @throws UserError where there is none, with the nearest name.
 */
export function recipeNamed(name: string, recipes: readonly RecipeFile[]): RecipeFile {
  const match = recipes.find((recipe) => recipe.name === name);
  if (match) return match;
  const names = recipes.map((recipe) => recipe.name);
  throw new UserError(
    `expected a recipe, one of ${names.join(', ')}, got ${JSON.stringify(name)}${didYouMean(name, names)}`,
    { name },
  );
}

function firstSentence(source: string): string {
  const [comment = ''] = /^(?:\/\/ .*\n)+/.exec(source) ?? [];
  const text = comment
    .replaceAll(/^\/\/ /gm, '')
    .replaceAll('\n', ' ')
    .trim();
  return /^.*?\.(?= [A-Z]|$)/.exec(text)?.[0] ?? text;
}
