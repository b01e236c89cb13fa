/** Pages of the built site in a real browser. */
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { type BrowserContextOptions, chromium } from "playwright-core";
import { ROOT } from "../support/cli.js";

export const OUT = join(ROOT, "site", "out");

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".woff2": "font/woff2",
};

/** The site's files on 127.0.0.1, as a plain server of files gives them. */
export async function serveSite(): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://x").pathname);
    try {
      const file = join(OUT, path.endsWith("/") ? `${path}index.html` : path);
      const bytes = readFileSync(file);
      response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
      response.end(bytes);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

/** Addresses of all pages, such as `/guides/first-run.html`. */
export const sitePages = (): string[] =>
  readdirSync(OUT, { recursive: true })
    .map((name) => `/${String(name)}`)
    .filter((name) => name.endsWith(".html"))
    .sort();

/**
 * Opens a browser for `use`.
 * @param options of the window, such as its size and colour scheme
 */
export async function inBrowser<T>(
  options: BrowserContextOptions,
  use: (visit: (address: string) => Promise<string[]>, page: import("playwright-core").Page) => Promise<T>,
): Promise<T> {
  const executablePath = process.env.ATMOREP_TEST_CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await (await browser.newContext(options)).newPage();
    let faults: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) faults.push(message.text());
    });
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("response", (response) => {
      if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`);
    });
    return await use(async (address) => {
      faults = [];
      await page.goto(address, { waitUntil: "networkidle" });
      return faults;
    }, page);
  } finally {
    await browser.close();
  }
}
