/** The page's style sheet: no external asset, light and dark, readable at 360 px. */

/** CSS of the status page; inlined, so the content policy names its hash. */
export const PAGE_CSS = `
:root{color-scheme:light dark;--bg:#f7f8fa;--card:#fff;--ink:#1a2029;--dim:#566070;--line:#d9dee6;--good:#0b6b3a;--warn:#8a5200;--bad:#b3261e;--link:#0a58c2;--code:#eef1f5}
@media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2029;--ink:#e7ebf1;--dim:#a3adbb;--line:#323b48;--good:#5bd394;--warn:#f0b454;--bad:#ff8a80;--link:#8ab8ff;--code:#0d1116}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:76rem;background:var(--bg);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.4rem;margin:0}
h2{font-size:1.15rem;margin:0}
h3{font-size:1rem;margin:1rem 0 .3rem}
a{color:var(--link)}
.head{display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:baseline;margin-bottom:1rem}
.dim{color:var(--dim)}
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1rem;margin:0 0 1rem}
.facts{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:.4rem 0 .8rem;padding:0;list-style:none}
.facts b{font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--dim);padding-bottom:.25rem}
th,td{text-align:left;padding:.3rem .75rem .3rem 0;border-top:1px solid var(--line);white-space:nowrap;vertical-align:top}
thead th{border-top:0;color:var(--dim);font-weight:600}
td.n,th.n{text-align:right}
.why{white-space:normal;min-width:12rem;color:var(--dim)}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.state{font-weight:600}
pre{background:var(--code);border:1px solid var(--line);border-radius:.35rem;padding:.6rem;overflow-x:auto;margin:.3rem 0;font-size:.85rem;line-height:1.45}
ul.alerts{margin:.3rem 0 0;padding-left:1.1rem}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
@media(max-width:40rem){
body{padding:.6rem}
table,tbody,tr,td,th{display:block}
thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
tbody tr{border-top:1px solid var(--line);padding:.5rem 0}
th,td,td.n{border:0;padding:.05rem 0;text-align:left;white-space:normal}
td[data-label]::before{content:attr(data-label) ": ";color:var(--dim);font-weight:400}
td:empty{display:none}
}
`;
