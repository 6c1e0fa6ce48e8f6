// Draws docs/dashboard-*.png: node --import tsx test/docs/make-dashboard-pictures.ts LOGS [STORAGE] [FOLDER], with the logs of
// a few runs (README's first command for lora, serial_lora and localized_lora) and, for the study, a storage.
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { firstValueFrom } from 'rxjs';
import { share } from 'rxjs/operators';
import { packageRoot } from '../../src/base/package.js';
import { loadSharp } from '../../src/base/sharp.js';
import { dashboard } from '../../src/dashboard/dashboard.js';

const [logs = 'logs', storage, folder = join(packageRoot, 'docs')] = process.argv.slice(2);
const address$ = dashboard({ logs, storage: storage || undefined, port: 0 }).pipe(share());
const serving = address$.subscribe();
const address = await firstValueFrom(address$);
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const sharp = loadSharp();

for (const theme of ['light', 'dark'] as const) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, colorScheme: theme });
  const shoot = async (name: string) => {
    const png = await page.screenshot();
    await sharp(png)
      .png({ palette: true, colours: 128 })
      .toFile(join(folder, `dashboard-${name}-${theme}.png`));
  };
  await page.goto(address);
  await page.waitForSelector('.runs li');
  await page.click('button:text-is("Compare all shown")');
  await page.waitForSelector('.chart:nth-child(6) canvas');
  await page.waitForTimeout(1000);
  await shoot('charts');
  for (const view of ['Pictures', 'Scores', ...(storage ? ['Study'] : [])]) {
    await page.click(`nav button:text-is("${view}")`);
    await page.waitForTimeout(1500);
    await shoot(view.toLowerCase());
  }
  await page.setViewportSize({ width: 390, height: 860 });
  await page.click('nav button:text-is("Charts")');
  await page.waitForTimeout(1000);
  await shoot('phone');
  await page.close();
}
await browser.close();
serving.unsubscribe();
