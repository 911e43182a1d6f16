import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Desired, desiredText, isUnreadable, parseDesired, withChange } from './desired.ts';

const change = { policy: 'p', knob: 'GOGC', from: '10', to: '100' } as const;

describe('what Live shall set in a container', () => {
  it('remembers what was in effect before the first of several changes', () => {
    const once = withChange({}, 'robot', change);
    const twice = withChange(once, 'robot', { ...change, from: '100', to: '200' });
    expect(twice).toEqual({ robot: { policy: 'p', GOGC: { from: '10', to: '200' } } });
  });

  it('remembers that nothing was set before the first of several changes', () => {
    const limit = { ...change, knob: 'GOMEMLIMIT' } as const;
    const once = withChange({}, 'robot', { ...limit, from: null, to: '128Mi' });
    const twice = withChange(once, 'robot', { ...limit, from: '128Mi', to: '160Mi' });
    expect(twice).toEqual({ robot: { policy: 'p', GOMEMLIMIT: { from: null, to: '160Mi' } } });
    expect(withChange(twice, 'robot', { ...limit, from: '160Mi', to: '128Mi' }).robot?.GOMEMLIMIT?.to).toBe('128Mi');
  });

  it('is gone when a change leads back to that, and leaves other containers alone', () => {
    const both = withChange(withChange({}, 'robot', change), 'proxy', change);
    expect(withChange(both, 'robot', { ...change, from: '100', to: '10' })).toEqual({
      proxy: { policy: 'p', GOGC: { from: '10', to: '100' } },
    });
    expect(desiredText(withChange(withChange({}, 'robot', change), 'robot', { ...change, to: '10' }))).toBeNull();
  });

  it('is the value before where one of two changes leads back: what nothing is wished of any more would keep what we set', () => {
    const limit = { ...change, knob: 'GOMEMLIMIT', from: null, to: '128Mi' } as const;
    const memory = withChange(withChange({}, 'robot', change), 'robot', limit);
    expect(withChange(memory, 'robot', { ...change, from: '100', to: '10' })).toEqual({
      robot: { policy: 'p', GOGC: { from: '10', to: '10' }, GOMEMLIMIT: { from: null, to: '128Mi' } },
    });
  });

  it('says under which memory limit it was worked out, the last time', () => {
    const under = withChange({}, 'robot', { ...change, underBytes: 180 });
    expect(under).toEqual({ robot: { policy: 'p', GOGC: { from: '10', to: '100', underBytes: 180 } } });
    expect(withChange(under, 'robot', { ...change, to: '200', underBytes: 225 }).robot?.GOGC).toEqual({
      from: '10',
      to: '200',
      underBytes: 225,
    });
    expect(parseDesired(desiredText(under) ?? undefined)).toEqual(under);
  });

  it('stays when a change of ours leads back, so that the next one still knows what was there before', () => {
    const stays = { ...change, stays: true };
    const back = withChange(withChange({}, 'robot', stays), 'robot', { ...stays, from: '100', to: '10' });
    expect(back).toEqual({ robot: { policy: 'p', GOGC: { from: '10', to: '10' } } });
    expect(withChange(back, 'robot', { ...change, from: '10', to: '10' })).toEqual({});
  });

  it('reads back as it was written, whatever the order in which it came about', () => {
    const name = fc.stringMatching(/^[a-z]{1,10}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 6 }), (names) => {
        const of = (list: string[]) => list.reduce<Desired>((d, each) => withChange(d, each, change), {});
        const text = desiredText(of(names));
        expect(desiredText(of(names.toReversed()))).toBe(text);
        expect(parseDesired(text ?? undefined)).toEqual(of(names));
      }),
    );
  });

  it.each(['', '…', '[]', '{"robot":{"GOGC":{"from":"1","to":"2"}}}', '{"robot":{"policy":"p","image":"evil"}}'])(
    'is nothing where the annotation is %s',
    (text) => {
      expect(isUnreadable(parseDesired(text))).toBe(true);
    },
  );
});
