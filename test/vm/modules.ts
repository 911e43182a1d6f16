/** Which kernel modules have to be loaded for some, in which order: each after those that it names itself. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { VmError } from './errors.ts';

export interface Module {
  readonly name: string;
  readonly content: Buffer;
}

/**
 * A name that no file has is taken as built into the kernel: between versions, modules become built in and the other way round.
 * @throws VmError BAD_MODULE
 */
export function modulesInOrder(directory: string, names: readonly string[]): readonly Module[] {
  const files = new Map<string, string>();
  for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (/\.ko(\.xz)?$/.test(path)) files.set(moduleName(basename(path)), join(directory, path));
  }
  const ordered = new Map<string, Module>();
  const add = (name: string): void => {
    const file = files.get(name);
    if (file === undefined || ordered.has(name)) return;
    const content = readModule(file);
    for (const needed of dependencies(content)) add(moduleName(needed));
    ordered.set(name, { name, content });
  };
  for (const name of names) add(moduleName(name));
  return [...ordered.values()];
}

/** File names and the kernel's own lists differ in `-` and `_`. */
function moduleName(file: string): string {
  return file.replace(/\.ko(\.xz)?$/, '').replaceAll('-', '_');
}

function readModule(file: string): Buffer {
  if (!file.endsWith('.xz')) return readFileSync(file);
  return execFileSync('xz', ['--decompress', '--stdout', file], { maxBuffer: 1 << 28 });
}

/** The section .modinfo holds `key=value` texts, each ended by NUL. */
export function dependencies(content: Buffer): readonly string[] {
  const key = Buffer.from('\0depends=');
  const at = content.indexOf(key);
  if (at < 0) throw new VmError('BAD_MODULE', 'a kernel module does not say what it depends on');
  const from = at + key.length;
  const text = content.toString('latin1', from, content.indexOf(0, from));
  return text === '' ? [] : text.split(',');
}
