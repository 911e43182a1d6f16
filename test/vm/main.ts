/** `node test/vm/main.ts [--kernel 6.12] -- COMMAND…`: boots a machine, runs a command in it here, and ends it. */
import { parseArgs } from 'node:util';
import { isKernelVersion, kernelVersions } from './kernels.ts';
import { bootMachine } from './machine.ts';

const { values, positionals } = parseArgs({
  options: { kernel: { type: 'string', default: '6.12' } },
  allowPositionals: true,
});
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort()).once('SIGTERM', () => interrupted.abort());

if (!isKernelVersion(values.kernel) || positionals.length === 0) {
  console.error(`usage: node test/vm/main.ts [--kernel ${kernelVersions.join('|')}] -- COMMAND [ARGUMENT…]`);
  process.exitCode = 2;
} else {
  await using machine = await bootMachine({
    kernel: values.kernel,
    onProgress: (line) => console.error(line),
    signal: interrupted.signal,
  });
  const { PATH = '', HOME = '/root' } = process.env;
  const { code, stdout, stderr } = await machine.run(positionals, {
    cwd: process.cwd(),
    env: { PATH, HOME },
    timeoutMs: 3_600_000,
    signal: interrupted.signal,
  });
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = code;
}
