/** What a watch has changed in its process: budget, cool-down and the other guardrails ask for it. */
import type { ActionRecord, PolicySpec } from '../../../api/index.ts';
import { remembered } from '../../../remedy/index.ts';
import type { NamedProcess } from '../process.ts';

export type Deed = Pick<ActionRecord, 'knob' | 'before' | 'after'> &
  Partial<Pick<ActionRecord, 'kind' | 'result' | 'message' | 'underBytes'>>;

export class Deeds {
  readonly #process: NamedProcess;
  readonly #spec: PolicySpec;
  #remedies: readonly ActionRecord[] = [];
  #tunings: readonly ActionRecord[] = [];

  constructor(process: NamedProcess, spec: PolicySpec) {
    this.#process = process;
    this.#spec = spec;
  }

  /** After breaches. */
  get remedies(): readonly ActionRecord[] {
    return this.#remedies;
  }

  /** Without any. */
  get tunings(): readonly ActionRecord[] {
    return this.#tunings;
  }

  remedied(deed: Deed): void {
    this.#remedies = this.#with(this.#remedies, deed);
  }

  tuned(deed: Deed): void {
    this.#tunings = this.#with(this.#tunings, deed);
  }

  #with(records: readonly ActionRecord[], deed: Deed): readonly ActionRecord[] {
    const { pid, comm, startTicks } = this.#process;
    const nowMs = Date.now();
    const record: ActionRecord = {
      kind: 'Live',
      owner: { apiVersion: '', kind: 'Process', name: comm, uid: `${pid}-${startTicks}` },
      container: comm,
      at: new Date(nowMs).toISOString(),
      result: 'Completed',
      ...deed,
    };
    return remembered([...records, record], this.#spec, nowMs);
  }
}
