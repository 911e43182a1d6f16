/**
 * The agent's sampler in a process of its own, so that its cost is there and not in the benchmark. Lines on stdin: `begin PID`, answered by
 * `watching` when everything is attached, and `end`, answered by what was seen when everything is out again. Between `end` and the next
 * `begin` nothing of it runs, and yet its code stays compiled, as that of an agent which has run for hours.
 *
 * It asks for what the agent asks for, but for allocation rhythms: they are looked for once in two minutes, which is no matter of seconds.
 */
import { createInterface } from 'node:readline';
import { hostSampler, localPopulation, localTarget } from '../../src/agent/sampler/index.ts';
import { openProc } from '../../src/host/index.ts';

const proc = openProc();
const none = async (): Promise<void> => {};
let end = none;

async function begin(pid: number): Promise<void> {
  const startTicks = proc.identity(pid)?.startTicks ?? 0;
  const target = localTarget(pid, 'robot');
  const seen = { cycles: 0, assistStalls: 0, lostEvents: 0 };
  const stop = new AbortController();
  const watching = Promise.withResolvers<void>();
  const sampler = hostSampler({
    populate: () => new Map([[target.key, localPopulation(proc, pid, startTicks)]]),
    sink: {
      state: (_, told) => {
        if (told.state === 'Watching') watching.resolve();
        if (told.state === 'Refused') watching.reject(new Error(told.message));
      },
      window: (_, { lostEvents, gcAssist }) => {
        seen.lostEvents += lostEvents;
        seen.assistStalls += gcAssist.count;
      },
      pause: () => {},
      cycle: () => {
        seen.cycles += 1;
      },
      pressure: () => {},
    },
    onProbeDown: (error) => watching.reject(error),
  });
  sampler.setTargets([target]);
  const running = sampler.run(stop.signal);
  end = async () => {
    stop.abort();
    await running;
    end = none;
    console.log(JSON.stringify(seen));
  };
  await watching.promise;
  console.log('watching');
}

for await (const line of createInterface({ input: process.stdin })) {
  const [word, pid] = line.split(' ');
  if (word === 'begin') await begin(Number(pid));
  else await end();
}
await end();
