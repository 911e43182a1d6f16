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

    it('arm64 on an amd64 machine: by its architecture; for a machine of its own it is planned', () => {
      const reader = read(buildRobot('1.26.8', plain, { GOARCH: 'arm64' }));
      expect(planAttach(reader, { machine: 'amd64' })).toMatchObject({
        reason: 'unsupported-arch',
        message: expect.stringContaining('a program for arm64 on a machine of amd64'),
      });
      expect(planAttach(reader, { machine: 'arm64' })).toMatchObject({ kind: 'ok', arch: 'arm64' });
    });

    it('riscv64: by its architecture', () => {
      const reader = read(buildRobot('1.26.8', { ...plain, name: 'riscv64' }, { GOARCH: 'riscv64' }));
      expect(goVersion(reader)).toMatchObject({ kind: 'go', goVersion: 'go1.26.8' });
      expect(planAttach(reader)).toMatchObject({
        reason: 'unsupported-arch',
        message: expect.stringContaining('only amd64 and arm64 code is understood'),
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
