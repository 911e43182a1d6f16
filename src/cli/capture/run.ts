/** `robotgc capture --pid`: signals and profiles of the same seconds, as one bundle. */
import { Recorder } from '../../agent/evidence/index.ts';
import { hostSampler, localPopulation, localTarget } from '../../agent/sampler/index.ts';
import { type CaptureCommand, type CaptureOutcome, captureBeside, writeCapture } from './beside.ts';

export async function captureBundle(command: CaptureCommand): Promise<CaptureOutcome> {
  const { process: named, say, signal } = command;
  const target = localTarget(named.pid, named.comm);
  const recorder = new Recorder();
  const settled = Promise.withResolvers<void>();
  const over = new AbortController();
  let refusal: string | null = null;
  const sampler = hostSampler({
    populate: () => new Map([[target.key, localPopulation(named.proc, named.pid, named.startTicks)]]),
    sink: {
      window: (_, window) => recorder.window(window),
      cycle: (_, cycle) => recorder.cycle(cycle),
      assist: (_, assist) => recorder.assist(assist),
      wait: (_, wait) => recorder.wait(wait),
      pause: (_, pause) => recorder.pause(pause),
      state: (_, state) => {
        refusal = state.state === 'Refused' ? state.message : null;
        settled.resolve();
      },
    },
  });
  sampler.setTargets([target]);
  const sampling = sampler.run(AbortSignal.any([signal, over.signal]));
  // Profiles begin when the probe is in place, so that both speak of the same seconds.
  await Promise.race([settled.promise, sampling]);
  if (refusal !== null) say(`no signals: ${refusal}`);
  const captured = await captureBeside(sampler, target.key, command).finally(() => over.abort());
  await sampling;
  signal.throwIfAborted();
  return writeCapture(captured, recorder, command);
}
