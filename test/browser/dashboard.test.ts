import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { packageRoot } from '../../src/base/package.js';
import { lockFolder } from '../../src/files/folder-lock.js';
import { sampleStudy } from '../dashboard/sample-study.js';
import { Served, text } from '../dashboard/served.js';
import { runEvent, sampleRun, stepEvent } from '../loggers/sample-run.js';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

describe('the dashboard in Chromium', () => {
  const served = new Served();
  const problems: string[] = [];
  let browser: Browser;
  let page: Page;
  let live: string;
  let release: () => void;

  before(async function () {
    if (!existsSync(CHROMIUM)) {
      console.log(`      skipped: no ${CHROMIUM}; apt-get install chromium, or name one with CHROMIUM`);
      return this.skip();
    }
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'src/dashboard/page'], {
      cwd: packageRoot,
    });
    served.log('old', sampleRun());
    live = served.log('live', [runEvent({ run: 'live', time: Date.now(), config: { rank: 8 } })]);
    release = lockFolder(join(served.dir, 'logs', 'live'));
    served.log('torn', `${text(sampleRun().slice(0, 6))}no event\n<img src=x onerror=alert(1)>\n`);
    const storage = `sqlite:///${join(served.dir, 'study.db')}`;
    await sampleStudy(storage, 'old');
    await served.start({ storage });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    page.on('request', (asked) => {
      const isOwn = asked.url().startsWith(served.address) || asked.url().startsWith('data:');
      if (!isOwn) problems.push(`a request to ${asked.url()}`);
    });
    await page.goto(served.address);
  });
  after(async () => {
    await browser?.close();
    release?.();
    served.close();
  });
  afterEach(() => assert.deepEqual(problems, []));

  const line = (run: string) => page.locator('.runs li', { hasText: run });
  const readout = (chart: string) =>
    page.locator('.chart', { has: page.locator(`h3:text-is("${chart}")`) }).locator('.readout');

  it('lists the runs and opens the newest one', async () => {
    await page.waitForSelector('.runs li:nth-child(3)');
    assert.ok(await line('live').locator('input').isChecked());
    assert.match((await line('live').textContent())!, /running/);
    assert.match((await line('torn').textContent())!, /malformed.*2 malformed lines/);
    assert.match((await line('old').textContent())!, /finished.*lora.*epoch 3\/3.*softDice 0\.8/);
  });

  /** The pixels that are drawn of a chart's lines at rest, and of those that move. */
  const inkOf = async (title: string): Promise<[number, number]> =>
    (await page.evaluate(`(() => {
      const chart = [...document.querySelectorAll('.chart')].find((each) => each.querySelector('h3').textContent === '${title}');
      return [...chart.querySelectorAll('.lines')].map((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, i) => i % 4 === 3 && value > 0).length;
      });
    })()`)) as [number, number];

  it('draws a live run as it grows, without a reload', async () => {
    await page.evaluate('globalThis.sameDocument = true');
    appendFileSync(live, text([stepEvent(1), stepEvent(2)]));
    await readout('loss')
      .filter({ hasText: /^last: loss 0\.5$/ })
      .waitFor();
    appendFileSync(live, text([stepEvent(4)]));
    await readout('loss')
      .filter({ hasText: /^last: loss 0\.25$/ })
      .waitFor();
    assert.equal(await page.evaluate('globalThis.sameDocument'), true);
    assert.equal(await page.locator('.chart .uplot').count(), await page.locator('.chart').count());
    const [resting, moving] = await inkOf('loss');
    assert.deepEqual([resting > 0, moving > 0], [false, true], 'a line that has just changed moves');
  });

  it('compares runs, smooths them, and keeps the selection in the address', async () => {
    await line('old').locator('input').check();
    await readout('softDice').filter({ hasText: 'old validation 0.8' }).waitFor();
    await readout('loss').filter({ hasText: 'live 0.25, old 0.08333' }).waitFor();
    await page.fill('#smoothing', '0.9');
    // 0.9 of what was before: (1 + 0.5 / 0.9 + 0.25 / 0.81) / (1 + 1 / 0.9 + 1 / 0.81), weighted from the newest.
    const [a, b, c] = [1, 0.5, 0.25];
    const mean = (0.81 * a + 0.9 * b + c) / (0.81 + 0.9 + 1);
    await readout('loss')
      .filter({ hasText: `live ${Number(mean.toPrecision(4))}` })
      .waitFor();
    await page.fill('#smoothing', '0');
    await page.reload();
    await readout('loss').filter({ hasText: 'live 0.25, old 0.08333' }).waitFor();
    const [both, none] = await inkOf('loss');
    assert.deepEqual([both > 0, none > 0], [true, false], 'lines that nothing has changed rest');
    appendFileSync(live, text([stepEvent(5)]));
    await readout('loss').filter({ hasText: 'live 0.2, old 0.08333' }).waitFor();
    const [old, moving] = await inkOf('loss');
    assert.ok(old > 0 && old < both && moving > 0, `of ${both} pixels ${old} rest, ${moving} move`);
  });

  it('searches by words, and filters by settings as `millrace runs` does', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('old');
    await line('live').waitFor({ state: 'detached' });
    await page.fill('#search', 'rank>=8');
    await line('old').waitFor({ state: 'detached' });
    await line('live').waitFor();
    const asked = page.waitForResponse((answer) => answer.url().includes('/api/runs?'));
    await page.fill('#search', 'rnk>=8');
    assert.equal((await asked).status(), 400);
    await page.locator('.said', { hasText: 'did you mean rank' }).waitFor();
    await page.fill('#search', '');
    await line('torn').waitFor();
    // A refused filter is an answer of status 400, which Chromium reports.
    assert.match(
      problems.splice(0).join(),
      /^Failed to load resource: the server responded with a status of 400/,
    );
  });

  it('shows the pictures of a run by epoch, and its scores by class', async () => {
    const pictures = join(served.dir, 'logs', 'live', 'pictures');
    mkdirSync(pictures);
    for (const epoch of [1, 2]) {
      writeFileSync(
        join(pictures, `epoch-${epoch}.jpg`),
        readFileSync(join(packageRoot, 'docs', 'overlays.jpg')),
      );
      const path = `pictures/epoch-${epoch}.jpg`;
      appendFileSync(
        live,
        text([{ type: 'picture', time: 1, name: 'validation', path, step: 4 * epoch, epoch }]),
      );
    }
    await page.keyboard.press('Escape');
    await page.keyboard.press('2');
    const picture = page.locator('.pictures figure', { hasText: 'live' });
    await picture.filter({ hasText: 'live, validation, epoch 2' }).waitFor();
    await page.locator('#epoch').focus();
    await page.keyboard.press('ArrowLeft');
    await picture.filter({ hasText: 'live, validation, epoch 1' }).waitFor();
    await page.waitForFunction("document.querySelector('.pictures img')?.naturalWidth > 0");
    await page.keyboard.press('3');
    const test = page.locator('.scores section', { hasText: 'old: test' });
    await test.locator('caption', { hasText: 'By class' }).waitFor();
    assert.match((await test.textContent())!, /pet/);
  });

  it('shows a study: its trials in every state, its charts, and the run of a trial', async () => {
    await page.click('nav button:text-is("Study")');
    await page.locator('.study .hint', { hasText: '12 COMPLETE, 1 FAIL, 1 PRUNED' }).waitFor();
    assert.equal(await page.locator('.study path.trial').count(), 12);
    assert.equal(await page.locator('.study canvas').count(), 2);
    const row = (trial: number) => page.locator(`.study tbody tr:has(th:text-is("${trial}"))`);
    assert.match((await row(12).textContent())!, /FAIL.*out of memory/);
    assert.match((await row(13).textContent())!, /PRUNED/);
    assert.match(
      (await page.locator('.study section', { hasText: 'Importances' }).textContent())!,
      /x0\.\d\d/,
    );
    await row(0).locator('button', { hasText: 'old' }).click();
    await readout('loss')
      .filter({ hasText: /^last: loss 0\.08333/ })
      .waitFor();
  });

  for (const view of ['Charts', 'Study'])
    it(`${view} with a chart that is still too wide makes no page wider`, async () => {
      await page.click(`nav button:text-is("${view}")`);
      await page.locator('.chart canvas').first().waitFor();
      const isWithin = `(() => {
        const drawn = document.querySelector('.chart .uplot');
        const { width } = drawn.style;
        drawn.style.width = '5000px';
        const isWithin = document.documentElement.scrollWidth <= innerWidth;
        drawn.style.width = width;
        return isWithin;
      })()`;
      assert.equal(await page.evaluate(isWithin), true);
    });

  for (const theme of ['light', 'dark'] as const)
    it(`has nothing that axe finds, ${theme}, on a desk and on a phone`, async () => {
      await page.emulateMedia({ colorScheme: theme });
      for (const width of [1200, 390]) {
        await page.setViewportSize({ width, height: 900 });
        for (const view of ['Charts', 'Pictures', 'Scores', 'Study']) {
          await page.click(`nav button:text-is("${view}")`);
          await page.waitForSelector(`h2:text-is("${view}")`);
          assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
          const found = await violations(page);
          assert.deepEqual(found, [], `${view} at ${width}`);
        }
      }
      await page.setViewportSize({ width: 1200, height: 900 });
    });

  it('draws a hundred runs of ten thousand points', async () => {
    const steps = Array.from({ length: 10_000 }, (_, i) => stepEvent(i + 1, { loss: 1 / (i + 1) }));
    const lines = text(steps);
    for (let i = 0; i < 100; i++)
      served.log(`many-${i}`, `${text([runEvent({ run: `many-${i}`, batches: 10_000 })])}${lines}`);
    await page.click('nav button:text-is("Charts")');
    await page.fill('#search', 'many-');
    await page.waitForSelector('.runs li:nth-child(100)');
    await page.click('button:text-is("Compare all shown")');
    await readout('loss').filter({ hasText: '94 more' }).waitFor();
    await page.fill('#search', '');
  });
});

/** What axe finds on the page, by rule and place. Its source is put there: the page's policy loads no foreign script. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate('axe.run()')) as {
    violations: { id: string; nodes: { target: string[] }[] }[];
  };
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  );
}
