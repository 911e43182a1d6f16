import { describe, expect, it } from 'vitest';
import { ALLOC_BYTES_PER_ROBOT_SECOND, BEAT_SHARE, LIVE_BYTES_PER_ROBOT, PROCESSORS } from './constants.ts';
import { type Calibration, errorOf, modelled } from './real.ts';

const demo = {
  reachableBytes: 10_000 * LIVE_BYTES_PER_ROBOT,
  allocBytesPerSecond: 10_000 * ALLOC_BYTES_PER_ROBOT_SECOND,
  ...{ activeRobots: 10_000, beatShare: BEAT_SHARE, processors: PROCESSORS, nodePressure: 0 },
};

describe('the model', () => {
  // test/robots/README.md, "none" and "real-time priority": between them lies what other work on the machine does.
  it.each([
    [10, { cyclesPerSecond: 10.1, gcCpuShare: [0.15, 0.25], peakBytes: 95e6 }],
    [100, { cyclesPerSecond: 1.3, gcCpuShare: [0.003, 0.022], peakBytes: 150e6 }],
  ] as const)('does what was measured of the robot with GOGC=%i', (gogc, measured) => {
    const { cyclesPerSecond, gcCpuShare, peakBytes } = modelled(demo, { gogc, goMemLimitBytes: null }, 20);
    expect(Math.abs(cyclesPerSecond / measured.cyclesPerSecond - 1)).toBeLessThan(0.1);
    expect(gcCpuShare).toBeGreaterThan(measured.gcCpuShare[0]);
    expect(gcCpuShare).toBeLessThan(measured.gcCpuShare[1]);
    expect(Math.abs(peakBytes / measured.peakBytes - 1)).toBeLessThan(0.1);
  });
});

describe('the error of a calibration', () => {
  const figures = { cyclesPerSecond: 2, gcCpuShare: 0.02, peakBytes: 100e6 };
  const calibration = (over: Partial<typeof figures>): Calibration => ({
    ...{ shape: 'demo', gogc: 100, goMemLimitMib: null, robot: figures, model: { ...figures, ...over } },
  });

  it('is that of the middle one, whichever way it is off', () => {
    const error = errorOf([
      calibration({ cyclesPerSecond: 1.8, gcCpuShare: 0.03, peakBytes: 150e6 }),
      calibration({ cyclesPerSecond: 2.2, gcCpuShare: 0.01, peakBytes: 50e6 }),
      calibration({ cyclesPerSecond: 20, gcCpuShare: 0.02 }),
    ]);
    expect(error.cyclesPerSecond).toBeCloseTo(0.1);
    expect(error.gcCpuSharePoints).toBeCloseTo(1);
    expect(error.peakBytes).toBeCloseTo(0.5);
  });
});
