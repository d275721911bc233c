namespace Budwood.Recipes.Reports;

/// <summary>The look of the report: light, dark, narrow, wide and on paper.</summary>
internal static class ReportStyle
{
    /// <summary>The style sheet.</summary>
    // The colours of series are those of Okabe and Ito; on dark ground the dark blue and the light blue change places, and black becomes white.
    public const string Text = """
        :root {
          --ground: #f6f6f3; --card: #ffffff; --fg: #1d2321; --quiet: #5c6663; --edge: #dcdfda; --grid: #e9ebe6; --code: #f1f2ee; --link: #00613f;
          --holds: #00785a; --refuted: #b84a00; --inconclusive: #8f6200; --void: #a03f78; --none: #5c6663;
          --holds-zone: #009e7326; --refuted-zone: #d55e0022;
          --s0: #0072b2; --s1: #d55e00; --s2: #009e73; --s3: #e69f00; --s4: #cc79a7; --s5: #56b4e9; --s6: #1d2321; --s7: #cfc11b;
          --shadow: 0 1px 2px #00000010, 0 4px 14px #0000000a;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: #131716; --card: #1b211f; --fg: #e6eae7; --quiet: #9aa5a1; --edge: #313936; --grid: #29302d; --code: #232a28; --link: #5fd0a5;
            --holds: #35c79b; --refuted: #ff8f4d; --inconclusive: #f0b83a; --void: #e39bc4; --none: #9aa5a1;
            --holds-zone: #00c08c2e; --refuted-zone: #ff7a1f26;
            --s0: #56b4e9; --s1: #f07b2a; --s2: #16b98a; --s3: #e69f00; --s4: #cc79a7; --s5: #2f8fd0; --s6: #e6eae7; --s7: #f0e442;
            --shadow: none;
          }
        }
        * { box-sizing: border-box; }
        html { scroll-behavior: smooth; scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
        @media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
        body { margin: 0; background: var(--ground); color: var(--fg); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; font-variant-numeric: tabular-nums; }
        main { width: 100%; min-width: 0; max-width: 78rem; margin: 0 auto; padding: 2.5rem 2rem 3rem; }
        h1 { font-size: clamp(1.6rem, 1.1rem + 1.8vw, 2.5rem); line-height: 1.15; letter-spacing: -.015em; margin: .1em 0 .3em; text-wrap: balance; overflow-wrap: anywhere; }
        h2 { font-size: 1.3rem; letter-spacing: -.01em; margin: 3rem 0 1rem; }
        h3 { font-size: 1.05rem; margin: 0 0 .8rem; line-height: 1.3; overflow-wrap: anywhere; }
        p { margin: 0 0 .7rem; }
        a { color: var(--link); }
        code, pre { font: .87em/1.5 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
        code { background: var(--code); padding: .1em .35em; border-radius: 4px; overflow-wrap: anywhere; }
        pre { background: var(--code); border: 1px solid var(--edge); border-radius: 8px; padding: .9rem 1rem; overflow-x: auto; margin: .6rem 0; tab-size: 2; }
        pre code { background: none; padding: 0; overflow-wrap: normal; }
        .command { user-select: all; }
        .quiet { color: var(--quiet); font-weight: 400; }
        .card { background: var(--card); border: 1px solid var(--edge); border-radius: 12px; padding: 1.2rem 1.4rem; margin: 0 0 1.1rem; box-shadow: var(--shadow); min-width: 0; }

        header .over { color: var(--quiet); font-size: .9rem; margin: 0; }
        .about { font-size: 1.12rem; color: var(--quiet); max-width: 60ch; }
        .word { display: inline-flex; align-items: center; gap: .9rem; padding: .75rem 1.3rem .75rem 1rem; border-radius: 12px; border: 1.5px solid currentColor; background: color-mix(in srgb, currentColor 9%, var(--card)); margin: .6rem 0 1rem; }
        .word .icon { width: 2.3rem; height: 2.3rem; }
        .word strong { display: block; font-size: 1.3rem; line-height: 1.2; }
        .word span { display: block; color: var(--fg); font-size: .93rem; line-height: 1.4; }
        .counts { list-style: none; display: flex; flex-wrap: wrap; gap: .4rem 1.3rem; padding: 0; margin: 0 0 .9rem; }
        .counts li { display: flex; align-items: center; gap: .45rem; }
        .summary { max-width: 80ch; }
        .icon { width: 1.15em; height: 1.15em; flex: none; display: inline-block; vertical-align: -.2em; }
        .icon .body { fill: currentColor; } .icon .sign { fill: none; stroke: var(--card); stroke-width: 2.8; stroke-linecap: round; stroke-linejoin: round; }
        .icon .ring { fill: none; stroke: currentColor; stroke-width: 2.6; stroke-linecap: round; }
        .v-holds { color: var(--holds); } .v-refuted { color: var(--refuted); } .v-inconclusive { color: var(--inconclusive); } .v-void { color: var(--void); } .v-none { color: var(--none); }

        .claim { border-left: 5px solid currentColor; }
        .claim > * { color: var(--fg); }
        .claim h3 { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .6rem; }
        .claim h3 .icon { width: 1.5em; height: 1.5em; }
        .id { font-weight: 650; }
        .claim h3 .verdict { font-weight: 650; padding: .08em .65em; border-radius: 99px; font-size: .88rem; border: 1px solid currentColor; }
        .claim.v-holds .verdict { color: var(--holds); } .claim.v-refuted .verdict { color: var(--refuted); } .claim.v-inconclusive .verdict { color: var(--inconclusive); } .claim.v-void .verdict { color: var(--void); } .claim.v-none .verdict { color: var(--none); }
        h3 .kind { margin-left: auto; font-size: .85rem; font-weight: 400; color: var(--quiet); }
        .card > h3:not(.claim h3):has(.kind) { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .6rem; }
        .sides { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1.08fr); gap: 1rem 2.4rem; }
        .sides > :only-child { grid-column: 1 / -1; }
        blockquote { margin: 0 0 1rem; padding: .1rem 0 .1rem 1rem; border-left: 3px solid var(--edge); }
        blockquote p { font-size: 1.05rem; margin: 0; } blockquote p::before { content: "“"; } blockquote p::after { content: "”"; }
        blockquote footer { color: var(--quiet); font-size: .88rem; border: 0; margin: .15rem 0 0; padding: 0; }
        dl { margin: 0; } dt { color: var(--quiet); font-size: .84rem; } dd { margin: 0; overflow-wrap: anywhere; }
        .claim dl > div { margin-bottom: .65rem; }
        .claim .note dd { border-left: 3px solid var(--inconclusive); padding-left: .7rem; }
        .figuresrow { display: flex; flex-wrap: wrap; gap: .4rem 2.4rem; margin-bottom: .7rem; }
        .figuresrow > div { display: flex; flex-direction: column; }
        .label { color: var(--quiet); font-size: .84rem; } .big { font-size: 1.65rem; font-weight: 600; line-height: 1.25; letter-spacing: -.01em; } .big small { font-size: .62em; font-weight: 400; color: var(--quiet); } .big .quiet { font-size: .68em; }
        .values { width: 100%; margin-top: .8rem; font-size: .9rem; } .values th { font-weight: 400; color: var(--quiet); text-align: left; white-space: normal; width: 8.6rem; padding-left: 0; vertical-align: top; } .values td { white-space: normal; overflow-wrap: anywhere; padding-right: 0; }

        table { border-collapse: collapse; font-size: .92rem; }
        th, td { padding: .34rem .8rem; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: baseline; white-space: nowrap; }
        thead th { border-bottom: 1.5px solid var(--edge); font-weight: 600; }
        tbody tr:last-child > * { border-bottom: 0; }
        .n { text-align: right; } .unit { color: var(--quiet); font-weight: 400; font-size: .9em; }
        .wide { overflow-x: auto; margin: 0 -.4rem; padding: 0 .4rem; } .wide > table:not(.steps) { min-width: min(100%, 24rem); }
        .steps { width: 100%; } .steps th, .steps td { vertical-align: top; } .steps td { white-space: normal; min-width: 5rem; } .steps td:nth-child(2), .steps td:nth-child(4) { min-width: 14rem; } .steps code { display: inline-block; margin: .1em 0; }
        .more { margin: .6rem 0 0; font-size: .88rem; }
        details summary { cursor: pointer; padding: .3rem 0; } details > .wide { margin-top: .5rem; }
        .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: .9rem 1.6rem; }
        footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--edge); color: var(--quiet); font-size: .9rem; }

        .tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 1.1rem; align-items: start; } .tables .card { margin: 0; } .tables .full { grid-column: 1 / -1; }
        .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 1.1rem; }
        .figures .card { margin: 0; max-width: 46rem; } figcaption { color: var(--quiet); font-size: .88rem; margin-top: .5rem; }
        svg.chart, svg.line { display: block; width: 100%; height: auto; } svg.line { max-width: 40rem; }
        svg text { font-size: 12px; fill: var(--fg); } svg .tick { fill: var(--quiet); } svg .name { font-size: 12.5px; }
        svg .axis { stroke: var(--quiet); stroke-width: 1.2; } svg .grid { stroke: var(--grid); stroke-width: 1; }
        .s0 { color: var(--s0); } .s1 { color: var(--s1); } .s2 { color: var(--s2); } .s3 { color: var(--s3); } .s4 { color: var(--s4); } .s5 { color: var(--s5); } .s6 { color: var(--s6); } .s7 { color: var(--s7); }
        svg .line { fill: none; stroke: currentColor; stroke-width: 2.2; stroke-linejoin: round; } svg .marker { fill: currentColor; stroke: var(--card); stroke-width: 1.1; } svg .scatter .marker { fill-opacity: .75; stroke-width: .6; } svg .stroked { fill: none; stroke: currentColor; stroke-width: 2; }
        svg .bar { fill: currentColor; fill-opacity: .42; stroke: currentColor; stroke-width: 1.3; } svg .band { fill: currentColor; opacity: .2; } svg .whisker { fill: none; stroke: currentColor; stroke-width: 1.4; } svg .bar ~ .whisker { stroke: var(--fg); }
        svg .zone.holds { fill: var(--holds-zone); } svg .zone.refuted { fill: var(--refuted-zone); }
        svg .threshold { stroke-width: 1.6; } svg .threshold.holds { stroke: var(--holds); } svg .threshold.refuted { stroke: var(--refuted); }
        svg .zone-name { font-weight: 600; } svg .zone-name.holds { fill: var(--holds); } svg .zone-name.refuted { fill: var(--refuted); }
        svg .mark { fill: var(--fg); stroke: var(--card); stroke-width: 1.2; } svg .mark.seed { fill: var(--card); stroke: var(--fg); stroke-width: 1.4; } svg .mark.null { fill: var(--void); } svg .mark.beside { fill: var(--quiet); } svg .mark.paper { fill: var(--s0); }
        svg .spread { fill: none; stroke: var(--fg); stroke-width: 1.6; } svg .spread.null { stroke: var(--void); } svg .spread.beside { stroke: var(--quiet); }
        .grid-share { display: inline-block; vertical-align: middle; } .grid-share .full { fill: var(--holds); } .grid-share .empty { fill: none; stroke: var(--quiet); }
        .map { display: block; margin: 0 auto; } .map .box { fill: var(--code); stroke: var(--quiet); stroke-width: 1.2; } .map .file .box { stroke-dasharray: 5 3; fill: none; } .map .title { font-size: 14px; font-weight: 650; }
        .map .edge { fill: none; stroke: var(--quiet); stroke-width: 1.5; } .map .tip { fill: var(--quiet); }

        nav { font-size: .9rem; padding: 1rem 2rem 0; } nav ul { list-style: none; margin: 0; padding: 0; } nav > ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; } nav ul ul { display: none; }
        nav a { color: inherit; text-decoration: none; display: inline-flex; align-items: center; gap: .45rem; padding: .18rem 0; } nav a:hover { text-decoration: underline; }
        @media (min-width: 1240px) {
          body { display: grid; grid-template-columns: minmax(15rem, 1fr) minmax(0, 78rem) minmax(0, 1fr); }
          nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 3rem .5rem 2rem 2rem; justify-self: end; width: 15rem; } nav > ul { display: block; } nav > ul > li { margin-bottom: .35rem; }
          nav ul ul { display: block; margin: .1rem 0 .5rem; font-size: .94em; } nav li li span { color: var(--fg); overflow-wrap: anywhere; }
        }
        @media (min-width: 1900px) { html { font-size: 17.5px; } body { font-size: 1rem; grid-template-columns: minmax(15rem, 1fr) minmax(0, 90rem) minmax(0, 1fr); } main { max-width: 90rem; } }
        @media (max-width: 860px) { .sides { grid-template-columns: minmax(0, 1fr); } }
        @media (max-width: 560px) {
          body { font-size: 15px; } main { padding: 1rem .8rem 2rem; } nav { padding: .8rem .8rem 0; } .card { padding: .95rem .9rem; border-radius: 10px; } h2 { margin: 2.2rem 0 .8rem; }
          .word { display: flex; } h3 .kind { margin-left: 0; width: 100%; } .values th { width: 6.8rem; padding-right: .4rem; } th, td { padding: .32rem .55rem; } svg text { font-size: 13px; } svg .name { font-size: 13px; }
        }
        @media print {
          :root { --ground: #fff; --card: #fff; --shadow: none; } body { display: block; font-size: 10.5pt; } nav { display: none; } main { max-width: none; padding: 0; }
          .card, figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; } .wide { overflow: visible; } pre { white-space: pre-wrap; } * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
        }

        """;
}
