/** Starts what runs beside the robot. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Companion } from './fault.ts';
import type { Container, Node } from './ground.ts';

const run = promisify(execFile);

const Addresses = z.object({ slow: z.string(), full: z.string() });
type Addresses = z.infer<typeof Addresses>;

export interface Programs {
  readonly robot: string;
  readonly companion: string;
  /** For the files that companions read. */
  readonly folder: string;
}

/** @param node where those are whom the companion calls */
export async function startCompanion(
  programs: Programs,
  companion: Companion,
  container: Container,
  node: Node,
): Promise<void> {
  container.run(await commandOf(programs, companion, node));
}

async function commandOf(
  { companion: program, folder }: Programs,
  companion: Companion,
  node: Node,
): Promise<[string, ...string[]]> {
  switch (companion.does) {
    case 'spin':
      return ['sh', '-c', 'while :; do :; done'];
    case 'churn':
    case 'faults':
      return [program, companion.does, await makeFile(program, folder, companion.fileMib)];
    case 'map':
      return [program, 'map', String(companion.mib), companion.pause];
    case 'grow':
      return [program, 'grow', String(companion.mib)];
    case 'dial':
      return [program, 'dial', (await listener(program, node)).full, companion.pause];
    case 'shake':
      return [program, 'shake', (await listener(program, node)).slow, companion.pause];
  }
}

async function makeFile(program: string, folder: string, mib: number): Promise<string> {
  const file = join(folder, randomBytes(8).toString('hex'));
  await run(program, ['make', file, String(mib)]);
  return file;
}

async function listener(program: string, node: Node): Promise<Addresses> {
  const { stdout } = node.add({}).run([program, 'listen']);
  if (!stdout) throw new Error('the companion has no output');
  for await (const line of createInterface({ input: stdout })) return Addresses.parse(JSON.parse(line));
  throw new Error('the companion that listens has ended at once');
}
