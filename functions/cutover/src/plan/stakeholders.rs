//! Who hears of a run: groups of people, each in its words, its time zone and by its channels. The same type stands in a plan
//! and in the stack's configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern;

/// Which groups hear of this run, beside the topic of `notify`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Stakeholders {
    /// The names of those of the stack's groups that hear of it. Left out: all of them.
    #[schemars(length(max = 50))]
    pub of_stack: Option<Vec<String>>,
    /// Groups of this plan alone.
    #[schemars(length(max = 50))]
    pub groups: Vec<Group>,
}

/// People who are told the same things in the same words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Group {
    /// Its name: 1 to 64 of `A-Z a-z 0-9 - _`. `executives`, `business-users` and `technical-teams` have formats of their own.
    #[schemars(regex(pattern = pattern::APPLICATION))]
    pub name: String,
    /// In which words it is told. Left out: `summary` for `executives`, `technical` for `technical-teams`, `detailed` for all others.
    #[serde(default)]
    pub format: Option<Format>,
    /// The time zone of its dates, by its IANA name, such as `Europe/Berlin`.
    #[serde(default = "utc")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: String,
    /// The language of its dates.
    #[serde(default)]
    pub language: Language,
    /// How it is reached.
    #[schemars(length(min = 1, max = 10))]
    pub channels: Vec<Channel>,
    /// What it hears of. Left out: what those of its format want to know.
    #[serde(default)]
    pub moments: Option<Vec<Moment>>,
    /// Who responds to incidents: 1 is called first, and each next level when nobody of those before has said that they look after it. 0: nobody of
    /// this group. Left out: 1 for `technical`, 0 for all others, who hear of severe ones and need not do anything.
    #[serde(default)]
    #[schemars(range(max = 4))]
    pub responds: Option<u8>,
    /// Whether what it is told has a link that answers, where somebody has to agree or decide, and the stack answers by a page. Whoever
    /// gets such a message can answer.
    #[serde(default)]
    pub may_answer: bool,
}

impl Group {
    /// In which words it is told.
    pub fn format(&self) -> Format {
        self.format.unwrap_or(match self.name.as_str() {
            "executives" => Format::Summary,
            "technical-teams" => Format::Technical,
            _ => Format::Detailed,
        })
    }

    /// The level at which it responds to incidents; none if it does not.
    pub fn level(&self) -> Option<u8> {
        let usual = u8::from(self.format() == Format::Technical);
        Some(self.responds.unwrap_or(usual)).filter(|level| *level > 0)
    }

    /// Whether it hears of such a moment.
    pub fn hears(&self, moment: Moment) -> bool {
        match &self.moments {
            Some(moments) => moments.contains(&moment),
            None => self.format().moments().contains(&moment),
        }
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

/// In which words people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A few lines: what came of it. For executives.
    Summary,
    /// As of a maintenance: scheduled, in progress, verifying, completed. For those who use the application.
    Detailed,
    /// With routes, weights, reasons and commands. For engineers.
    Technical,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Summary, Self::Detailed, Self::Technical];

    /// What people of this format hear of, where their group does not say.
    pub fn moments(self) -> &'static [Moment] {
        use Moment::{
            CleanupDone, Digest, Incident, RolledBack, Started, Stuck, Succeeded, Timeline, Trouble, Verifying, Wave,
        };
        match self {
            Self::Summary => &[Started, Succeeded, RolledBack, Stuck, Incident, Wave, Timeline, Digest],
            Self::Detailed => &[
                Started,
                Verifying,
                Succeeded,
                RolledBack,
                Stuck,
                Trouble,
                CleanupDone,
                Incident,
                Wave,
                Timeline,
                Digest,
            ],
            Self::Technical => &Moment::ALL,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Detailed => "detailed",
            Self::Technical => "technical",
        }
    }
}

/// The language of dates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English: `26 November 2026, 22:40`.
    #[default]
    En,
    /// German: `26. November 2026, 22:40`.
    De,
    /// French: `26 novembre 2026, 22:40`.
    Fr,
    /// Spanish: `26 de noviembre de 2026, 22:40`.
    Es,
    /// Italian: `26 novembre 2026, 22:40`.
    It,
    /// Portuguese: `26 de novembro de 2026, 22:40`.
    Pt,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::En, Self::De, Self::Fr, Self::Es, Self::It, Self::Pt];
}

