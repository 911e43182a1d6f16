/**
 * Policies that this agent does not understand, such as one with a field that a newer version knows: nothing is watched for them, since what a
 * part of it says may be the contrary of the whole. That is said where people look, the policy's own status, and only by nodes that it concerns.
 */
import { z } from 'zod';
import { matchesSelector, Selector } from '../../api/index.ts';
import { type Pod, type Store, splitKey } from '../../kube/index.ts';

/** Longest text that the status may hold. */
const maxMessageLength = 1024;

const Selecting = z.object({ spec: z.object({ selector: Selector }) });

export interface UnreadPoliciesOptions {
  /** By key, why each of them is not understood. */
  readonly reasons: () => ReadonlyMap<string, string>;
  readonly pods: Pick<Store<Pod>, 'list'>;
}

export class UnreadPolicies {
  readonly #options: UnreadPoliciesOptions;
  readonly #selectors = new Map<string, Selector | undefined>();

  constructor(options: UnreadPoliciesOptions) {
    this.#options = options;
  }

  /** @param raw as the API server sent it */
  keptOut(policyKey: string, raw: unknown): void {
    this.#selectors.set(policyKey, Selecting.safeParse(raw).data?.spec.selector);
  }

  get keys(): string[] {
    return [...this.#options.reasons().keys()];
  }

  /** Why it is not understood; null where that concerns no pod of this node. Undefined: it is understood, or gone. */
  refusal(policyKey: string): string | null | undefined {
    const reason = this.#options.reasons().get(policyKey);
    if (reason === undefined) {
      this.#selectors.delete(policyKey);
      return undefined;
    }
    return this.#concerns(policyKey) ? reason.slice(0, maxMessageLength) : null;
  }

  /** Any pod of its namespace, where not even its selector can be read. */
  #concerns(policyKey: string): boolean {
    const { namespace } = splitKey(policyKey);
    const selector = this.#selectors.get(policyKey);
    return this.#options.pods
      .list()
      .some(
        ({ metadata }) =>
          metadata.namespace === namespace && (selector === undefined || matchesSelector(selector, metadata.labels)),
      );
  }
}
