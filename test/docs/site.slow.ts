/** The site: built, every internal link looked up, and every page opened in Chromium without an error in its console. */
import { beforeAll, expect, it } from "vitest";
import { ROOT, runProgram } from "../support/cli.js";
import { inBrowser, serveSite, sitePages } from "./visit.js";

beforeAll(async () => {
  const { code, stdout, stderr } = await runProgram("npm", ["run", "--silent", "docs"], ROOT);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/\d+ pages, \d+ internal links, 0 broken\n$/);
});

it("every page opens without an error, and none is wider than a phone", async () => {
  const site = await serveSite();
  const faults: string[] = [];
  await inBrowser({ viewport: { width: 390, height: 844 }, colorScheme: "dark" }, async (visit, page) => {
    for (const path of sitePages().filter((path) => path !== "/404.html")) {
      for (const fault of await visit(site.url + path)) faults.push(`${path}: ${fault}`);
      const wide = Number(await page.evaluate("document.documentElement.scrollWidth"));
      if (wide > 390) faults.push(`${path}: ${wide} pixels wide`);
    }
  });
  site.close();
  expect(faults).toEqual([]);
});

it("finds a key by its name, and has a dark theme that can be chosen", async () => {
  const site = await serveSite();
  await inBrowser({ viewport: { width: 1280, height: 900 }, colorScheme: "light" }, async (visit, page) => {
    expect(await visit(`${site.url}/index.html`)).toEqual([]);
    await page.click(".VPNavBarAppearance button");
    await page.waitForFunction("document.documentElement.classList.contains('dark')");
    await page.keyboard.press("Control+k");
    await page.fill(".VPLocalSearchBox input", "lr_decay_rate");
    await page.waitForSelector(".VPLocalSearchBox .result");
    expect(await page.textContent(".VPLocalSearchBox .results")).toContain("Configuration");
  });
  site.close();
});
