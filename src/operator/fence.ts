/**
 * What keeps a leader that slept past its lease (a stopped process, a request that hung) from doing once more what another one has taken back
 * since. Three steps, in this order: the object is read; the fence is asked; the object is written under the version that was read. Whoever
 * leads writes down what it is about to do before it touches anything: if that was before the question, the record has moved on, and the
 * fence says so; if it was after, the object has, and the server says so.
 */
import { KubeError } from '../kube/index.ts';

/** @throws KubeError `Conflict` when what the decision was made by has moved on since */
export type Fence = (signal: AbortSignal) => Promise<void>;

export function fence(what: string, isUnmoved: (signal: AbortSignal) => Promise<boolean>): Fence {
  return async (signal) => {
    if (await isUnmoved(signal)) return;
    const message = `${what} moved on after this was decided; it is decided again`;
    throw new KubeError({ code: 'Conflict', call: `FENCE ${what}`, message });
  };
}
