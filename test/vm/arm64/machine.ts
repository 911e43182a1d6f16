/** A machine with arm64 processors that lives for one command. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../cluster/run.ts';
import { type CpioEntry, cpio } from '../cpio.ts';
import { VmError } from '../errors.ts';

/** It takes half a minute on a machine that has nothing else to do. */
const timeoutMs = 240_000;

/** One thread for the reason that test/vm/qemu.ts has. Pointers are signed by a cheaper algorithm than the architecture's own, which is slow to emulate. */
const settings = [
  ...['-machine', 'virt', '-accel', 'tcg,thread=single', '-cpu', 'max,pauth-impdef=on', '-smp', '2', '-m', '2048'],
  ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-net', 'none'],
];
const kernelArguments = 'console=ttyAMA0 loglevel=3 psi=1 panic=-1 mitigations=off nowatchdog rdinit=/init';

/** Runs a command in a machine with these files. @returns what it printed @throws VmError COMMAND_FAILED, BOOT_FAILED */
export async function runOnArm64(
  kernel: string,
  files: readonly CpioEntry[],
  command: readonly string[],
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'robotgc-arm64-'));
  const [initrd, consoleLog] = [join(directory, 'initrd'), join(directory, 'console.log')];
  try {
    const words: CpioEntry = { path: 'command', type: 'file', content: Buffer.from(command.join('\n')) };
    await writeFile(initrd, cpio([...files, words]));
    const boot = ['-kernel', kernel, '-initrd', initrd, '-append', kernelArguments, '-serial', `file:${consoleLog}`];
    // It does not outlive this process.
    const qemu = ['setpriv', '--pdeathsig', 'KILL', '--', 'qemu-system-aarch64', ...settings, ...boot];
    const cause = await run(qemu, { signal: AbortSignal.timeout(timeoutMs) }).then(
      () => undefined,
      (error: unknown) => error,
    );
    return outputIn(await readFile(consoleLog, 'utf8').catch(() => ''), cause);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function outputIn(text: string, cause: unknown): string {
  const lines = text.split(/\r?\n/);
  const told = (name: string): string => {
    const start = `robotgc: ${name} `;
    const pieces = lines.flatMap((line) => (line.startsWith(start) ? [line.slice(start.length)] : []));
    return Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64'))).toString();
  };
  if (!lines.includes('robotgc: all told')) {
    throw new VmError('BOOT_FAILED', `the machine did not come to its end\n${text.slice(-2000)}`, { cause });
  }
  if (!lines.includes('robotgc: ended: <nil>')) {
    throw new VmError('COMMAND_FAILED', `${told('stdout').slice(-2000)}\n${told('stderr').slice(-4000)}`);
  }
  return told('stdout');
}
