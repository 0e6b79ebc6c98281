// The one style sheet of all pages.

#include "orchestrator/report/html_page.h"

namespace drover {

std::string_view HtmlStyle() {
  // No "<", "&" or "]]>" in it, so that it is the same text in HTML and in XML.
  static constexpr std::string_view kStyle = R"css(
:root {
  --page: #f6f6f4; --card: #ffffff; --ink: #1d2329; --soft: #5b6670; --line: #dcdfe2; --grid: #e9ebed;
  --good: #1a7f4b; --good-back: #e3f4ea; --bad: #c0362c; --bad-back: #fbe9e7; --odd: #8a5a00; --odd-back: #fdf3dc;
  --fault: #f4d9a8; --outage: #eeb3ac; --own: #2f6fb3; --own2: #7d58a8; --own3: #2a8c82; --band: #cfe0f1;
  --ok: #69b58d; --lost: #c0362c; --late: #e39b2d; --error: #8f2d6b; --wrong: #5b4bb5; --unsent: #b9bfc4;
  --p50: #2f6fb3; --p99: #d98324; --max: #8d969e;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #121518; --card: #1a1f24; --ink: #e4e8eb; --soft: #9aa5ae; --line: #323a41; --grid: #262d33;
    --good: #5fcf95; --good-back: #14321f; --bad: #ff8a7f; --bad-back: #3d1a17; --odd: #f0c060; --odd-back: #3a2c0d;
    --fault: #4a3a17; --outage: #63302b; --own: #6aa6e6; --own2: #b294dc; --own3: #56c3b6; --band: #24405c;
    --ok: #3f8a62; --lost: #ee6156; --late: #e3a545; --error: #d070ac; --wrong: #9c8cf0; --unsent: #59636b;
    --p50: #6aa6e6; --p99: #eba04b; --max: #77818a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 20px 16px 48px; }
header.verdict { border-radius: 12px; padding: 22px 24px; background: var(--card); border: 1px solid var(--line); border-left: 8px solid var(--soft); }
header.verdict.good { border-left-color: var(--good); } header.verdict.bad { border-left-color: var(--bad); } header.verdict.odd { border-left-color: var(--odd); }
header .badge { display: inline-block; font-size: 15px; font-weight: 700; letter-spacing: .06em; text-transform: uppercase; padding: 4px 12px; border-radius: 999px; }
.good .badge { color: var(--good); background: var(--good-back); } .bad .badge { color: var(--bad); background: var(--bad-back); } .odd .badge { color: var(--odd); background: var(--odd-back); }
h1 { font-size: 26px; line-height: 1.25; margin: 12px 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 12px; }
h3 { font-size: 14px; margin: 18px 0 4px; font-weight: 600; }
p { margin: 6px 0; } .soft { color: var(--soft); } .small { font-size: 13px; } .mono, code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 12.5px; overflow-wrap: anywhere; }
ul { margin: 8px 0; padding-left: 20px; } li { margin: 4px 0; overflow-wrap: anywhere; }
ul.reasons { font-size: 15px; font-weight: 500; } ul.clear { list-style: none; padding-left: 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px; margin-top: 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 16px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px 14px; display: flex; flex-direction: column; border-top: 4px solid var(--line); }
.tile.good { border-top-color: var(--good); } .tile.bad { border-top-color: var(--bad); } .tile.odd { border-top-color: var(--odd); }
.tile .name { color: var(--soft); font-size: 13px; } .tile .value { font-size: 24px; font-weight: 650; line-height: 1.3; font-variant-numeric: tabular-nums; } .tile .note { color: var(--soft); font-size: 12.5px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; } th { text-align: left; color: var(--soft); font-weight: 500; font-size: 12.5px; padding: 4px 10px 6px 0; border-bottom: 1px solid var(--line); }
td { padding: 8px 10px 8px 0; border-bottom: 1px solid var(--grid); vertical-align: top; overflow-wrap: break-word; } tr:last-child td { border-bottom: none; }
table.numbers td { font-variant-numeric: tabular-nums; } table.numbers td:not(:first-child), table.numbers th:not(:first-child) { text-align: right; }
td b { font-weight: 600; } td .formula { display: block; color: var(--soft); font-size: 12.5px; } td.nowrap { white-space: nowrap; }
table.compare td:nth-child(3) { white-space: nowrap; } table.compare td:nth-child(4) { width: 230px; } table.compare td svg { max-width: 230px; } table.compare td { vertical-align: middle; }
.mark { display: inline-block; padding: 1px 9px; border-radius: 999px; font-size: 12.5px; font-weight: 600; white-space: nowrap; color: var(--soft); background: var(--grid); }
.mark.good { color: var(--good); background: var(--good-back); } .mark.bad { color: var(--bad); background: var(--bad-back); } .mark.odd { color: var(--odd); background: var(--odd-back); }
svg { display: block; width: 100%; height: auto; overflow: visible; } svg text { fill: var(--soft); font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
svg text.strong { fill: var(--ink); font-weight: 600; } svg text.end { text-anchor: end; } svg text.mid { text-anchor: middle; } svg text.badtext { fill: var(--bad); font-weight: 600; text-anchor: middle; } svg text.on { fill: var(--card); text-anchor: middle; font-size: 11px; font-weight: 600; }
.grid { stroke: var(--grid); stroke-width: 1; } .axis { stroke: var(--line); stroke-width: 1; } .zero { stroke: var(--odd); stroke-width: 1.5; } .back { stroke: var(--good); stroke-width: 1.5; stroke-dasharray: 4 3; }
.fault { fill: var(--fault); opacity: .55; } .outage { fill: var(--outage); opacity: .75; } .track { fill: var(--grid); } .band { fill: var(--band); } .value { fill: var(--own); } .value.bad { fill: var(--bad); } .value.odd { fill: var(--odd); } .whisker { stroke: var(--ink); stroke-width: 1; }
.own0 { fill: var(--own); } .own1 { fill: var(--own2); } .own2 { fill: var(--own3); } .shared { fill: var(--bad); } .advert { stroke: var(--ink); stroke-width: 1; opacity: .55; fill: none; } .announce { fill: var(--late); stroke: var(--card); stroke-width: 1; } .moment { fill: var(--odd); }
svg rect { shape-rendering: crispEdges; } .ok { fill: var(--ok); } .lost { fill: var(--lost); } .late { fill: var(--late); } .error { fill: var(--error); } .wrong { fill: var(--wrong); } .unsent { fill: var(--unsent); }
.p50 { fill: none; stroke: var(--p50); stroke-width: 1.6; stroke-linejoin: round; } .p99 { fill: none; stroke: var(--p99); stroke-width: 1.4; stroke-linejoin: round; } .max { fill: none; stroke: var(--max); stroke-width: 1; stroke-linejoin: round; } .gone { stroke: var(--lost); stroke-width: 3; fill: none; }
.step { fill: var(--own); } .trendline { fill: none; stroke: var(--own); stroke-width: 1.4; } .dot { fill: var(--own); } .dot.bad { fill: var(--bad); } .dot.odd { fill: var(--card); stroke: var(--odd); stroke-width: 1.5; } .median { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 5 4; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; color: var(--soft); margin: 4px 0 10px; } .legend span { white-space: nowrap; } .legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; background: var(--soft); }
.legend i.k-ok { background: var(--ok); } .legend i.k-lost { background: var(--lost); } .legend i.k-late { background: var(--late); } .legend i.k-error { background: var(--error); } .legend i.k-wrong { background: var(--wrong); } .legend i.k-unsent { background: var(--unsent); } .legend i.k-fault { background: var(--fault); } .legend i.k-outage { background: var(--outage); } .legend i.k-shared { background: var(--bad); } .legend i.k-announce { background: var(--late); border-radius: 50%; } .legend i.k-advert { width: 2px; background: var(--ink); } .legend i.k-own { background: var(--own); } .legend i.k-p50 { height: 3px; vertical-align: 3px; background: var(--p50); } .legend i.k-p99 { height: 3px; vertical-align: 3px; background: var(--p99); } .legend i.k-max { height: 3px; vertical-align: 3px; background: var(--max); } .legend i.k-band { background: var(--band); } .legend i.k-moment { border-radius: 50%; background: var(--odd); }
.narrow { display: none; } footer { color: var(--soft); font-size: 12.5px; margin-top: 20px; }
@media screen and (max-width: 760px) {
  main { padding: 10px 10px 32px; } section { padding: 14px 13px; } header.verdict { padding: 16px 16px; } h1 { font-size: 21px; }
  .wide { display: none; } .narrow { display: block; max-width: 480px; } .tiles { grid-template-columns: 1fr 1fr; gap: 8px; } .tile .value { font-size: 20px; }
  table.stack, table.stack tbody, table.stack tr, table.stack td { display: block; width: 100% !important; } table.stack thead { display: none; }
  table.stack tr { border-bottom: 1px solid var(--line); padding: 10px 0; } table.stack tr:last-child { border-bottom: none; } table.stack td { border: none; padding: 2px 0; text-align: left !important; white-space: normal !important; } table.compare td svg { max-width: 100%; }
  table.stack td[data-head]:not([data-head=""])::before { content: attr(data-head) ": "; color: var(--soft); font-size: 12.5px; }
  table.numbers.stack tr { display: grid; grid-template-columns: 1fr 1fr; gap: 0 14px; } table.numbers.stack td:first-child { grid-column: 1 / -1; }
  table.stack td:first-child::before { content: none !important; } table.stack td:first-child { font-weight: 600; }
}
@page { size: A4; margin: 14mm 12mm; }
@media print {
  body { background: #ffffff; font-size: 12px; } main { max-width: none; padding: 0; } section, header.verdict, .tile { border-color: #c8ccd0; border-radius: 6px; }
  section { padding: 10px 12px; margin-top: 10px; } section.chart, tr, .tile, header.verdict, svg, li { break-inside: avoid; } h2, h3 { break-after: avoid; } .tiles { grid-template-columns: repeat(4, 1fr); gap: 6px; margin-top: 10px; } .tile .value { font-size: 18px; }
  table { font-size: 11px; } th, td .formula { font-size: 10px; } td { padding: 4px 8px 4px 0; } table.compare td:nth-child(4) { width: 150px; } table.compare td svg { max-width: 150px; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } a { color: inherit; text-decoration: none; } .page { break-before: page; }
}
)css";
  return kStyle;
}

}  // namespace drover
