/** The frame of a page: one HTML file without scripts, fonts or pictures from elsewhere. */
import { isAtmorepError } from "../../errors.js";
import { escapeHtml } from "../figure/text.js";
import { STYLE } from "./style.js";

/** A part of the page: heading and HTML that is escaped already. */
export interface Section {
  title: string;
  html: string;
}

export interface Page {
  title: string;
  /** paragraphs under the title, plain text */
  lead: readonly string[];
  sections: readonly Section[];
}

/** @returns an HTML document; its sections stand in the order given, each with a place that links can name */
export function htmlPage({ title, lead, sections }: Page): string {
  const placed = sections.map((section) => ({ ...section, id: anchor(section.title) }));
  const links = placed.map(({ id, title: name }) => `<li><a href="#${id}">${escapeHtml(name)}</a></li>`);
  const parts = placed.map(
    ({ id, title: name, html }) =>
      `<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${escapeHtml(name)}</h2>\n${html}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><a class="skip" href="#content">To the content</a>
<header><h1>${escapeHtml(title)}</h1>
${lead.map(paragraph).join("\n")}</header>
<nav aria-label="Contents"><ul>${links.join("")}</ul></nav>
<main id="content" tabindex="-1">
${parts.join("\n")}
</main></body></html>
`;
}

const anchor = (title: string): string => title.toLowerCase().replace(/[^a-z0-9]+/g, "-");

/** Plain text as a paragraph. */
export const paragraph = (text: string): string => `<p>${escapeHtml(text)}</p>`;

/** What stands beside the matter, such as how it was computed. */
export const aside = (text: string): string => `<p class="soft">${escapeHtml(text)}</p>`;

/** Says what is not there, and why. */
export const absent = (text: string): string => `<p class="absent">${escapeHtml(text)}</p>`;

/** A heading within a section. */
export const heading = (text: string): string => `<h3>${escapeHtml(text)}</h3>`;

/** Text as it is, in a fixed-width font; long lines are reached by keyboard. */
export const preformatted = (text: string, label: string): string =>
  `<pre role="region" tabindex="0" aria-label="${escapeHtml(label)}">${escapeHtml(text)}</pre>`;

/** What most readers need not see; printed whole. */
export const folded = (summary: string, html: string): string =>
  `<details><summary>${escapeHtml(summary)}</summary>${html}</details>`;

/**
 * What `make` gives, or in words why it cannot be shown: a page is whole whatever a run lacks.
 * @throws what is a fault of the program
 */
export async function orWhyNot(make: () => Promise<string> | string): Promise<string> {
  try {
    return await make();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (isAtmorepError(error) || typeof code === "string") return absent(`Not here: ${message}`);
    throw error;
  }
}
