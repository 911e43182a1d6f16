import { describe, expect, it } from 'vitest';
import { parsePressure } from './psi.ts';

describe('pressure stall information', () => {
  it('gives shares and nanoseconds', () => {
    const text =
      'some avg10=12.50 avg60=3.00 avg300=0.01 total=123456\nfull avg10=8.50 avg60=0.00 avg300=0.00 total=7\n';
    expect(parsePressure(text)).toEqual({
      some: { avg10: 0.125, avg60: 0.03, avg300: 0.0001, totalNs: 123_456_000 },
      full: { avg10: 0.085, avg60: 0, avg300: 0, totalNs: 7000 },
    });
  });

  it('has no full line for cpu on kernels before 5.13', () => {
    expect(parsePressure('some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n')?.full).toBeNull();
  });

  it.each([
    '',
    'full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
    'some avg10=x avg60=0 avg300=0 total=0',
    'some avg10=0.00',
  ])('%j is none', (text) => {
    expect(parsePressure(text)).toBeUndefined();
  });
});
