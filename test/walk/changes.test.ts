import { beforeAll, describe, expect, it } from 'vitest';
import { broken, leavesOf, type Walk, walk } from './changes.ts';
import { KINDS, specOf } from './policies.ts';
import { policySpecSchema, type Schema } from './schema.ts';

let schema: Schema;
beforeAll(async () => {
  schema = await policySpecSchema();
});

describe.each(KINDS)('changes of a policy (%s) by its schema', (kind) => {
  let walked: Walk;
  beforeAll(() => {
    walked = walk(schema, specOf(kind, 'dispatch'));
  });

  it('reach every leaf', () => {
    expect(walked.stuck).toEqual([]);
    const reached = new Set(walked.allowed.map(({ path }) => path.join('.')));
    expect([...reached]).toEqual(leavesOf(schema).map(({ path }) => path.join('.')));
  });

  it('differ from the policy and from each other', () => {
    const texts = walked.allowed.map(({ spec }) => JSON.stringify(spec));
    expect(new Set([...texts, JSON.stringify(specOf(kind, 'dispatch'))]).size).toBe(texts.length + 1);
  });

  it('try every switch, mode and way', () => {
    const tried = walked.allowed.map(({ what }) => what);
    const others = ['Observe', 'Recommend', 'Auto'].filter(
      (mode) => mode !== (kind === 'Advised' ? 'Recommend' : 'Auto'),
    );
    for (const mode of others) expect(tried).toContain(`actions.mode: "${mode}"`);
    expect(tried.some((what) => what.startsWith('actions.apply: '))).toBe(true);
    expect(tried.some((what) => what.startsWith('tuning.continuous'))).toBe(true);
  });
});

it('a value that its own schema refuses is known of every leaf', () => {
  expect(broken(schema, specOf('Tuned', 'dispatch'))).toHaveLength(leavesOf(schema).length);
});
