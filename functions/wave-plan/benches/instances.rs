//! The planner's core on public instances with known answers: `cargo bench -p wave-plan --bench instances -- FOLDER`.
//!
//! Portfolios of 25 and of 1,000 applications, made from a seed, are timed with it; without a folder they are all.
//!
//! The folder has one folder for each set: `j30` (PSPLIB, `.sm`), `sm_j10` and `ubo10` (ProGen/max, `.SCH`), each with its `optimum.csv`.

mod portfolios;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use wave_plan::solve::{Activity, Day, Effort, Lag, Project, Solution, Use, solve};
use wave_plan::{Request, plan, report};

fn main() -> io::Result<()> {
    time_portfolios();
    let Some(folder) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) else {
        println!("give the folder of the instances: cargo bench -p wave-plan --bench instances -- FOLDER");
        return Ok(());
    };
    println!("| set | engine | instances | decided rightly | proved | mean gap | worst gap | mean time | longest |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for set in ["j30", "sm_j10", "ubo10"] {
        let path = Path::new(&folder).join(set);
        if path.is_dir() {
            let instances = Instance::of_set(&path)?;
            measure(set, "search alone", &instances, Effort { schedules: 4_000, decisions: 0, seed: 1 });
            measure(set, "both", &instances, Effort { schedules: 4_000, decisions: 10_000_000, seed: 1 });
        }
    }
    Ok(())
}

/// What this thread has computed so far: on a machine that others use too, time on a clock says little. Linux alone tells.
fn processor_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

/// From a portfolio that is read to a programme with all its reasons.
fn time_portfolios() {
    println!("| applications | dependencies | portfolios | planned | gap, mean | mean time | longest |");
    println!("|---|---|---|---|---|---|---|");
    for (applications, dependencies, count) in [(25, 30, 20), (100, 250, 5), (200, 500, 5), (1_000, 3_000, 5)] {
        let (mut times, mut gaps) = (Vec::new(), Vec::new());
        for seed in 0..count {
            let portfolio = portfolios::portfolio(applications, dependencies, seed);
            let (began, began_work) = (Instant::now(), processor_time());
            let programme = plan(&portfolio, &Request::default(), &mut || began.elapsed() > Duration::from_secs(60));
            times.push(processor_time().zip(began_work).map_or(began.elapsed(), |(now, before)| now - before));
            match programme {
                Ok(programme) => gaps.push(programme.quality.gap_percent),
                Err(refusal) => println!(
                    "  seed {seed}: {}",
                    report::refusal(&refusal).lines().take(8).collect::<Vec<_>>().join(" ")
                ),
            }
        }
        let mean = times.iter().sum::<Duration>() / count as u32;
        let gap = gaps.iter().sum::<f64>() / gaps.len().max(1) as f64;
        let longest = times.iter().max().copied().unwrap_or_default();
        println!(
            "| {applications} | {dependencies} | {count} | {} | {gap:.1} % | {mean:.1?} | {longest:.1?} |",
            gaps.len()
        );
    }
    println!();
}

struct Instance {
    name: String,
    project: Project,
    /// The least end that is known, or nothing where there is no schedule.
    optimum: Option<Day>,
}

impl Instance {
    fn of_set(folder: &Path) -> io::Result<Vec<Self>> {
        let answers = fs::read_to_string(folder.join("optimum.csv"))?;
        let answers: BTreeMap<String, String> = answers
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(','))
            .map(|(name, answer)| (name.to_lowercase(), answer.trim().to_owned()))
            .collect();
        let mut paths: Vec<PathBuf> = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        let mut instances = Vec::new();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            let Some(answer) = answers.get(&name) else { continue };
            let text = fs::read_to_string(&path)?;
            let project = if name.ends_with(".sm") { read_sm(&text) } else { read_sch(&text) };
            // Of bounds `a..b` the upper one is a schedule that is known.
            let optimum = answer.rsplit("..").next().and_then(|end| end.parse().ok());
            instances.push(Self { name, project, optimum });
        }
        Ok(instances)
    }
}

