import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * The part of playwright-core that the tests use, as types. The package itself is installed beside VS Code's server and not among the
 * project's own (scripts/vscode-server.mjs), so its types are not there when the project is checked.
 */
export interface Playwright {
  readonly chromium: {
    launch(options: { executablePath: string; args: readonly string[]; headless?: boolean }): Promise<Browser>;
  };
}

/** How long to wait, in ms. */
export interface Wait {
  readonly timeout?: number;
}

export interface Browser {
  newContext(options?: {
    viewport?: { width: number; height: number };
    permissions?: readonly string[];
    colorScheme?: 'light' | 'dark';
    forcedColors?: 'active' | 'none';
    reducedMotion?: 'reduce' | 'no-preference';
    locale?: string;
  }): Promise<BrowserContext>;
  version(): string;
  close(): Promise<void>;
}

export interface BrowserContext {
  newPage(): Promise<Page>;
  close(): Promise<void>;
  grantPermissions(permissions: readonly string[]): Promise<void>;
  setOffline(offline: boolean): Promise<void>;
}

/** Where something is in a page or a frame. */
export interface Finding {
  locator(selector: string, options?: Filter): Locator;
  getByRole(role: string, options?: { name?: string | RegExp; exact?: boolean }): Locator;
  getByText(text: string | RegExp, options?: { exact?: boolean }): Locator;
  frameLocator(selector: string): FrameLocator;
}

/** Narrows what a locator finds. */
export interface Filter {
  readonly hasText?: string | RegExp;
  readonly hasNotText?: string | RegExp;
  readonly has?: Locator;
}

export type FrameLocator = Finding & { first(): FrameLocator; last(): FrameLocator; nth(index: number): FrameLocator };

export interface Locator extends Finding {
  click(
    options?: Wait & { button?: 'left' | 'right'; force?: boolean; position?: { x: number; y: number } },
  ): Promise<void>;
  dblclick(options?: Wait): Promise<void>;
  hover(options?: Wait): Promise<void>;
  focus(options?: Wait): Promise<void>;
  fill(text: string, options?: Wait): Promise<void>;
  press(key: string, options?: Wait): Promise<void>;
  waitFor(options?: Wait & { state?: 'attached' | 'detached' | 'visible' | 'hidden' }): Promise<void>;
  isVisible(): Promise<boolean>;
  isChecked(options?: Wait): Promise<boolean>;
  count(): Promise<number>;
  innerText(options?: Wait): Promise<string>;
  textContent(options?: Wait): Promise<string | null>;
  inputValue(options?: Wait): Promise<string>;
  allInnerTexts(): Promise<string[]>;
  allTextContents(): Promise<string[]>;
  getAttribute(name: string, options?: Wait): Promise<string | null>;
  evaluate<T>(work: (element: any) => T, argument?: unknown, options?: Wait): Promise<T>;
  evaluateAll<T>(work: (elements: any[]) => T): Promise<T>;
  scrollIntoViewIfNeeded(options?: Wait): Promise<void>;
  boundingBox(options?: Wait): Promise<{ x: number; y: number; width: number; height: number } | null>;
  screenshot(options: { path: string }): Promise<Buffer>;
  filter(options: Filter): Locator;
  first(): Locator;
  last(): Locator;
  nth(index: number): Locator;
  all(): Promise<Locator[]>;
}

export interface Page extends Finding {
  readonly keyboard: {
    press(key: string): Promise<void>;
    type(text: string): Promise<void>;
    insertText(text: string): Promise<void>;
  };
  readonly mouse: { move(x: number, y: number): Promise<void>; wheel(x: number, y: number): Promise<void> };
  goto(url: string, options?: Wait & { waitUntil?: 'commit' | 'load' }): Promise<unknown>;
  reload(options?: Wait): Promise<unknown>;
  evaluate<T>(work: string | (() => T)): Promise<T>;
  screenshot(options: { path: string; fullPage?: boolean }): Promise<Buffer>;
  setDefaultTimeout(ms: number): void;
  setViewportSize(size: { width: number; height: number }): Promise<void>;
  context(): BrowserContext;
  frames(): readonly Finding[];
  on(event: 'console', listener: (message: { type(): string; text(): string }) => void): void;
  on(event: 'pageerror', listener: (error: Error) => void): void;
  close(): Promise<void>;
}

/** Loads playwright-core from the folder of VS Code's server. */
export function playwright(folder: string): Playwright {
  return createRequire(join(folder, 'package.json'))('playwright-core') as Playwright;
}
