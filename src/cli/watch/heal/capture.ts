/** The evidence of a breach, as a bundle of its own. Healing does not depend on it: what cannot be captured is said, and no more. */
import { join } from 'node:path';
import type { Recorder } from '../../../agent/evidence/index.ts';
import type { Sampler } from '../../../agent/sampler/index.ts';
import { durationMs, type RobotGCPolicy } from '../../../api/index.ts';
import type { Signer } from '../../../bundle/index.ts';
import { captureBeside, writeCapture } from '../../capture/beside.ts';
import type { NamedProcess } from '../process.ts';

export interface BreachEvidence {
  readonly process: NamedProcess;
  readonly evidence: { readonly directory: string; readonly sign?: Signer };
  readonly say: (sentence: string) => void;
}

export interface Watched {
  readonly sampler: Pick<Sampler, 'captureBegins' | 'inspect'>;
  readonly key: string;
  readonly recorder: Recorder;
  readonly signal: AbortSignal;
}

/** @returns the bundle's path; null when none could be written. Rejects when the signal aborts. */
export async function captureBreach(
  { process, evidence, say }: BreachEvidence,
  { spec }: RobotGCPolicy,
  { sampler, key, recorder, signal }: Watched,
): Promise<string | null> {
  const { pprof, profiles, duration } = spec.capture;
  const at = new Date().toISOString().replace(/[:.]/g, '-');
  const command = {
    process,
    address: { host: '127.0.0.1', port: pprof.port, prefix: pprof.path },
    profiles,
    durationMs: durationMs(duration),
    file: join(evidence.directory, `${process.comm}-${process.pid}-${at}.tar.gz`),
    policy: spec,
    ...(evidence.sign ? { sign: evidence.sign } : {}),
    say,
    signal,
  };
  const captured = await captureBeside(sampler, key, command);
  signal.throwIfAborted();
  try {
    await writeCapture(captured, recorder, command);
    return command.file;
  } catch (error) {
    say(`the evidence was not written: ${error instanceof Error ? error.message : error}`);
    return null;
  }
}
