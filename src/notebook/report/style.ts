/** How a page looks: on a screen or a phone, light or dark, and on paper. */

const LIGHT =
  "--paper:#ffffff;--ink:#1a1a1a;--soft:#555555;--line:#d0d0d0;--box:#f4f4f4;--link:#0a58a6;--good:#1b6e34;--bad:#a52a1e;--open:#7a5a00;--band:#d0e3f0;color-scheme:light";
const DARK =
  "--paper:#16181b;--ink:#e8e8e8;--soft:#b0b4ba;--line:#45494f;--box:#22252a;--link:#86bdf5;--good:#6fce8c;--bad:#ff9a8c;--open:#e3bd55;--band:#2c4a60;color-scheme:dark";

/** Figures are drawn dark on white; their paper is left out, and on a dark page what is black becomes the page's ink. */
const FIGURES = `
.panels { display: grid; gap: .6rem 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); align-items: end; }
.panels.many { grid-template-columns: repeat(auto-fill, minmax(min(100%, 9.5rem), 1fr)); }
.panels figure { max-width: 34rem; margin: 0; }
.panels svg { display: block; width: 100%; height: auto; }
.panels figcaption { font-size: .85rem; }
svg text { fill: var(--ink); }
svg text[fill="#222222"] { fill: #222222; }
svg [stroke="#000000"] { stroke: var(--ink); }
svg [fill="#000000"] { fill: var(--ink); }
svg [fill="#d0e3f0"] { fill: var(--band); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1rem; margin: .3rem 0; padding: 0; font-size: .85rem; }
.legend svg { width: 1.6rem; height: .8rem; margin-right: .35rem; vertical-align: -.05rem; }
`;

export const STYLE = `
:root { ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 74rem; padding: 1rem; overflow-wrap: anywhere; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; padding-bottom: .2rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .4rem; }
p { max-width: 60rem; margin: .4rem 0; }
nav ul { list-style: none; padding: 0; margin: .8rem 0; display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
nav a { display: inline-block; padding: .25rem 0; }
.verdict { font-size: 1.1rem; border-left: .4rem solid var(--open); background: var(--box); padding: .6rem .8rem; }
.verdict b { color: var(--open); }
.verdict.better { border-color: var(--good); } .verdict.better b { color: var(--good); }
.verdict.worse { border-color: var(--bad); } .verdict.worse b { color: var(--bad); }
.soft, figcaption p, .absent { color: var(--soft); font-size: .9rem; }
.absent { border-left: .25rem solid var(--line); padding-left: .7rem; }
figure { margin: 0 0 1rem; }
figcaption h3 { margin-bottom: 0; }
table { border-collapse: collapse; font-size: .85rem; }
caption { text-align: left; font-weight: bold; padding: .2rem 0; white-space: normal; }
caption span { position: sticky; left: 0; display: inline-block; max-width: min(70rem, 100vw - 2rem); }
th, td { text-align: left; vertical-align: top; padding: .15rem .7rem .15rem 0; border-bottom: 1px solid var(--line); font-weight: normal; white-space: nowrap; }
thead th { font-weight: bold; }
td.long { overflow-wrap: anywhere; white-space: normal; min-width: 11rem; }
.scroll { overflow-x: auto; margin: .4rem 0; }
pre { background: var(--box); padding: .6rem; overflow-x: auto; font-size: .8rem; margin: .4rem 0; }
summary { cursor: pointer; padding: .3rem 0; }
${FIGURES}
@media print {
  :root { ${LIGHT} }
  @page { size: A4; margin: 14mm; }
  body { font-size: 10pt; padding: 0; max-width: none; }
  nav, .skip { display: none; }
  h2, h3, caption, summary { break-after: avoid; }
  .panels figure, tr, .verdict { break-inside: avoid; }
  .panels { grid-template-columns: repeat(2, 1fr); }
  .panels.many { grid-template-columns: repeat(4, 1fr); }
  .scroll, pre { overflow: visible; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  table { font-size: 7pt; width: 100%; }
  th, td { padding-right: .3rem; white-space: normal; overflow-wrap: anywhere; }
  td.long { min-width: 0; }
  details::details-content { content-visibility: visible; block-size: auto; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
