/** The probe reads the registers that the plan speaks of. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { goRegisters } from './architecture.ts';

const header = readFileSync(new URL('../../bpf/src/machine.h', import.meta.url), 'utf8');

/** What the probe's table says, in Go's names. */
function probeRegister(machine: string, macro: string): string | undefined {
  const part = header.slice(header.indexOf(`defined(__TARGET_ARCH_${machine})`));
  const [, x86, arm64] = new RegExp(`#define ${macro}\\(\\w+\\) .*?(?:->(\\w+)\\)|, (\\d+)\\))`).exec(part) ?? [];
  return x86 === undefined ? `r${arm64}` : x86.replace(/^r(?=\D)/, '');
}

it.each([
  ['amd64', 'x86'],
  ['arm64', 'arm64'],
] as const)("Go's registers on %s are the same in both tables", (processor, machine) => {
  const { arguments: names, g } = goRegisters[processor];
  for (const [i, name] of names.slice(0, 5).entries()) expect(probeRegister(machine, `GO_ARG${i + 1}`)).toBe(name);
  expect(probeRegister(machine, 'GO_RESULT1')).toBe(names[0]);
  expect(probeRegister(machine, 'GO_G')).toBe(g);
});
