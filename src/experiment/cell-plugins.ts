import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../files/json-file.js';
import { presentModules } from './recorded-plugins.js';

const recorded = z.object({ plugin: z.array(z.string()).default([]) });

/**
 * The plugins of a study of many trainings that is started once more, by the settings of its cells in `dir`. None where
 * the study is new.
 *
 * @throws UserError for a module that is gone; it names the file of the cell.
 */
export async function cellPlugins(dir: string): Promise<readonly string[]> {
  const cells = join(dir, 'cells');
  const modules = new Set<string>();
  for (const name of await readdir(cells).catch(() => [])) {
    if (!name.endsWith('.json')) continue;
    const settings = recorded.safeParse(await readJson(join(cells, name)));
    const plugins = settings.success ? settings.data.plugin : [];
    for (const plugin of presentModules(plugins, `${join(cells, name)}: expected the study's plugin`))
      modules.add(plugin);
  }
  return [...modules];
}