fn measure(set: &str, engine: &str, instances: &[Instance], effort: Effort) {
    let (mut right, mut proved, mut gaps, mut times) = (0, 0, Vec::new(), Vec::new());
    for Instance { name, project, optimum } in instances {
        let (began, began_work) = (Instant::now(), processor_time());
        let solution = solve(project, effort, &mut || began.elapsed() > Duration::from_secs(2));
        times.push(processor_time().zip(began_work).map_or(began.elapsed(), |(now, before)| now - before));
        proved += usize::from(solution.is_proved);
        right += usize::from(is_right(name, project, &solution, *optimum, effort.decisions > 0));
        if let (Some(starts), Some(optimum)) = (&solution.starts, optimum) {
            gaps.push(f64::from(project.end(starts) - optimum) / f64::from(*optimum) * 100.0);
        }
    }
    let count = instances.len();
    let mean = gaps.iter().sum::<f64>() / gaps.len().max(1) as f64;
    let worst = gaps.iter().copied().fold(0.0, f64::max);
    let mean_time = times.iter().sum::<Duration>() / count.max(1) as u32;
    let longest = times.iter().max().copied().unwrap_or_default();
    println!(
        "| {set} | {engine} | {count} | {right} | {proved} | {mean:.2} % | {worst:.1} % | {mean_time:.1?} | {longest:.1?} |"
    );
}

/// Whether there is a schedule exactly where there is one, it keeps everything, and nothing is claimed that is not so.
fn is_right(name: &str, project: &Project, solution: &Solution, optimum: Option<Day>, is_told: bool) -> bool {
    let is_right = match (&solution.starts, optimum) {
        (Some(starts), Some(optimum)) => {
            let end = project.end(starts);
            project.is_kept_by(starts)
                && end >= optimum
                && (!solution.is_proved || end == optimum)
                && solution.bound <= optimum
        }
        (None, None) => solution.is_proved,
        (Some(_), None) | (None, Some(_)) => false,
    };
    if !is_right && is_told {
        let end = solution.starts.as_ref().map(|starts| project.end(starts));
        println!(
            "  {name}: {end:?} where {optimum:?} is known, bound {}, proved: {}",
            solution.bound, solution.is_proved
        );
    }
    is_right
}

/// PSPLIB's form: sections under headings of capitals.
fn read_sm(text: &str) -> Project {
    let section =
        |heading: &'static str| text.lines().skip_while(move |line| !line.starts_with(heading)).skip(1).map(numbers);
    let successors: Vec<Vec<i32>> = section("PRECEDENCE").filter(|row| row.len() > 2).collect();
    let count = section("PRECEDENCE").skip(1).take_while(|row| row.len() > 2).count();
    let rows: Vec<Vec<i32>> = section("REQUESTS").skip(1).filter(|row| row.len() > 3).take(count).collect();
    let capacities = section("RESOURCEAVAILABILITIES").nth(1).unwrap_or_default();
    let lags = successors[..count].iter().flat_map(|row| {
        let from = row[0] as usize - 1;
        row[3..].iter().map(move |to| (from, *to as usize - 1))
    });
    let lags = lags.map(|(from, to)| Lag { from, to, days: rows[from][2] }).collect();
    project(rows.iter().map(|row| (row[2], &row[3..])), lags, &capacities)
}

/// ProGen/max's form: a block of lags, a block of requests, the capacities; lags stand in brackets.
fn read_sch(text: &str) -> Project {
    let lines: Vec<Vec<i32>> = text.lines().map(numbers).filter(|row| !row.is_empty()).collect();
    let count = lines[0][0] as usize + 2;
    let mut lags = Vec::new();
    for row in &lines[1..=count] {
        let arcs = row[2] as usize;
        for arc in 0..arcs {
            lags.push(Lag { from: row[0] as usize, to: row[3 + arc] as usize, days: row[3 + arcs + arc] });
        }
    }
    project(lines[count + 1..=2 * count].iter().map(|row| (row[2], &row[3..])), lags, &lines[2 * count + 1])
}

fn numbers(line: &str) -> Vec<i32> {
    line.split(|c: char| c.is_whitespace() || c == '[' || c == ']').filter_map(|word| word.parse().ok()).collect()
}

fn project<'a>(rows: impl Iterator<Item = (Day, &'a [i32])>, lags: Vec<Lag>, capacities: &[i32]) -> Project {
    let of_row = |(duration, requests): (Day, &[i32])| Activity {
        duration,
        uses: requests
            .iter()
            .enumerate()
            .filter(|(_, amount)| **amount > 0 && duration > 0)
            .map(|(resource, amount)| Use { resource, offset: 0, length: duration, amount: *amount })
            .collect(),
        days: None,
    };
    let activities: Vec<Activity> = rows.map(of_row).collect();
    // Whatever the order, it has ended by then, if it can be kept at all.
    let longest_after =
        |from: usize| lags.iter().filter(|lag| lag.from == from).map(|lag| lag.days).max().unwrap_or_default();
    let horizon: Day =
        activities.iter().enumerate().map(|(place, activity)| activity.duration.max(longest_after(place))).sum();
    let capacities = capacities.iter().map(|capacity| vec![*capacity; horizon as usize]).collect();
    Project { activities, lags, capacities, windows: None, horizon }
}
