//! The page around the chart: self-contained, light and dark, for screens from a telephone's to a wall's.

/// A text within HTML or SVG.
pub(super) fn escaped(text: &str) -> String {
    cutover::text::escaped(text, 400)
}

/// A page. Nothing is loaded from anywhere, and no script runs.
pub(super) fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

const STYLE: &str = "
:root { color-scheme: light dark; --ground: #ffffff; --text: #1c2530; --quiet: #5b6875; --line: #d9dfe5; --band: #f3f5f8; --freeze: #cfe3f5; --own-freeze: #7fb0dc;
  --prepare: #c3cad3; --move: #2d6cdf; --task: #6b7684; --critical: #c2410c; --full: #c2410c; --load: #2d6cdf; }
@media (prefers-color-scheme: dark) { :root { --ground: #12171d; --text: #e6ebf0; --quiet: #9aa7b4; --line: #2c3641; --band: #1a212a; --freeze: #1f3a55; --own-freeze: #38668f;
  --prepare: #3c4855; --move: #6ea2ff; --task: #94a1af; --critical: #fb8a4f; --full: #fb8a4f; --load: #6ea2ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1400px; margin: 0 auto; padding: 20px 16px 40px; }
h1 { font-size: 1.5rem; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 28px 0 8px; }
p { margin: 4px 0; max-width: 75ch; }
.facts { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 12px 0; padding: 0; list-style: none; }
.facts b { display: block; font-size: 1.3rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.facts span { color: var(--quiet); font-size: .85rem; }
.key { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: .85rem; color: var(--quiet); margin: 4px 0 8px; }
.key i { display: inline-block; width: 14px; height: 10px; border-radius: 2px; margin-right: 5px; }
.scroll { display: flex; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
svg { display: block; flex: none; font: 12px system-ui, sans-serif; }
svg text { fill: var(--text); } svg .quiet { fill: var(--quiet); }
svg .line { stroke: var(--line); } svg .band { fill: var(--band); } svg .freeze { fill: var(--freeze); } svg .own-freeze { fill: var(--own-freeze); }
svg .prepare { fill: var(--prepare); } svg .move { fill: var(--move); } svg .before { fill: none; stroke: var(--quiet); stroke-dasharray: 3 2; } svg .task { fill: var(--task); } svg .critical { fill: var(--critical); } svg .load { fill: var(--load); } svg .full { fill: var(--full); }
svg .wave { stroke: var(--move); stroke-dasharray: 2 3; } svg .limit { stroke: var(--quiet); }.names { position: sticky; left: 0; background: var(--ground); border-right: 1px solid var(--line); }
svg .strong { font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th { text-align: left; color: var(--quiet); font-weight: 600; } th, td { padding: 5px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
td.nowrap { white-space: nowrap; }
@media (max-width: 600px) { table, tbody, tr, td { display: block; } thead { display: none; } tr { padding: 8px 0; border-bottom: 1px solid var(--line); } td { border: 0; padding: 1px 10px; }
  td::before { content: attr(data-is) ': '; color: var(--quiet); } td.name::before { content: ''; } td.name { font-weight: 600; } }
";
