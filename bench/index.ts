// What PERFORMANCE.md quotes, runnable:
//
//   npm run bench -- train-step --model vit-base --adapter lora --batch 8 --engine onednn --precision bf16
//
// A command is a file in commands/, found by its name; `study versus` is commands/study-versus.ts.
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { didYouMean } from '../src/base/did-you-mean.js';
import { UserError } from '../src/base/errors.js';
import { flags } from '../src/cli/flags.js';
import type { Command } from './command.js';
import { root } from './root.js';

const commands = readdirSync(new URL('bench/commands/', root)).map((file) => basename(file, '.ts'));

async function load(name: string): Promise<Command> {
  return ((await import(`./commands/${name}.js`)) as { default: Command }).default;
}

async function overview(): Promise<string> {
  const lines = await Promise.all(
    commands.map(async (name) => `  ${name.padEnd(16)} ${(await load(name)).description}`),
  );
  return `Usage: npm run bench -- COMMAND [flags]\n\n${lines.join('\n')}\n\nCOMMAND --help shows its flags.\n`;
}

async function main(argv: readonly string[]): Promise<void> {
  const end = argv.findIndex((word) => word.startsWith('-'));
  const words = end < 0 ? argv : argv.slice(0, end);
  if (words.length === 0) {
    process.stdout.write(await overview());
    return;
  }
  const name = words.join('-');
  if (!commands.includes(name))
    throw new UserError(
      `${words.join(' ')}: expected one of ${commands.join(', ')}${didYouMean(name, commands)}`,
      { command: name },
    );
  const command = await load(name);
  const commandLine = flags(argv.slice(words.length), command.flags, {
    name,
    usage: `npm run bench -- ${words.join(' ')}`,
    description: command.description,
  });
  if ('show' in commandLine) process.stdout.write(commandLine.show);
  else await command.run(commandLine.config);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(
    error instanceof UserError ? `bench: ${error.message}\n` : `${(error as Error)?.stack ?? error}\n`,
  );
  process.exitCode = 1;
});
