import { keptFileBudget } from './descriptor-budget.ts';
import { KeptFile } from './kept-file.ts';
import { parsePressure } from './psi.ts';
import type { NodePressure } from './types.ts';

export interface NodePressureReader extends Disposable {
  read(): NodePressure;
  close(): void;
}

/** Reads /proc/pressure/*: one read serves all containers of a tick. */
export function openNodePressure(procRoot = '/proc'): NodePressureReader {
  const file = (name: string) =>
    new KeptFile(name, `${procRoot}/pressure/${name}`, { parse: parsePressure, budget: keptFileBudget });
  const [memory, cpu, io] = [file('memory'), file('cpu'), file('io')];
  const close = (): void => {
    for (const each of [memory, cpu, io]) each.close();
  };
  return {
    read: () => ({ memory: memory.read(), cpu: cpu.read(), io: io.read() }),
    close,
    [Symbol.dispose]: close,
  };
}
