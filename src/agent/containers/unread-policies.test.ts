import { describe, expect, it } from 'vitest';
import { pod } from '../testing/objects.ts';
import { UnreadPolicies } from './unread-policies.ts';

const raw = (app: string) => ({ spec: { selector: { matchLabels: { app } }, tuning: { future: 1 } } });

function unread(reasons: Record<string, string>) {
  const pods = { list: () => [pod('dispatch-0')] };
  return new UnreadPolicies({ reasons: () => new Map(Object.entries(reasons)), pods });
}

describe('a policy that an agent does not understand', () => {
  it('is refused with the reason where it selects a pod of this node', () => {
    const policies = unread({ 'robots/dispatch': 'Unrecognized key: "future" → at spec.tuning' });
    policies.keptOut('robots/dispatch', raw('dispatch'));
    expect(policies.refusal('robots/dispatch')).toBe('Unrecognized key: "future" → at spec.tuning');
    expect(policies.keys).toEqual(['robots/dispatch']);
  });

  it('is of no concern to a node without such a pod', () => {
    const policies = unread({ 'robots/gateway': 'why', 'others/dispatch': 'why' });
    policies.keptOut('robots/gateway', raw('gateway'));
    policies.keptOut('others/dispatch', raw('dispatch'));
    expect([policies.refusal('robots/gateway'), policies.refusal('others/dispatch')]).toEqual([null, null]);
  });

  it('concerns every node with pods in its namespace where not even its selector can be read', () => {
    const policies = unread({ 'robots/odd': 'why' });
    policies.keptOut('robots/odd', { spec: { selector: { newer: true } } });
    expect(policies.refusal('robots/odd')).toBe('why');
  });

  it('is forgotten once it is understood, or gone', () => {
    const policies = unread({});
    policies.keptOut('robots/dispatch', raw('dispatch'));
    expect(policies.refusal('robots/dispatch')).toBeUndefined();
  });
});
