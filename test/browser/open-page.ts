import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { packageRoot } from '../../src/base/package.js';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** WebGPU on the processor, where Chromium comes with it. */
const FLAGS = {
  webgpu: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'],
  wasm: ['--disable-features=WebGPU'],
};

/** The page in a browser of its own. */
export interface Opened {
  readonly page: Page;
  /** Errors of the page that nothing caught. */
  readonly problems: readonly string[];
  /** Waits until an output says something, and returns it; an error that it says is thrown. */
  said(id: string, text: RegExp): Promise<string>;
  close(): Promise<void>;
}

/** Builds docs/browser.html and opens it from the disk, with nothing from a network; skips the test without a Chromium. */
export async function openPage(test: Mocha.Context, engine: keyof typeof FLAGS): Promise<Opened> {
  if (!existsSync(CHROMIUM)) {
    console.log(`      skipped: no ${CHROMIUM}; apt-get install chromium, or name one with CHROMIUM`);
    test.skip();
  }
  execFileSync(process.execPath, ['browser/build.mjs'], { cwd: packageRoot });
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', ...FLAGS[engine]],
  });
  const page = await browser.newPage({ viewport: { width: 1000, height: 1500 } });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(pathToFileURL(join(packageRoot, 'docs', 'browser.html')).href);
  const said = async (id: string, text: RegExp) => {
    const output = page.locator(`#${id}`);
    for (;;) {
      const now = (await output.textContent()) ?? '';
      if (text.test(now)) return now;
      if ((await output.getAttribute('class')) === 'error' && now) throw new Error(`${id}: ${now}`);
      await new Promise((go) => setTimeout(go, 100));
    }
  };
  return { page, problems, said, close: () => browser.close() };
}
