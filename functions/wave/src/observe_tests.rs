use super::*;

#[test]
fn each_phase_of_a_run_is_seen_as_what_it_means() {
    let run = |phase: Phase, ending: Option<&str>| {
        of_run(&RunSeen { phase, ending: ending.map(str::to_owned), why: Some("late".to_owned()) })
    };
    for phase in [Phase::Claimed, Phase::Forward] {
        assert_eq!(run(phase, None), Sight::Claimed);
    }
    for phase in [Phase::Finished, Phase::Cleaning, Phase::Closed] {
        assert_eq!(run(phase, Some("Succeeded")), Sight::Moved);
    }
    assert_eq!(run(Phase::RollingBack, None), Sight::RollingBack);
    assert_eq!(run(Phase::RolledBack, Some("RolledBack")), Sight::Back { why: Some("late".to_owned()) });
    assert!(matches!(run(Phase::Stuck, Some("Held")), Sight::Stuck { why } if why.starts_with("Held")));
    assert!(matches!(run(Phase::Closed, Some("Released")), Sight::Stuck { .. }));
}
