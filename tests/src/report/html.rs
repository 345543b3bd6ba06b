//! What the pages of rehearsals and of faults share: one file each, with nothing to load, readable on a phone.
//!
//! Contract: pure.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Where a page comes from: what makes it possible to make it again.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// The checkout's commit; empty where there is none.
    pub commit: String,
    /// The command.
    pub command: String,
}

/// A whole page.
pub fn document(title: &str, origin: &Origin, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (title) }
                    (body)
                    footer {
                        p {
                            "Made " (origin.made_at)
                            @if !origin.commit.is_empty() { " at commit " code { (origin.commit) } }
                            " by"
                        }
                        pre { (origin.command) }
                    }
                }
            }
        }
    }
    .into_string()
}

const STYLE: &str = "
:root { color-scheme: light; --ink: #1b1f24; --dim: #5b6570; --line: #d9dee3; --good: #1a7f37; --note: #9a6700; --bad: #b42318 }
* { box-sizing: border-box }
body { margin: 0; color: var(--ink); background: #fff; font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif }
main { max-width: 1120px; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.5rem; margin: .5rem 0 1rem; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; overflow-wrap: anywhere } th[scope=row] { width: 9rem; font-weight: 400; color: var(--dim) }
.banner { border-left: 6px solid var(--dim); background: #f6f8fa; padding: .8rem 1rem; margin: 0 0 1rem; overflow-wrap: anywhere }
.banner strong { font-size: 1.15rem }
.banner.good { border-color: var(--good) } .banner.note { border-color: var(--note) } .banner.bad { border-color: var(--bad) }
.good strong, td.good, span.good { color: var(--good) } .note strong, td.note, span.note { color: var(--note) }
.bad strong, td.bad, span.bad { color: var(--bad) }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .8rem; margin: 0 }
.facts div { border: 1px solid var(--line); border-radius: 6px; padding: .5rem .8rem }
.facts dt { color: var(--dim); font-size: .85rem } .facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: 1rem }
figure { margin: 0 } figcaption { font-weight: 600; margin-bottom: .2rem; overflow-wrap: anywhere } svg { width: 100%; height: auto; display: block }
.legend { color: var(--dim); font-size: .85rem; margin: .2rem 0 0 } .legend span { display: inline-block; margin-right: 1.2em } .legend i { display: inline-block; width: 1em; height: .25em; margin: 0 .4em .2em 0 }
.scroll { overflow-x: auto } .plots + .scroll { margin-top: 1rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
td, th { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; overflow-wrap: break-word }
pre, code { font: 13px/1.45 ui-monospace, 'SF Mono', Menlo, Consolas, monospace } pre { overflow-x: auto; background: #f6f8fa; padding: .6rem .8rem; margin: .3rem 0 }
code { overflow-wrap: anywhere }
details { border-top: 1px solid var(--line); padding: .4rem 0 } summary { cursor: pointer }
footer { margin-top: 2.5rem; color: var(--dim); font-size: .85rem }
.grid td, .grid th { padding: .2rem .35rem; text-align: center; font-variant-numeric: tabular-nums } .pair { white-space: nowrap } .grid th.row { position: sticky; left: 0; background: #fff; text-align: left; white-space: nowrap; font-weight: 400 }
.N { background: #dafbe1 } .B { background: #ddf4ff } .S { background: #fff1c5 } .X { background: #b42318; color: #fff; font-weight: 700 } .M { color: var(--dim) }
@media (max-width: 640px) { body { font-size: 15px } main { padding: .75rem } td, th { padding: .3rem .35rem } td { overflow-wrap: anywhere; min-width: 4.5rem } .grid td { min-width: 0 } }
@media print { details { display: block } }
";