/// A way to reach a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Channel {
    /// A standard SNS topic, in plain text.
    Sns(TopicChannel),
    /// Mail by SES, as text and HTML, from the stack's sender.
    Mail(MailChannel),
    /// A web address that takes JSON.
    Webhook(WebhookChannel),
    /// A standard SNS topic that Amazon Q Developer in chat applications reads.
    Chat(TopicChannel),
}

impl Channel {
    /// What kind it is, for records and people.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sns(_) => "sns",
            Self::Mail(_) => "mail",
            Self::Webhook(_) => "webhook",
            Self::Chat(_) => "chat",
        }
    }
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TopicChannel {
    /// The topic's ARN: of this account, and standard.
    #[schemars(regex(pattern = pattern::TOPIC_ARN))]
    pub topic_arn: String,
}

/// Mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MailChannel {
    /// Whom it goes to: an address each, without a name. SES takes 50 at the most.
    #[schemars(length(min = 1, max = 50), inner(regex(pattern = pattern::MAIL_ADDRESS)))]
    pub to: Vec<String>,
}

/// A web address that nobody sees: it lets whoever has it write to the channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WebhookChannel {
    /// The secret of Secrets Manager whose text is the address, and nothing else.
    #[schemars(regex(pattern = pattern::SECRET_ARN))]
    pub secret_arn: String,
    /// What is sent there.
    #[serde(default)]
    pub form: WebhookForm,
}

/// The body of a webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookForm {
    /// Plain JSON, with `dedup_key` and `event_action` as incident tools take them.
    #[default]
    Json,
    /// Slack's blocks.
    Slack,
    /// An adaptive card, as workflows of Microsoft Teams take it.
    Teams,
}

/// What can be told of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Somebody has to agree before anything is touched, or after the load test.
    ApprovalWanted,
    /// It ended before anything was touched.
    NotStarted,
    /// It has begun.
    Started,
    /// The new side has got a larger share.
    StepReached,
    /// The new side has got its whole share, and is being verified.
    Verifying,
    /// A check failed, and a person has to say whether it goes on or back.
    Holding,
    /// There was too little data to go on by, and a person has to say whether it goes on or back.
    TooLittleData,
    /// All traffic is on the new side.
    Succeeded,
    /// Everything is as it was before.
    RolledBack,
    /// Work is left that only a person can do.
    Stuck,
    /// The new side is in trouble, or traffic was changed, after all had moved.
    Trouble,
    /// The old side is gone, or the run was closed.
    CleanupDone,
    /// An incident has begun, has changed, needs somebody, or is over.
    Incident,
    /// A wave is announced, has begun, stands still, goes on, or is over.
    Wave,
    /// Somebody has to let a wave go, or it has done a stage.
    WaveProgress,
    /// What comes before and after a wave: milestones with their checklists, what its prechecks find, and how it gets on.
    Timeline,
    /// What a programme has done and what comes: weekly in the words of executives, daily in those of engineers.
    Digest,
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::ApprovalWanted,
        Self::NotStarted,
        Self::Started,
        Self::StepReached,
        Self::Verifying,
        Self::Holding,
        Self::TooLittleData,
        Self::Succeeded,
        Self::RolledBack,
        Self::Stuck,
        Self::Trouble,
        Self::CleanupDone,
        Self::Incident,
        Self::Wave,
        Self::WaveProgress,
        Self::Timeline,
        Self::Digest,
    ];

    /// Its name, as plans have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ApprovalWanted => "approval_wanted",
            Self::NotStarted => "not_started",
            Self::Started => "started",
            Self::StepReached => "step_reached",
            Self::Verifying => "verifying",
            Self::Holding => "holding",
            Self::TooLittleData => "too_little_data",
            Self::Succeeded => "succeeded",
            Self::RolledBack => "rolled_back",
            Self::Stuck => "stuck",
            Self::Trouble => "trouble",
            Self::CleanupDone => "cleanup_done",
            Self::Incident => "incident",
            Self::Wave => "wave",
            Self::WaveProgress => "wave_progress",
            Self::Timeline => "timeline",
            Self::Digest => "digest",
        }
    }
}
