#!/usr/bin/env node
// The command `millrace`: runs a recipe of the package in this process, or lists them.
import '../src/base/node-version.js';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../src/base/errors.js';
import { packageRoot, packageVersion } from '../src/base/package.js';
import { printable } from '../src/base/printable.js';
import { recipeFiles, recipeNamed } from '../src/cli/recipe-files.js';

const USAGE = `Usage: millrace <recipe> [flags]     runs a recipe
       millrace <recipe> --help      its flags
       millrace list                 the recipes
       millrace --version
`;

const [, , name, ...rest] = process.argv;
const recipes = recipeFiles(join(packageRoot, 'recipes'));
const width = Math.max(...recipes.map((recipe) => recipe.name.length));

if (name === undefined || name === '--help' || name === '-h') process.stdout.write(USAGE);
else if (name === '--version') process.stdout.write(`${packageVersion()}\n`);
else if (name === 'list')
  process.stdout.write(recipes.map((one) => `${one.name.padEnd(width)}  ${one.description}\n`).join(''));
else
  try {
    const { path } = recipeNamed(name, recipes);
    // A recipe is a program: it finds itself and its flags where Node puts them.
    process.argv.splice(1, process.argv.length, path, ...rest);
    await import(pathToFileURL(path).href);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`millrace: ${printable(error.message)}\n`);
    process.exitCode = 1;
  }
