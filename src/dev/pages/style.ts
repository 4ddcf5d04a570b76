/**
 * The one style sheet, inlined into each page and named by its hash in the content security policy.
 *
 * @module
 */

/** Small on purpose: system fonts, two colour schemes, one column. */
export const STYLE = `
:root{--ground:#f5f4f1;--paper:#fff;--ink:#1d1c1a;--soft:#65615a;--line:#e2dfd8;--accent:#2f5d50;--on-accent:#fff;
--tint:#eef3f0;--warn:#7a4a00;--warn-ground:#fdf3dc;--warn-line:#ecd9a8}
@media (prefers-color-scheme:dark){:root{--ground:#161615;--paper:#1f1f1d;--ink:#eceae5;--soft:#a39f96;--line:#34332f;
--accent:#8fc7b3;--on-accent:#10211b;--tint:#232b28;--warn:#f0cf8e;--warn-ground:#2b2415;--warn-line:#4d4020}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;-webkit-text-size-adjust:100%}
.banner{margin:0;padding:.6rem 1rem;background:var(--warn-ground);color:var(--warn);border-bottom:1px solid var(--warn-line);
font-size:.875rem;text-align:center}
main{width:100%;max-width:40rem;margin:0 auto;padding:clamp(1.5rem,6vw,3.5rem) 1rem 2rem;flex:1}
footer{padding:1rem;text-align:center;color:var(--soft);font-size:.8125rem}
h1{font-size:1.5rem;line-height:1.25;font-weight:650;letter-spacing:-.01em;margin:0 0 .4rem;overflow-wrap:anywhere;text-wrap:balance}
h2{font-size:1rem;line-height:1.4;margin:0;font-weight:600;overflow-wrap:anywhere}
h3{font-size:.8125rem;font-weight:600;color:var(--soft);margin:2rem 0 .6rem;letter-spacing:.02em}
p{margin:0 0 1rem}
.lead{color:var(--soft);margin-bottom:1.5rem;overflow-wrap:anywhere}
code{font:.9em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--tint);border-radius:4px;
padding:.1em .35em;overflow-wrap:anywhere;white-space:pre-wrap}
ul{list-style:none;margin:0;padding:0}
.people{display:grid;gap:.6rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr))}
.person{display:flex;align-items:center;gap:.85rem;width:100%;padding:.8rem .9rem;border:1px solid var(--line);border-radius:10px;
background:var(--paper);color:inherit;font:inherit;text-align:left;cursor:pointer}
.person:hover{border-color:var(--accent);background:var(--tint)}
.person b,.person small{display:block;overflow-wrap:anywhere}
.person b{font-weight:600;line-height:1.3}
small{color:var(--soft);font-size:.8125rem}
.face{flex:none;width:2.4rem;height:2.4rem;border-radius:50%;display:grid;place-items:center;font-weight:600;font-size:.9rem;color:#fff}
.f0{background:#2f5d50}.f1{background:#7a4b2a}.f2{background:#3d5a87}.f3{background:#7b3f61}.f4{background:#5a5f2b}.f5{background:#6a4c93}
.card{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:1rem 1.1rem;margin:0 0 .75rem}
.pick{display:flex;gap:.75rem;align-items:flex-start}
.pick input{flex:none;width:1.15rem;height:1.15rem;margin:.2rem 0 0;accent-color:var(--accent)}
label{cursor:pointer;flex:1;min-width:0}
dl{margin:.75rem 0 0;display:grid;grid-template-columns:6.5rem minmax(0,1fr);gap:.35rem 1rem;font-size:.9375rem}
dt{color:var(--soft)}
dd{margin:0;min-width:0;overflow-wrap:anywhere}
dd li+li{margin-top:.25rem}
.who{display:flex;align-items:center;gap:.85rem;margin:0 0 1.5rem}
.who div{flex:1;min-width:0;overflow-wrap:anywhere}
.note{border-left:3px solid var(--warn-line);background:var(--warn-ground);color:var(--warn);border-radius:0 8px 8px 0;
padding:.6rem .9rem;font-size:.9375rem;margin:0 0 .75rem}
.warn{color:var(--warn);font-size:.875rem}
.actions{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.75rem 0 0}
.actions button{flex:1 1 9rem;padding:.75rem 1.1rem;border-radius:10px;border:1px solid var(--line);background:var(--paper);
color:inherit;font:inherit;font-weight:600;cursor:pointer;text-align:center;text-decoration:none}
.actions button:hover{border-color:var(--accent)}
.actions .go{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
.actions .go:hover{filter:brightness(1.08)}
.leave{margin:1.5rem 0 0}
.quiet{padding:0;font-size:.9375rem;border:0;background:none;color:var(--soft);font-family:inherit;text-decoration:underline;cursor:pointer}
.quiet:hover{color:var(--ink)}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
@media (max-width:28rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}
`;
