/** Bench `control`: how well the product keeps an SLA under shapes of load, in a simulator, beside simple controllers and an oracle. */
import { durationMs, PolicySpec } from '../../../src/api/index.ts';
import { deriveThresholds } from '../../../src/model/index.ts';
import { compare, type MeanOutcome, meanOf, type ShapeResult } from './compare.ts';
import { type Candidate, fixed, simpleCandidates, staticSettings } from './controllers.ts';
import { FORMULA, policySpec } from './policy.ts';
import { product } from './product.ts';
import { type Calibration, type CalibrationError, calibrations, errorOf, type RealOptions } from './real.ts';
import { type Promised, run } from './run.ts';
import type { Shape } from './shapes.ts';

export interface ControlOptions {
  readonly shapes: readonly Shape[];
  /** How often each, with other noise. */
  readonly seeds: number;
  readonly say: (sentence: string) => void;
  /** Tells what the product did and when, too. */
  readonly isTold: boolean;
}

export interface ControlResult {
  readonly bench: 'control';
  readonly seeds: number;
  readonly shapes: readonly ShapeResult[];
  readonly held: boolean;
}

/** The model beside the real robot: bench `control --real`. */
export interface CalibrationResult {
  readonly bench: 'control-real';
  readonly calibrations: readonly Calibration[];
  readonly error: CalibrationError;
}

export async function calibrate(options: RealOptions): Promise<CalibrationResult> {
  const found = await calibrations(options);
  return { bench: 'control-real', calibrations: found, error: errorOf(found) };
}

export function control({ shapes, seeds, say, isTold }: ControlOptions): ControlResult {
  const tell = isTold ? { tell: (second: number, sentence: string) => say(`  ${second} s: ${sentence}`) } : {};
  const robotgc = product({ name: 'robotgc', spec: policySpec, start: fixed('', 100, false).start, ...tell });
  const results = shapes.map((shape) => {
    say(`${shape.name}, ${shape.seconds} s`);
    const each = (candidate: Candidate): MeanOutcome => runs(shape, candidate, seeds);
    return compare(shape, each(robotgc), simpleCandidates(FORMULA).map(each), staticSettings.map(each));
  });
  const held = results.every(({ isNeverWorse, isNearOracle, isSafe }) => isNeverWorse && isNearOracle && isSafe);
  return { bench: 'control', seeds, shapes: results, held };
}

function runs(shape: Shape, candidate: Candidate, seeds: number): MeanOutcome {
  const promised = promisedBy(policySpec(shape.memoryLimitBytes));
  return meanOf(Array.from({ length: seeds }, (_, seed) => run(shape, candidate, promised, seed + 1)));
}

function promisedBy(text: object): Promised {
  const spec = PolicySpec.parse(text);
  return { thresholds: deriveThresholds(spec), latencySeconds: durationMs(spec.sla.latencyP99) / 1000 };
}
