/** A programme: what is asked before anything is scheduled, and that schedules are looked at until they are right. */
import assert from 'node:assert/strict';
import type { Definition } from '../../lib/definitions';
import { type Fact, visited, went } from './fact';
import { Failure, type Script, walk } from './walk';

const APPROVAL = { topic_arn: 'APPROVERS', within: 3600 };
const PLANNED = {
  ...{ portfolio: 'spring', mode: 'schedule', approval: APPROVAL, start_before: 900, timelines: true, version: 3 },
  ...{ from_to: ['FIRST', 'LAST'], waves: 2, slip_days: 0, changes: 1, notes: ['NOTE'] },
};
const RIGHT = {
  done: true,
  wait_seconds: 0,
  made: [],
  moved: [],
  removed: [],
  kept: ['one', 'two'],
  foreign: [],
  over: [],
};
const WRONG = { ...RIGHT, done: false, wait_seconds: 2, made: ['two'], moved: ['one'], removed: ['old'], kept: [] };
const SCRIPT: Script = {
  Plan: [PLANNED],
  Publish: [{ page: 'PAGE', folder: 'FOLDER', runbooks: 4, notes: ['OTHER'] }],
  AwaitApproval: [{ by: 'Ada', why: 'it fits' }],
  Schedule: [WRONG, RIGHT],
};

const program = (definition: Definition, script: Script = {}) =>
  walk(definition, { portfolio: 'PORTFOLIO' }, { ...SCRIPT, ...script });

const unasked = { Plan: [{ ...PLANNED, approval: null }] };

export const facts: Fact[] = [
  {
    name: 'a programme is planned, published, agreed to, and then scheduled until a look finds nothing to change',
    holds: async (definition) => {
      const walked = await program(definition);
      went(
        walked,
        `
        Plan within 135 s Program {execution_arn: RUN, state: Plan, action: plan, input: {portfolio: PORTFOLIO}, at: ENTERED}
        Publish within 135 s Program {execution_arn: RUN, state: Publish, portfolio: spring, action: publish, at: ENTERED}
        AwaitApproval within 3600 s Program {execution_arn: RUN, state: AwaitApproval, portfolio: spring, action: ask, topic_arn: APPROVERS, within: 3600, page: PAGE, task_token: TOKEN}
        Schedule Program {execution_arn: RUN, state: Schedule, portfolio: spring, action: schedule, version: 3, start_before: 900, timelines: true, at: ENTERED}
        ScheduleWait 2 s
        Schedule Program {execution_arn: RUN, state: Schedule, portfolio: spring, action: schedule, version: 3, start_before: 900, timelines: true, at: ENTERED}
        Scheduled {portfolio: spring, from_to: [FIRST, LAST], waves: 2, slip_days: 0, changes: 1, page: PAGE, folder: FOLDER, runbooks: 4, notes: [NOTE, OTHER], agreed: Ada, made: [two], moved: [one], removed: [old], schedules: [one, two], foreign: [], over: []}
        `,
      );
    },
  },
  {
    name: 'a dry run publishes, asks nobody, and schedules nothing',
    holds: async (definition) => {
      const dry = await program(definition, { Plan: [{ ...PLANNED, mode: 'plan' }] });
      assert.deepEqual(visited(dry), ['Plan', 'Publish', 'Published']);
      assert.equal(dry.output.page, 'PAGE');
    },
  },
  {
    name: 'whoever need not be asked is not',
    holds: async (definition) => {
      const walked = await program(definition, unasked);
      assert.deepEqual(visited(walked), ['Plan', 'Publish', 'Schedule', 'ScheduleWait', 'Schedule', 'Scheduled']);
      assert.equal(walked.output.agreed, 'nobody was asked');
    },
  },
  {
    name: 'a no, silence, and a yes that is nobody’s leave all schedules as they are',
    holds: async (definition) => {
      for (const answer of [new Failure('Rejected', 'Ada: not yet'), new Failure('States.Timeout', '')]) {
        const walked = await program(definition, { AwaitApproval: [answer] });
        assert.deepEqual(visited(walked), ['Plan', 'Publish', 'AwaitApproval', 'Rejected']);
        assert.equal(walked.output[0], 'Cutover.Rejected');
      }
      const unsigned = await program(definition, { AwaitApproval: [{ by: 'YOUR NAME', why: 'YOUR REASON' }] });
      assert.deepEqual(visited(unsigned), ['Plan', 'Publish', 'AwaitApproval', 'Rejected']);
      assert.match(unsigned.output[1], /still said YOUR NAME/);
    },
  },
  {
    name: 'whoever plans badly is told so in the planner’s words, and nothing is published',
    holds: async (definition) => {
      for (const name of ['InvalidGesture', 'InvalidPortfolio', 'NoProgramme']) {
        const walked = await program(definition, { Plan: [new Failure(`Cutover.${name}`, 'the words')] });
        assert.deepEqual(visited(walked), ['Plan', name]);
        assert.deepEqual(walked.output, [`Cutover.${name}`, 'the words']);
      }
      await assert.rejects(program(definition, { Plan: [new Failure('Test.Boom')] }), /Test.Boom/);
    },
  },
  {
    name: 'what stands in the way of schedules ends it, with its reason',
    holds: async (definition) => {
      for (const name of ['Conflict', 'Drift']) {
        const walked = await program(definition, {
          ...unasked,
          Schedule: [new Failure(`Cutover.${name}`, 'the words')],
        });
        assert.deepEqual(visited(walked), ['Plan', 'Publish', 'Schedule', name]);
        assert.deepEqual(walked.output, [`Cutover.${name}`, 'the words']);
      }
      const endless = await program(definition, { ...unasked, Schedule: [WRONG] });
      assert.equal(endless.lines.filter((line) => line.startsWith('Schedule ')).length, 60);
      assert.equal(endless.output[0], 'Cutover.Drift');
      assert.match(endless.output[1], /after 60 looks/);
    },
  },
];
