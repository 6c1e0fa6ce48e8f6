import { join } from 'node:path';

/** The arguments of `inference` that scores runs of a study in its folder; `more` are further ones. */
export function inferenceArguments(
  dir: string,
  runs: readonly string[],
  {
    engine,
    precision,
    threads,
  }: Readonly<Partial<Record<'engine' | 'precision' | 'threads', string | number>>>,
  ...more: readonly string[]
): string[] {
  return [
    `--model-dir=${join(dir, 'models')}`,
    `--run-name=${runs.join()}`,
    `--output-dir=${dir}`,
    '--overwrite',
    `--engine=${String(engine)}`,
    ...(precision === undefined ? [] : [`--precision=${String(precision)}`]),
    ...(threads === undefined ? [] : [`--threads=${String(threads)}`]),
    ...more,
  ];
}

/** The arguments of `inference` for a study's styles: none but the test split and all styles where a folder is given. */
export function domainArguments({
  styleDir,
  style,
}: {
  readonly styleDir?: string | undefined;
  readonly style: readonly string[];
}): string[] {
  return [
    ...(styleDir === undefined ? [] : [`--style-dir=${styleDir}`, '--test-domains=in_domain,out_domain']),
    ...(style.length > 0 ? [`--style=${style.join()}`] : []),
  ];
}
