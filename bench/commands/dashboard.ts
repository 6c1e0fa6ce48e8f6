import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { firstValueFrom, shareReplay } from 'rxjs';
import { z } from 'zod';
import { dashboard } from '../../src/dashboard/dashboard.js';
import { command } from '../command.js';
import { rounded } from '../result.js';

/** Steps that a live run logs a second. */
const RATE = 60;

export default command({
  description: 'the dashboard in Chromium: first paint, and updates a second of a live run',
  flags: {
    Bench: {
      runs: z.int().min(1).max(100).default(100).describe('runs that are compared'),
      points: z.int().min(1).default(10_000).describe('steps of each'),
      seconds: z.number().gt(0).default(5).describe('how long a live run is watched'),
    },
  },
  run: async ({ runs, points, seconds }) => {
    const logs = mkdtempSync(join(tmpdir(), 'millrace-bench-dashboard-'));
    const names = Array.from({ length: runs }, (_, i) => `run-${i}`);
    const steps = Array.from({ length: points }, (_, i) => stepLine(i + 1)).join('');
    for (const name of names) {
      mkdirSync(join(logs, name));
      writeFileSync(join(logs, name, 'events.jsonl'), `${runLine(name)}${steps}`);
    }
    const address$ = dashboard({ logs, port: 0 }).pipe(shareReplay({ bufferSize: 1, refCount: true }));
    const serving = address$.subscribe();
    const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      const start = performance.now();
      await page.goto(await firstValueFrom(address$));
      await page.waitForSelector('.chart canvas');
      const chart = performance.now() - start;
      const paint = await page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime",
      );
      await page.click('button:text-is("Compare all shown")');
      await settled(page, points);
      const compared = performance.now() - start;
      // For what the page was sent and has not drawn yet.
      await page.waitForTimeout(2000);
      const live = join(logs, names[0]!, 'events.jsonl');
      const updates = await watched(page, live, points, seconds);
      process.stdout.write(
        `first paint ${rounded(Number(paint))} ms, first chart ${rounded(chart)} ms, all ${runs} runs of ${points} points ${rounded(compared)} ms, ${rounded(updates / seconds)} updates a second of ${RATE} steps\n`,
      );
    } finally {
      await browser.close();
      serving.unsubscribe();
      rmSync(logs, { recursive: true });
    }
  },
});

/** Waits until every run has been read to its last step. */
async function settled(page: Page, points: number): Promise<void> {
  const read = `fetch('/api/runs').then((a) => a.json()).then(({ runs }) => runs.every(({ step }) => step === ${points}))`;
  await page.waitForFunction(read, undefined, { timeout: 600_000, polling: 200 });
}

/** How often the charts were drawn while a run logged: each drawing says the last values. */
async function watched(page: Page, path: string, from: number, seconds: number): Promise<number> {
  await page.evaluate(`
    globalThis.updates = 0;
    new MutationObserver(() => globalThis.updates++).observe(document.querySelector('.chart .readout'), { childList: true });
  `);
  let step = from;
  const timer = setInterval(() => appendFileSync(path, stepLine(++step)), 1000 / RATE);
  await page.waitForTimeout(seconds * 1000);
  clearInterval(timer);
  return (await page.evaluate('globalThis.updates')) as number;
}

function runLine(run: string): string {
  const counts = { adapterParameters: 1, headParameters: 1, seed: 1, epochs: 1, batches: 1 };
  const texts = { run, adapter: 'lora', engine: 'cpu', precision: 'f32' };
  return `${JSON.stringify({ type: 'run', time: 1, ...texts, ...counts, classes: [], config: {}, versions: {} })}\n`;
}

function stepLine(step: number): string {
  const rates = { learningRate: { all: 1e-3 }, gradientNorm: 1, images: 8, seconds: 1, imagesPerSecond: 8 };
  const place = { time: step, step, epoch: 1, batch: 0, batches: 1 };
  return `${JSON.stringify({ type: 'step', ...place, loss: 1 / step + Math.sin(step) / 10, ...rates })}\n`;
}
