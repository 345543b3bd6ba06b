//! What would mend a probe that did not pass: pure. How far it came says who can do something about it.

use serde::{Deserialize, Serialize};

use crate::plan::Probe;

/// What would mend a probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// The new side has to answer otherwise.
    #[default]
    Answer,
    /// The URL has to be another one.
    Url,
    /// Its name has to lead somewhere.
    Name,
    /// The stack has to let probes to that private network.
    Network,
    /// The way there has to be open.
    Way,
    /// The certificate, or how TLS is spoken there, has to be another.
    Tls,
    /// The port has to speak as the URL says.
    Protocol,
}

impl Remedy {
    /// What to do, for a person.
    pub fn fix(self, probe: &Probe) -> String {
        match self {
            Self::Answer => {
                format!("the new side must answer {}, {} times in a row", probe.expect_status, probe.successes)
            }
            Self::Url => "give the URL of the new side itself, at an address that probes may connect to: a public one, or a \
                          private one of the stack's probeNetworks"
                .to_owned(),
            Self::Name => "correct the name in the URL, or give an address in it and the name in `host`; a private name is found \
                           only where the stack names a `probeVpc`"
                .to_owned(),
            Self::Network => "have the stack's owner list that network in `probeNetworks`, with a way there by `probeVpc`; or probe \
                              the new side at a public address"
                .to_owned(),
            Self::Way => "let the new side listen on that port, and its security group let the probe in; to a private address the \
                          stack needs a `probeVpc`"
                .to_owned(),
            Self::Tls => "give the new side a certificate for the name that it is asked for; or name in `host` the one that it has, \
                          or in `certificate` who may have issued it"
                .to_owned(),
            Self::Protocol => "correct the URL's scheme and port, or what listens there: it must answer by HTTP/1.1".to_owned(),
        }
    }
}

/// Why a probe came to no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// What went wrong, for a person.
    pub words: String,
    /// What would mend it.
    pub remedy: Remedy,
}

impl Remedy {
    /// Says of what went wrong what would mend it.
    pub(super) fn of(self) -> impl Fn(String) -> Failure {
        move |words| Failure { words, remedy: self }
    }
}
