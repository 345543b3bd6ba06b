//! The journal: the durable record of every run, in one DynamoDB table.
//!
//! | item | `pk` | holds |
//! |---|---|---|
//! | run | `run#<run_id>` | plan, before-images, phase, owner, marks, what its tests have counted, ending |
//! | part | `part#<run_id>#<attribute>` | an attribute of a run that its own item has no room for |
//! | lock | `lock#application#<name>`, `lock#listener#<arn>`, `lock#record#<zone>#<name>` | `run_id` of its holder |
//! | told | `told#<run_id>#<event>#<time>` | who was told of a moment, and what came of it; for 90 days |
//! | undelivered | `undelivered#<run_id>` | the run's messages that were not delivered, and why; for 90 days after its last change |
//! | incident | `incident#<id>` | an incident, and who was told of it; for a year after its last change |
//! | wave | `wave#<name>` | how a wave stands; for 400 days after its last change |
//! | part of a wave | `wave-part#<wave>#<part>` | its order, or an application's cutover plan; as long |
//! | ask | `ask#<question>` | what people were asked, hashes of the links to it, who answered; for a week after its time |
//! | line | `line` | whether the line is stopped, by whom and why, and the exceptions; versioned, kept for good |
//! | share | `share#route53` | the slots that the runs of waves have taken of Route 53's limit; versioned, kept for good |
//! | programme | `programme#<name>` | which programme of a portfolio is in force, and which execution made it so |
//! | timeline | `timeline#<wave>` | what was told before and after a wave, and what people say is done; for 400 days after its last change |
//! | turn | `sweep#turn` | the run at which the sweep's last look stopped |
//!
//! An item has 400 KB (DynamoDB quotas). The parts of a run have budgets (`cutover::budget`) and fit into that; a run item that
//! is full all the same, since another version wrote it, gets room before it is written (`room`). A run's item names the parts
//! that stand beside it, and reading a run reads them too. They are kept as long as the run's item.
//!
//! A run item carries the attribute `open` while somebody owes it an ending; the sparse index `open-runs` finds those. So does the
//! item of a wave, a timeline or an incident that an execution follows.
//! Every change of phase is a conditional write: whoever loses the condition stops. Every read is consistent, but for
//! the index.

mod asked;
mod counted;
mod followed;
mod incidents;
mod item;
mod line;
mod locks;
mod marks;
mod open;
mod pace;
mod past;
mod phase;
mod programmes;
mod release;
mod room;
mod share;
mod table;
mod timelines;
mod told;
mod versioned;
mod waves;

pub use asked::Asked;
pub use followed::{Follow, Followed};
pub use item::{Ending, Run, kept};
pub use locks::{Standing, keys as lock_keys};
pub use open::OpenRun;
pub use past::PastRun;
pub use phase::Phase;
pub use release::{Owed, Released};
pub use table::{Claim, Journal, Transition};
pub use waves::RunSeen;
