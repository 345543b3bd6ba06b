//! What may be left out of a model: the constraints that people can talk about.

use cutover::text::named;

use crate::portfolio::{Dependency, DependencyKind, Portfolio};

/// One thing that has to be kept; numbers are places in the portfolio's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Constraint {
    Dependency(usize),
    Team(usize),
    Freeze(usize),
    Forbidden(usize, usize),
    NotBefore(usize),
    NotAfter(usize),
    Pilots,
    PerWave,
    CriticalPerWave,
    WindowLength,
    End,
}

impl Constraint {
    /// All of a portfolio, those first that are the least likely to be wrong: what is tried first is left out first.
    pub fn all(portfolio: &Portfolio) -> Vec<Self> {
        let applications = || portfolio.applications.iter().enumerate();
        let teams = (0..portfolio.teams.len()).map(Self::Team);
        let hard = portfolio.dependencies.iter().enumerate();
        let hard = hard.filter(|(_, dependency)| dependency.strength == crate::portfolio::Strength::Hard);
        let mut all: Vec<Self> = vec![Self::PerWave, Self::CriticalPerWave, Self::WindowLength];
        all.extend(teams);
        all.extend((0..portfolio.calendar.freezes.len()).map(Self::Freeze));
        all.extend(portfolio.applications.iter().any(|one| one.pilot).then_some(Self::Pilots));
        all.extend(
            applications()
                .flat_map(|(place, one)| (0..one.forbidden.len()).map(move |index| Self::Forbidden(place, index))),
        );
        all.extend(applications().filter(|(_, one)| one.not_before.is_some()).map(|(place, _)| Self::NotBefore(place)));
        all.extend(applications().filter(|(_, one)| one.not_after.is_some()).map(|(place, _)| Self::NotAfter(place)));
        all.extend(hard.map(|(place, _)| Self::Dependency(place)));
        all.extend(portfolio.calendar.end.is_some().then_some(Self::End));
        all
    }

    /// In plain words.
    pub fn words(self, portfolio: &Portfolio) -> String {
        let application = |place: usize| named(&portfolio.applications[place].name, 80);
        let limits = &portfolio.limits;
        match self {
            Self::Dependency(place) => dependency(portfolio, place),
            Self::Team(place) => {
                let team = &portfolio.teams[place];
                let kept = portfolio.contingency_percent;
                format!(
                    "team {} has {} person-days a week, of which {kept} % are kept free",
                    named(&team.name, 80),
                    team.days_per_week
                )
            }
            Self::Freeze(place) => {
                let freeze = &portfolio.calendar.freezes[place];
                let whom = if freeze.applications.is_empty() {
                    "nothing moves".to_owned()
                } else {
                    format!("{} do not move", list(&freeze.applications))
                };
                format!(
                    "{whom} from {} to {} (freeze {})",
                    freeze.from,
                    freeze.to,
                    cutover::text::quoted(&freeze.name, 80)
                )
            }
            Self::Forbidden(place, index) => {
                let period = &portfolio.applications[place].forbidden[index];
                format!("{} must not move from {} to {}", application(place), period.from, period.to)
            }
            Self::NotBefore(place) => format!(
                "{} moves on {} at the earliest",
                application(place),
                portfolio.applications[place].not_before.as_deref().unwrap_or_default()
            ),
            Self::NotAfter(place) => format!(
                "{} moves on {} at the latest",
                application(place),
                portfolio.applications[place].not_after.as_deref().unwrap_or_default()
            ),
            Self::Pilots => "pilots move before all others, on an earlier day".to_owned(),
            Self::PerWave => format!("a wave has {} applications at the most", limits.applications_per_wave),
            Self::CriticalPerWave => {
                format!("a wave has {} critical applications at the most", limits.critical_per_wave)
            }
            Self::WindowLength => {
                let kept = portfolio.contingency_percent;
                format!(
                    "a wave's cutovers, {} at a time, fit into its window, of which {kept} % are kept free",
                    limits.parallel_cutovers
                )
            }
            Self::End => format!("the programme ends by {}", portfolio.calendar.end.as_deref().unwrap_or_default()),
        }
    }
}

fn dependency(portfolio: &Portfolio, place: usize) -> String {
    let one = &portfolio.dependencies[place];
    let (first, then) = (named(&one.first, 80), named(&one.then, 80));
    let days = one.days.unwrap_or_default();
    match one.kind {
        DependencyKind::Before => format!("{then} moves after {first}"),
        DependencyKind::Together => format!("{first} and {then} move together"),
        DependencyKind::NotBeforeDays => format!("{then} moves no earlier than {days} days after {first}"),
        DependencyKind::WithinDays => format!("{then} follows {first} within {days} days"),
    }
}

fn list(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(3).map(|name| named(name, 80)).collect();
    if names.len() > 3 {
        shown.push(format!("{} more", names.len() - 3));
    }
    shown.join(", ")
}

impl Constraint {
    /// The applications that it names, as places.
    pub fn applications(self, portfolio: &Portfolio) -> Vec<usize> {
        match self {
            Self::Forbidden(place, _) | Self::NotBefore(place) | Self::NotAfter(place) => vec![place],
            Self::Dependency(place) => {
                let Dependency { first, then, .. } = &portfolio.dependencies[place];
                let is_named = |name: &String| name == first || name == then;
                (0..portfolio.applications.len())
                    .filter(|place| is_named(&portfolio.applications[*place].name))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// Where it stands in the portfolio.
    pub fn path(self) -> String {
        match self {
            Self::Dependency(place) => format!("$.dependencies[{place}]"),
            Self::Team(place) => format!("$.teams[{place}].days_per_week"),
            Self::Freeze(place) => format!("$.calendar.freezes[{place}]"),
            Self::Forbidden(place, index) => format!("$.applications[{place}].forbidden[{index}]"),
            Self::NotBefore(place) => format!("$.applications[{place}].not_before"),
            Self::NotAfter(place) => format!("$.applications[{place}].not_after"),
            Self::Pilots => "$.applications[*].pilot".to_owned(),
            Self::PerWave => "$.limits.applications_per_wave".to_owned(),
            Self::CriticalPerWave => "$.limits.critical_per_wave".to_owned(),
            Self::WindowLength => "$.calendar.windows".to_owned(),
            Self::End => "$.calendar.end".to_owned(),
        }
    }
}
