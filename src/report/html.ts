/** The frame of a report: one HTML file without scripts, fonts or pictures from elsewhere. */
import { escapeHtml } from "../notebook/figure/text.js";

/** A part of the page: heading and HTML that is escaped already. */
export interface Section {
  title: string;
  html: string;
}

const STYLE = `
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; font-size: .85rem; }
th { border-bottom: 1px solid #888; }
td { border-bottom: 1px solid #eee; }
pre { background: #f4f4f4; padding: .6rem; overflow-x: auto; }
svg { max-width: 100%; height: auto; }
div { overflow-x: auto; }
@media print { body { margin: 0; } h2 { break-after: avoid; } svg { break-inside: avoid; } }
`;

/** @returns an HTML document */
export function htmlPage(title: string, lead: readonly string[], sections: readonly Section[]): string {
  const parts = sections.map(
    ({ title: heading, html }) => `<section><h2>${escapeHtml(heading)}</h2>\n${html}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><h1>${escapeHtml(title)}</h1>
${lead.map((line) => `<p>${escapeHtml(line)}</p>`).join("\n")}
${parts.join("\n")}
</body></html>
`;
}

/** Text as it is, in a fixed-width font. */
export const preformatted = (text: string): string => `<pre>${escapeHtml(text)}</pre>`;
