import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ProbeError } from './errors.ts';

/** Where the probe may lie, in order: named by the environment, beside the bundle, as built here, installed. */
export function probeCandidates(env: Readonly<Record<string, string | undefined>>): string[] {
  const beside = ['./robotgc-probe', '../bpf/build/robotgc-probe', '../../../bpf/build/robotgc-probe'];
  const named = env.ROBOTGC_PROBE;
  return [
    ...(named === undefined || named === '' ? [] : [named]),
    ...beside.map((path) => fileURLToPath(new URL(path, import.meta.url))),
    '/usr/bin/robotgc-probe',
  ];
}

/** Path of the probe. A path that was named but is not there is an error, not a reason to look elsewhere. */
export function locateProbe(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const candidates = probeCandidates(env);
  const named = env.ROBOTGC_PROBE;
  const searched = named === undefined || named === '' ? candidates : [named];
  const found = searched.find(isExecutable);
  if (found !== undefined) return found;
  throw new ProbeError(
    'PROBE_NOT_FOUND',
    `robotgc-probe is not executable at ${searched.join(', ')}: build it with "make -C bpf" or name it in ROBOTGC_PROBE`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
