/** Runs the cases in a page of a headless Chromium, and outlives it: another is opened where it hangs or crashes. */
import { fileURLToPath } from 'node:url';
import { chromium as playwright } from 'playwright';
import type { Browser, Page } from 'playwright';
import { build } from 'rolldown';
import { chromium, unavailable } from '../../scripts/chromium.mjs';
import type { Case } from './cases.ts';
import { reasonOf } from './compare.ts';
import type { Outcome, Place, Row } from './compare.ts';

/** For a peer to prepare a case, or to be timed in a pass. */
const LIMIT_MS = 120_000;

/** WebGPU is for secure origins, and this is one. Nobody listens there: requests are answered here. */
const ORIGIN = 'http://localhost';
/** A page that is isolated from others has a clock of 5 microseconds, else one of 100. */
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** @throws Error if there is no Chromium here, or the page finds no adapter */
export async function openChromium(passes: number): Promise<Place> {
  const missing = unavailable();
  if (missing) throw new Error(`bench:peers --browser: no Chromium, ${missing}`);
  const { output: [{ code }] } = await build({
    input: fileURLToPath(new URL('page.ts', import.meta.url)),
    platform: 'browser',
    write: false,
    output: { codeSplitting: false },
  });
  const session = await Session.open(code);
  return new ChromiumPlace(code, session, await session.openPeers(), passes);
}

/** A browser with the page in it. */
class Session {
  readonly browser: Browser;
  /** Who was about to be asked or timed when last heard of. */
  turn: string | undefined;
  #page: Page;
  #heard = () => {};

  private constructor(browser: Browser, page: Page) {
    this.browser = browser;
    this.#page = page;
  }

  static async open(script: string): Promise<Session> {
    const { args, ...carried } = chromium();
    const browser = await playwright.launch({
      ...carried,
      // Kernels may take longer than the watchdog of Chromium's GPU process has patience.
      args: [...args, '--disable-gpu-watchdog'],
      // Playwright would close the browser and go on, which looks like a crash. It closes by itself when this ends.
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    try {
      const page = await browser.newPage();
      await page.route(`${ORIGIN}/**`, (route) =>
        route.request().url().endsWith('.js')
          ? route.fulfill({ contentType: 'text/javascript', body: script })
          : route.fulfill({
              contentType: 'text/html',
              headers: ISOLATED,
              body: '<!doctype html><script type="module" src="/page.js"></script>',
            }));
      page.on('pageerror', console.error);
      page.on('console', (message) => message.type() === 'error' && console.error(message.text()));
      const session = new Session(browser, page);
      await page.exposeFunction('tell', (peer: string) => session.#hear(peer));
      await page.goto(ORIGIN);
      return session;
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  #hear(peer: string): void {
    this.turn = peer;
    this.#heard();
  }

  openPeers(): ReturnType<typeof bench.open> {
    return this.#answer(this.#page.evaluate(() => bench.open()));
  }

  compare(name: string, passes: number, without: readonly string[]): ReturnType<typeof bench.compare> {
    this.turn = undefined;
    const call = [name, passes, without] as const;
    return this.#answer(this.#page.evaluate((given) => bench.compare(...given), call));
  }

  /** @throws Error if the page crashes, or nothing is heard of it for too long */
  async #answer<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      this.#heard = () => {
        clearTimeout(timer);
        timer = setTimeout(() => reject(new Error(`no answer in ${LIMIT_MS / 1000} s`)), LIMIT_MS);
      };
    });
    this.#heard();
    try {
      return await Promise.race([answer, silence]);
    } finally {
      clearTimeout(timer);
      this.#heard = () => {};
    }
  }
}

class ChromiumPlace implements Place {
  readonly host: Place['host'];
  readonly adapter: string;
  readonly names: readonly string[];
  readonly leftOut: Place['leftOut'];
  readonly errors: Record<string, number>;
  #script: string;
  #session: Session;
  #passes: number;

  constructor(script: string, session: Session, opened: Awaited<ReturnType<typeof bench.open>>, passes: number) {
    const { adapter, names, leftOut } = opened;
    this.host = { chromium: session.browser.version() };
    this.adapter = adapter;
    this.names = names;
    this.leftOut = leftOut;
    this.errors = Object.fromEntries(names.map((name) => [name, 0]));
    this.#script = script;
    this.#session = session;
    this.#passes = passes;
  }

  /** Who makes the page hang or crash gets that as its reason, and the others are asked again. */
  async compare({ name }: Case): Promise<Row> {
    const failed: Record<string, Outcome> = {};
    for (;;) {
      try {
        const { row, errors } = await this.#session.compare(name, this.#passes, Object.keys(failed));
        for (const [peer, count] of Object.entries(errors)) this.errors[peer]! += count;
        // A peer that failed may have lost the GPU for all.
        if (Object.values(row.outcomes).some((outcome) => 'reason' in outcome)) await this.#reopen();
        return { ...row, outcomes: { ...row.outcomes, ...failed } };
      } catch (error) {
        const { turn } = this.#session;
        if (turn === undefined) throw error;
        failed[turn] = { reason: reasonOf(error) };
        await this.#reopen();
      }
    }
  }

  async #reopen(): Promise<void> {
    await this.close();
    this.#session = await Session.open(this.#script);
    await this.#session.openPeers();
  }

  async close(): Promise<void> {
    await this.#session.browser.close();
  }
}
