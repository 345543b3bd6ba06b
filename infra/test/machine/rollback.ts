/** What the functions of a rollback are made to say: every loop goes round once, each wait is of another length. */
import type { Definition } from '../../lib/definitions';
import { type Script, type Walk, walk } from './walk';

export const RUN = {
  ...{ run_id: 'RUN', application: 'shop', topic_arn: 'everybody', why: 'BECAUSE' },
  ...{ nothing_to_do: null, hold: null, late_writers_seconds: 35 },
  evidence: [
    { function_arn: 'evidence-1', timeout: 60 },
    { function_arn: 'evidence-2', timeout: 60 },
  ],
  resume: [
    { function_arn: 'resume-1', timeout: 61 },
    { function_arn: 'resume-2', timeout: 62 },
  ],
  routes: [
    { route: 1, type: 'dns', title: 'the name' },
    { route: 0, type: 'listener', title: 'the listener' },
  ],
  alarms: [1, 0],
};

const back = (wait_seconds: number, is: object) => ({ settled: true, wait_seconds, changed: false, ...is });

export const SCRIPT: Script = {
  TakeOverRun: [RUN],
  RestoreRecords: [
    back(3, { settled: false, changed: true, change_id: 'C1' }),
    back(0, { change_id: 'C1', live: 'NAME-1', at: 'T1' }),
    back(0, { live: 'NAME-2', at: 'T3' }),
  ],
  RestoreListener: [
    back(5, { settled: false, changed: true }),
    back(0, { live: 'RULE-1', at: 'T2' }),
    back(0, { live: 'RULE-2', at: 'T4' }),
  ],
  RestoreAlarm: [{ put_back: 1 }, { put_back: 0 }],
  WriteEnding: [{ ending: 'RolledBack', hold: null, routes: 'ROUTES', at: 'T5' }],
  WriteReport: [{ link: 'LINK', key: 'KEY', undelivered: [] }],
};

export function rollback(definition: Definition, script: Script = {}, input: Definition = INPUT): Promise<Walk> {
  return walk(definition, input, { ...SCRIPT, ...script });
}

const INPUT = { run_id: 'RUN' };
