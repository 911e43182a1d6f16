import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { goVersion, planAttach } from './index.ts';
import { bytesReader } from './reader.ts';
import { buildRobot, refusedToolchains, whyNoToolchain } from './testing/go-toolchain.ts';

const missing = whyNoToolchain();
const plain = { name: 'plain', flags: [], cgo: false };
const read = (file: string) => bytesReader(readFileSync(file));

describe.skipIf(missing !== undefined)(
  `real programs that are refused${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    // Go 1.17 is the last with build info by pointers, 1.21 the last without layout.
    it.each(refusedToolchains)('go%s: by its version', (version) => {
      const reader = read(buildRobot(version, plain));
      expect(goVersion(reader)).toMatchObject({ kind: 'go', goVersion: `go${version}`, arch: 'amd64' });
      expect(planAttach(reader)).toMatchObject({
        kind: 'refused',
        reason: 'unsupported-go-version',
        message: `built with go${version}; supported: go1.22 to go1.26: rebuild with one of these`,
      });
    });

    it.each([['arm64', 'not supported yet: arm64']])('%s: by its architecture', (arch, message) => {
      const reader = read(buildRobot('1.26.8', { ...plain, name: arch }, { GOARCH: arch }));
      expect(goVersion(reader)).toMatchObject({ kind: 'go', goVersion: 'go1.26.8' });
      expect(planAttach(reader)).toMatchObject({
        reason: 'unsupported-arch',
        message: expect.stringContaining(message),
      });
    });

    it.each(['386'])('%s: not 64-bit', (arch) => {
      const reader = read(buildRobot('1.26.8', { ...plain, name: arch }, { GOARCH: arch }));
      expect(planAttach(reader)).toMatchObject({ reason: 'unsupported-arch' });
      expect(goVersion(reader)).toMatchObject({ reason: 'unsupported-arch' });
    });

    it('a C program', () => {
      expect(planAttach(read('/bin/sh'))).toMatchObject({ reason: 'not-go' });
    });

    it('a Go program cut off at every hundredth of its length', () => {
      const bytes = readFileSync(buildRobot('1.26.8', plain));
      for (let i = 0; i < 100; i++) {
        const found = planAttach(bytesReader(bytes.subarray(0, Math.floor((bytes.length * i) / 100))));
        expect(found.kind).toBe('refused');
        if (found.kind === 'refused') expect(found.reason).toBe(i === 0 ? 'not-elf' : 'truncated');
      }
    });
  },
);
