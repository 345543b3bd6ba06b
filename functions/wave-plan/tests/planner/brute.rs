//! Small projects, and the truth about them by trying everything.

use std::sync::Arc;

use wave_plan::solve::{Activity, Cutover, Day, Days, Lag, Project, Use, Windows};

/// The least end of all schedules; nothing where there is none.
pub fn least_end(project: &Project) -> Option<Day> {
    let mut starts = vec![0; project.activities.len()];
    let mut best = None;
    try_all(project, &mut starts, 0, &mut best);
    best
}

fn try_all(project: &Project, starts: &mut Vec<Day>, place: usize, best: &mut Option<Day>) {
    if place == starts.len() {
        if project.is_kept_by(starts) {
            let end = project.end(starts);
            *best = Some(best.map_or(end, |best| best.min(end)));
        }
        return;
    }
    for day in 0..project.horizon {
        starts[place] = day;
        let placed = |lag: &&Lag| lag.from <= place && lag.to <= place;
        if project.lags.iter().filter(placed).all(|lag| starts[lag.to] >= starts[lag.from] + lag.days) {
            try_all(project, starts, place + 1, best);
        }
    }
}

/// A project from numbers that look random: lags both ways, calendars, capacities that change, windows.
pub fn project(seed: u64) -> Project {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let mut below = |bound: i32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % bound as u64) as i32
    };
    let (count, horizon) = (4 + below(2), 9 + below(3));
    let capacities: Vec<Vec<i32>> = (0..2).map(|_| (0..horizon).map(|_| 3 + below(3) / 2).collect()).collect();
    let mut activities: Vec<Activity> = Vec::new();
    for _ in 0..count {
        let duration = 1 + below(3);
        let mut uses = vec![Use { resource: 0, offset: 0, length: duration, amount: below(4) }];
        if below(2) == 0 {
            uses.push(Use { resource: 1, offset: -1, length: 1, amount: 1 + below(3) });
        }
        let open: Vec<bool> = (0..horizon).map(|_| below(3) > 0).collect();
        let days = (below(3) == 0).then(|| Arc::new(Days::new(&open)));
        activities.push(Activity { duration, uses, days });
    }
    let mut lags = Vec::new();
    for _ in 0..count {
        let (from, to) = (below(count) as usize, below(count) as usize);
        if from < to {
            lags.push(Lag { from, to, days: below(4) });
            if below(2) == 0 {
                lags.push(Lag { from: to, to: from, days: -(1 + below(4)) });
            }
        }
    }
    let windows = (below(2) == 0).then(|| Windows {
        shorter: vec![vec![(horizon / 2, 60)], vec![], vec![(3, 0), (4, 90)]],
        minutes: (0..horizon).map(|_| 60 + 60 * below(3)).collect(),
        lanes: 2,
        cutovers: (0..count as usize)
            .map(|place| Cutover {
                minutes: 30 + 30 * below(3),
                needs: if place > 0 && below(2) == 0 { vec![place - 1] } else { vec![] },
            })
            .collect(),
        of_activity: (0..count as usize).map(|place| vec![place]).collect(),
    });
    Project { activities, lags, capacities, windows, horizon }
}
