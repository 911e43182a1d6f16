import { expect, test } from 'vitest';
import { policy } from '../testing/objects.ts';
import { reportedPolicies } from './reported-policies.ts';

test('windows go to the operator while an incident is open, and all the time where GOGC is tuned all the time', () => {
  const tuned = policy('tuned', { tuning: { continuous: true } });
  const { namespace } = tuned.metadata;
  const reported = reportedPolicies(new Set([`${namespace}/breached`]), [tuned, policy('breached'), policy('calm')]);
  expect([...reported]).toEqual([`${namespace}/breached`, `${namespace}/tuned`]);
});
