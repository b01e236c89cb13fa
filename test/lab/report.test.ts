/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The pages of a run, an evaluation and several runs in Chromium: nothing serious for axe-core, nothing wider than a phone or paper, dark and light. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareReport, runReport, train } from "../../src/api/runs.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { temporaryFolder, tinyConfig } from "../support/tinyRun.js";
import { launch } from "./page.js";

const out = temporaryFolder();
const PAGES = ["run", "evaluation", "compared"] as const;
/** A4 at 96 dots an inch, less the margins of 14 mm. */
const PAPER = 688;
let browser: Browser;

beforeAll(async () => {
  for await (const _ of train(tinyConfig(), { out, runId: "axerun01" }));
  for await (const _ of train(tinyConfig({ torch_seed: 5 }), { out, runId: "axerun02" }));
  await evaluate({ run: "axerun01", out, runId: "axeeval1", mode: "forecast" });
  await evaluate({ run: "axerun02", out, runId: "axeeval2", mode: "forecast" });
  const write = async (name: string, html: Promise<string>) => writeFileSync(join(out, `${name}.html`), await html);
  await write("run", runReport("axerun01", out));
  await write("evaluation", runReport("axeeval1", out));
  await write("compared", compareReport(["axerun01", "axerun02"], out));
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  rmSync(out, { recursive: true, force: true });
});

async function open(name: string, width: number, colorScheme: "light" | "dark"): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  await page.goto(pathToFileURL(join(out, `${name}.html`)).href);
  return page;
}

/** Elements that reach beyond the right edge, unless what holds them can be scrolled. */
const beyond = (page: Page, width: number) =>
  page.evaluate(
    (most) =>
      [...document.querySelectorAll("body *")]
        .filter(
          (element) => element.getBoundingClientRect().right > most + 1 && !element.closest(".scroll, pre, .skip"),
        )
        .map((element) => element.outerHTML.slice(0, 80)),
    width,
  );

describe.each(PAGES)("the page %s", (name) => {
  it.each([
    [1400, "light"],
    [390, "dark"],
  ] as const)("has nothing serious for axe-core at %i pixels, %s, and nothing is cut off", async (width, scheme) => {
    const page = await open(name, width, scheme);
    await page.evaluate(axe.source);
    const found = await page.evaluate(async () => {
      const { violations } = await (window as unknown as { axe: typeof axe }).axe.run();
      return violations.map(({ impact, id, nodes }) => ({ impact, id, first: nodes[0].html.slice(0, 120) }));
    });
    expect(found.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);
    expect(await beyond(page, width)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.close();
  });

  it("is printed light, and nothing is clipped on paper", async () => {
    const page = await open(name, PAPER, "dark");
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const clipped = await page.evaluate((most) => {
      const wide = [...document.querySelectorAll("table, pre, svg, p")].filter(
        (element) => element.getBoundingClientRect().right > most + 1,
      );
      return wide.map((element) => element.outerHTML.slice(0, 80));
    }, PAPER);
    expect(clipped).toEqual([]);
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(255, 255, 255)");
    expect((await page.pdf({ preferCSSPageSize: true })).subarray(0, 5).toString()).toBe("%PDF-");
    await page.close();
  });

  it("is walked by keyboard: the way to the content first, then every table that is scrolled", async () => {
    const page = await open(name, 390, "light");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("To the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("content");
    const unreachable = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("*")]
        .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === "auto")
        .filter(({ tabIndex }) => tabIndex < 0)
        .map(({ outerHTML }) => outerHTML.slice(0, 80)),
    );
    expect(unreachable).toEqual([]);
    await page.close();
  });
});
