import { describe, expect, it } from 'vitest';
import { missingFromBooks, missingInKernel, missingInProgram, missingOfAll, windowFields } from './missing.ts';

describe('what is not observed', () => {
  it('without the probe is all that only it sees', () => {
    const { signals, reason, message } = missingFromBooks({ reason: 'NO_BPF', message: 'this kernel has no BPF' });
    expect(signals).toContain('gcStall');
    expect(reason).toBe('NO_BPF');
    expect(message).toContain('this kernel has no BPF');
  });

  it('for want of a tracepoint is named as windows name it', () => {
    const missing = [
      { signal: 'mmap', reason: 'no such tracepoint' },
      { signal: 'reclaimMemcg', reason: 'no such tracepoint' },
      { signal: 'later', reason: 'unheard of' },
    ];
    expect(missingInKernel({ missing })).toEqual([
      {
        signals: [
          'kernelMemory.mmap',
          'kernelMemory.munmap',
          'kernelMemory.mmapFailures',
          'kernelMemory.allocationFailures',
        ],
        reason: 'KERNEL',
        message: 'no such tracepoint',
      },
      {
        signals: ['kernelMemory.reclaimMemcg'],
        reason: 'KERNEL',
        message: 'no such tracepoint',
      },
      { signals: ['later'], reason: 'KERNEL', message: 'unheard of' },
    ]);
  });

  it('of a program is what its code hides, not what it does not have', () => {
    const absent = (group: 'heapGrow' | 'tlsClient' | 'assistSlow', reason: 'function-not-found' | 'inlined') =>
      ({ kind: 'absent', group, reason, message: `${group} ${reason}` }) as const;
    expect(missingInProgram({ optional: [absent('tlsClient', 'function-not-found')] })).toEqual([]);
    expect(missingInProgram({ optional: [absent('assistSlow', 'inlined')] })).toEqual([]);
    expect(missingInProgram({ optional: [{ kind: 'ok', group: 'tlsClient', points: [] }] })).toEqual([]);
    expect(
      missingInProgram({ optional: [absent('heapGrow', 'function-not-found'), absent('tlsClient', 'inlined')] }),
    ).toEqual([
      { signals: ['kernelMemory.heapGrows'], reason: 'function-not-found', message: 'heapGrow function-not-found' },
      { signals: ['network.tlsClient'], reason: 'inlined', message: 'tlsClient inlined' },
    ]);
  });

  it('of several processes is what is not seen of one of them, each told once', () => {
    const lesser = { signals: ['gc.limiterOn'], reason: 'OTHER_PROGRAM', message: 'no limiter' };
    const books = missingFromBooks({ reason: 'TOO_MANY_TARGETS', message: 'the probe is full' });
    expect(missingOfAll([[lesser], [books], [lesser]])).toEqual([lesser, books]);
    expect(windowFields(missingOfAll([[lesser], [books]]))).toEqual(
      expect.arrayContaining(['gcStall', 'gc.limiterOn']),
    );
    const first = { signals: ['network.connect', 'network.openssl'], reason: 'A', message: 'a' };
    const second = { signals: ['network.connect', 'network.tlsClient'], reason: 'A', message: 'a' };
    expect(missingOfAll([[first], [second]])).toEqual([
      { signals: ['network.connect', 'network.openssl', 'network.tlsClient'], reason: 'A', message: 'a' },
    ]);
    expect(missingOfAll([[], []])).toEqual([]);
  });

  it('stands in windows once for each of their fields, whatever the reasons', () => {
    const missing = [
      { signals: ['gcStall', 'exec'], reason: 'A', message: 'a' },
      { signals: ['gcStall', 'kernelMemory.mmap', 'later'], reason: 'B', message: 'b' },
    ];
    expect(windowFields(missing)).toEqual(['gcStall', 'kernelMemory.mmap']);
  });
});
