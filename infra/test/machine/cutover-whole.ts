/** The whole of a cutover: what is called, in which order, with what, and how long is waited in between. */
import { cutover } from './cutover';
import { type Fact, went } from './fact';

export const facts: Fact[] = [
  {
    name: 'a cutover does everything in its order, waits as long as each answer says, and hands on what was said last',
    holds: async (definition) =>
      went(
        await cutover(definition),
        `
        Precheck Precheck {plan: INPUT, tries: null}
        PrecheckWait 2 s
        Precheck Precheck {plan: INPUT, tries: TRIES-1}
        AwaitApproval within 3600 s Notify {topic_arn: approvers, application: shop, event: approval, task_token: TOKEN, plan: PLAN, detail: {findings: FINDINGS, steps: STEPS, within_seconds: 3600}}
        Claim Claim {action: claim, plan: PLAN, before: BEFORE, approval: {by: a person, why: agreed, at: after 2 s, plan: null, question: null}}
        ShowRun Dashboard {action: show}
        AnnounceStart Notify {topic_arn: everybody, application: shop, event: started, detail: {findings: FINDINGS, steps: STEPS}}
        CheckReplication ReplicationLag {elapsed_seconds: 0, tally: null, mode: gate}
        ReplicationWait 3 s
        CheckReplication ReplicationLag {elapsed_seconds: 3, tally: SEEN-1, mode: gate}
        AllowChanges Claim {action: forward}
        TakeBaseline Baseline {}
        PrepareListener ListenerSwap {route: 0, attempt: 0, change_id: null, action: prepare}
        PrepareWait 5 s
        PrepareListener ListenerSwap {route: 0, attempt: 1, change_id: null, action: prepare}
        PrepareWait 0 s
        PrepareRecords WeightShift {route: 1, attempt: 0, change_id: null, action: prepare}
        PrepareWait 7 s
        PrepareRecords WeightShift {route: 1, attempt: 1, change_id: C1, action: prepare}
        PrepareWait 11 s
        NextLoadTurn LoadTest {action: next, round: 0, turn: 0, lost: }
        SendLoad all at once
        SendSlice within 255 s LoadTest {action: send, slice: SLICE-1}
        SendSlice within 255 s LoadTest {action: send, slice: SLICE-2}
        NextLoadTurn LoadTest {action: next, round: 0, turn: 1, lost: }
        BeforeTrafficHook within 61 s before-1 {run_id: RUN, application: shop, hook: before_traffic}
        BeforeTrafficHook within 65 s before-2 {run_id: RUN, application: shop, hook: before_traffic}
        CheckLine Claim {action: line}
        LineWait 9 s
        CheckLine Claim {action: line}
        RememberQuiesce Claim {action: quiesce}
        QuiesceHook within 62 s stop-1 {run_id: RUN, application: shop, hook: quiesce}
        RememberQuiesce Claim {action: quiesce}
        QuiesceHook within 63 s stop-2 {run_id: RUN, application: shop, hook: quiesce}
        DrainReplication ReplicationLag {elapsed_seconds: 0, tally: null, mode: drain}
        DrainWait 13 s
        DrainReplication ReplicationLag {elapsed_seconds: 13, tally: DRY-1, mode: drain}
        RememberNoReturn Claim {action: no_return}
        SwapListener ListenerSwap {route: 0, attempt: 0, change_id: null, new_weight: 10, action: shift}
        SettleWait 17 s
        SwapListener ListenerSwap {route: 0, attempt: 1, change_id: null, new_weight: 10, action: shift}
        SettleWait 19 s
        AnnounceStep Notify {topic_arn: everybody, application: shop, event: step, detail: {title: first, new_weight: 10, hold_seconds: 100, live: LIVE-2, is_last: false}}
        ShowStep Dashboard {action: show, route: 0, new_weight: 10}
        HoldWait 4 s
        Monitor Monitor {elapsed_seconds: 4, tally: null, route: 0, step: 0, new_weight: 10, decisions: 0, at: ENTERED, hold_seconds: 100}
        HoldWait 60 s
        Monitor Monitor {elapsed_seconds: 64, tally: LOOKS-1, route: 0, step: 0, new_weight: 10, decisions: 0, at: ENTERED, hold_seconds: 100}
        HoldWait 36 s
        Monitor Monitor {elapsed_seconds: 100, tally: LOOKS-2, route: 0, step: 0, new_weight: 10, decisions: 0, at: ENTERED, hold_seconds: 100}
        ShiftWeight WeightShift {route: 1, attempt: 0, change_id: null, new_weight: 100, step: 0, action: shift}
        SettleWait 23 s
        ShiftWeight WeightShift {route: 1, attempt: 1, change_id: C2, new_weight: 100, step: 0, action: shift}
        SettleWait 17 s
        WatchSettling Monitor {elapsed_seconds: 40, tally: null, route: 1, step: 0, new_weight: 100, decisions: 0, at: ENTERED, hold_seconds: 71}
        SettleWait 12 s
        AnnounceStep Notify {topic_arn: everybody, application: shop, event: step, detail: {title: second, new_weight: 100, hold_seconds: 30, live: LIVE-4, is_last: true}}
        ShowStep Dashboard {action: show, route: 1, new_weight: 100}
        HoldWait 28 s
        Monitor Monitor {elapsed_seconds: 28, tally: LOOKS-0, route: 1, step: 0, new_weight: 100, decisions: 0, at: ENTERED, hold_seconds: 30}
        Validate Validate {tries: null}
        ValidateWait 31 s
        Validate Validate {tries: PROBES-1}
        AfterTrafficHook within 64 s after-1 {run_id: RUN, application: shop, hook: after_traffic}
        AfterTrafficHook within 66 s after-2 {run_id: RUN, application: shop, hook: after_traffic}
        SetAlarm Alarms {action: set, index: 0}
        SetAlarm Alarms {action: set, index: 1}
        FinaliseListener ListenerSwap {route: 0, attempt: 0, change_id: null, action: finalise}
        FinaliseWait 37 s
        FinaliseListener ListenerSwap {route: 0, attempt: 1, change_id: null, action: finalise}
        FinaliseWait 0 s
        FinaliseRecords WeightShift {route: 1, attempt: 0, change_id: null, action: finalise}
        FinaliseWait 41 s
        FinaliseRecords WeightShift {route: 1, attempt: 1, change_id: C3, action: finalise}
        FinaliseWait 43 s
        Finish Claim {action: finish, not_done: []}
        WriteReport Report {at: ENTERED}
        AnnounceFinish Notify {topic_arn: everybody, application: shop, event: finished, detail: {timeline: [{route: 0, title: first, new_weight: 10, changed_at: T1, settled_at: after 86 s, held_seconds: 100, ended_at: M3, checks: LOOKS-3}, {route: 1, title: second, new_weight: 100, changed_at: T3, settled_at: after 238 s, held_seconds: 28, ended_at: M4, share_seen_percent: 99.5, checks: LOOKS-4}], cleanup_after_seconds: 600, baseline: [BEFORE], report: LINK, not_done: []}}
        StartCleanup {StateMachineArn: Cleanup, Name: cleanup-ddeaded8ad8e44933f39e672a8886d49, Input: {run_id: RUN}}
        Succeeded {ending: Succeeded, application: shop, run_id: RUN, steps: [{route: 0, title: first, new_weight: 10, changed_at: T1, settled_at: after 86 s, held_seconds: 100, ended_at: M3, checks: LOOKS-3}, {route: 1, title: second, new_weight: 100, changed_at: T3, settled_at: after 238 s, held_seconds: 28, ended_at: M4, share_seen_percent: 99.5, checks: LOOKS-4}], approval: {by: a person, why: agreed, at: after 2 s, plan: null, question: null}, decisions: [], baseline: [BEFORE], dashboard: DASHBOARD, report: LINK, replication: {passed: true, wait_seconds: 0, tally: SEEN-2}, validation: PROBES-2, limits: [LIMIT], alarms: [{set: one}, {set: two}], warnings: FINDINGS, not_done: []}
        `,
      ),
  },
];
