/** The table of stop reasons against the runtime's own source. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { markTermination, stopReason, sweepTermination } from '../../model/index.ts';
import { missingGround } from './testing/ground.ts';

const missing = missingGround();

describe.skipIf(missing !== '')(`stop reasons${missing}`, () => {
  it('have the names and numbers of the installed Go', () => {
    const root = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim();
    const source = readFileSync(`${root}/src/runtime/proc.go`, 'utf8');
    const [, constants = ''] = /const \(\n(\tstwUnknown [^)]*(?:\([^)]*\)[^)]*)*)\n\)/.exec(source) ?? [];
    const names = [...constants.matchAll(/^\tstw\w+.*\/\/ "(.*)"$/gm)].map(([, name]) => name);
    const known = names.filter((name) => name?.endsWith('(test)') === false);
    expect(known).toHaveLength(12);
    expect(known.map((_, reason) => stopReason(reason).name)).toEqual(known);
    expect(known[markTermination]).toBe('GC mark termination');
    expect(known[sweepTermination]).toBe('GC sweep termination');
  });
});
