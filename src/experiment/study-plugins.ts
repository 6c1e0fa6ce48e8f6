import { existsSync } from 'node:fs';
import { z } from 'zod';
import { general } from '../cli/flags.js';
import type { Peek } from '../cli/peek.js';
import { openStorage } from '../study/open-storage.js';
import { fileOf } from '../study/storage/sql/database-url.js';
import type { Study } from '../study/study.js';
import { presentModules, recordablePlugins } from './recorded-plugins.js';
import { studyNameOf, studyNaming } from './search-flags.js';
import { studyFlags } from './study-flags.js';

/** The study's user attribute that holds its plugins. */
const ATTRIBUTE = 'plugin';

const naming = {
  storage: studyFlags.storage,
  ...studyNaming,
  help: general.General.help,
  version: general.General.version,
};

/**
 * The plugins of a study that is continued, as its first process recorded them in the storage. None where the study is
 * new, or the command only shows its help.
 *
 * @throws UserError for a module that is gone, and for what `openStorage` refuses.
 */
export async function studyPlugins(peek: Peek): Promise<readonly string[]> {
  const { storage: url, help, version, ...named } = peek(naming);
  const file = fileOf(url);
  if (help || version || url.startsWith('memory:') || (file !== undefined && !existsSync(file))) return [];
  const studyName = studyNameOf(named);
  const storage = await openStorage(url);
  try {
    const study = await storage.findStudy(studyName);
    const plugins = z.array(z.string()).catch([]).parse(study?.userAttrs[ATTRIBUTE]);
    return presentModules(plugins, `study ${studyName}: expected its plugin`);
  } finally {
    await storage.close();
  }
}

/** Records the plugins of a study, for processes that continue it. */
export async function recordStudyPlugins(study: Study, plugins: readonly string[] = []): Promise<void> {
  if (plugins.length > 0) await study.setUserAttr(ATTRIBUTE, recordablePlugins(plugins));
}
