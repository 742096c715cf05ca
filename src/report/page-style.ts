import { colourVariables } from './charts/chart.ts';

/** Of the page: no fonts and no pictures from elsewhere, light or dark as the reader's system is, light on paper. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; ${colourVariables('light')} }
@media screen and (prefers-color-scheme: dark) { :root { ${colourVariables('dark')} } }
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: clamp(1.25rem, 4vw, 3.5rem); max-width: 74rem;
  background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif;
}
h1, h2, h3, p, figure, table, dl, dd, ul { margin: 0; padding: 0; }
h1 { max-width: 26ch; font-size: clamp(1.7rem, 4.2vw, 2.7rem); line-height: 1.15; letter-spacing: -0.015em; }
h2 { margin-top: clamp(2.5rem, 6vw, 4.5rem); font-size: 1.35rem; line-height: 1.3; }
h3 { font-size: 1rem; }
.model { padding-top: 1.25rem; border-top: 2px solid var(--accent); font-size: 1.6rem; }
h1, h2 { text-wrap: balance; }
h1, h2, h3 { font-weight: 650; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: 2px; }
.kind { margin-bottom: 0.75rem; color: var(--accent); font-weight: 600; }
.lead { margin-top: 1rem; max-width: 75ch; font-size: 1.15rem; }
.note { margin-top: 0.75rem; max-width: 70ch; color: var(--quiet); }
.warning { margin-top: 1rem; max-width: 60ch; padding-left: 0.9rem; border-left: 3px solid var(--wrong); }
.verdicts { margin-top: 1.25rem; display: grid; gap: 1rem; list-style: none; max-width: 70ch; }
.facts {
  margin-top: 2rem; padding-top: 1.25rem; border-top: 1px solid var(--line);
  display: grid; gap: 1rem 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr));
}
dt, figcaption, th, .source, footer { color: var(--quiet); font-size: 0.875rem; }
dd { overflow-wrap: anywhere; }
.grid {
  margin-top: 1.5rem; display: grid; gap: 2.5rem clamp(1.5rem, 5vw, 4rem); align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr));
}
.grid.small { grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }
figure svg { display: block; width: 100%; height: auto; max-width: 36rem; }
.small figure svg { max-width: 20rem; }
figcaption { margin-top: 0.75rem; max-width: 60ch; }
.source { display: block; margin-top: 0.15rem; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td {
  padding: 0.45rem 0 0.45rem 1.25rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top;
}
th:first-child, td:first-child { padding-left: 0; text-align: left; }
th { font-weight: 500; white-space: nowrap; }
tbody th { min-width: 4rem; color: var(--ink); font-size: 1rem; white-space: normal; }
td small { display: block; color: var(--quiet); font-size: 0.8rem; white-space: nowrap; }
.exhibits { margin-top: 0.75rem; display: grid; gap: 1rem; list-style: none; }
.exhibits { grid-template-columns: repeat(auto-fill, minmax(5.25rem, 1fr)); }
.exhibits img {
  display: block; width: 4.5rem; height: auto; image-rendering: pixelated; border: 1px solid var(--line);
}
.exhibits li { font-size: 0.8rem; line-height: 1.35; overflow-wrap: anywhere; }
.exhibits .miss { color: var(--wrong); }
.gallery { margin-top: 1.75rem; }
.gallery .note { margin-top: 0.15rem; }
.grid + .note { margin-top: 1.75rem; }
details { margin-top: 1.25rem; }
summary { cursor: pointer; color: var(--accent); }
footer { margin-top: 4.5rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  figure, li, tr, .facts { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .grid { grid-template-columns: 1fr 1fr; }
  .grid.small { grid-template-columns: 1fr 1fr 1fr; }
}
`;
