/** The ways that are at hand in a cluster, by name. One more: a file beside this one, and a line here. */
import type { ActionRecord, Way } from '../../../api/index.ts';
import { live } from './live.ts';
import { resize } from './resize.ts';
import { restart } from './restart.ts';
import { rollout } from './rollout.ts';
import type { ActingWay } from './way.ts';

export type { ActingWay, Outcome, Progress, WayContext } from './way.ts';

const ways: Readonly<Record<Way, ActingWay>> = { Live: live, Resize: resize, Rollout: rollout, Restart: restart };

/** Of a rollback: the way by which it goes back. Undefined when a later version wrote the record. */
export function wayOf({ kind, undoes }: ActionRecord): ActingWay | undefined {
  const way = kind === 'Rollback' ? undoes : kind;
  return way && ways[way];
}
