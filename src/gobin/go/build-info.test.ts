import { describe, expect, it } from 'vitest';
import { goVersion } from '../go-version.ts';
import { bytesReader } from '../reader.ts';
import { buildElf, buildInfoSection, loadAddress } from '../testing/build-elf.ts';
import { parseModuleText } from './build-info.ts';

const moduleText = [
  'path\texample.com/robots/dispatch/cmd/server',
  'mod\texample.com/robots/dispatch\t(devel)\t',
  'dep\tgithub.com/some/dep\tv1.2.3\th1:abc=',
  '=>\t./local',
  'build\t-compiler=gc',
  'build\t-race=true',
  'build\tCGO_CFLAGS=',
  'build\t-ldflags="-X \'main.version=a b\' -s"',
  'build\t"odd\\"key"=`raw value`',
].join('\n');

describe('build info', () => {
  it('reads package, module and settings', () => {
    const { packagePath, modulePath, settings } = parseModuleText(moduleText);
    expect({ packagePath, modulePath }).toEqual({
      packagePath: 'example.com/robots/dispatch/cmd/server',
      modulePath: 'example.com/robots/dispatch',
    });
    expect([...settings]).toEqual([
      ['-compiler', 'gc'],
      ['-race', 'true'],
      ['CGO_CFLAGS', ''],
      ['-ldflags', "-X 'main.version=a b' -s"],
      ['odd"key', 'raw value'],
    ]);
  });

  it('is found in an ELF file of any architecture', () => {
    const bytes = buildElf({
      machine: 183,
      sections: [{ name: '.go.buildinfo', data: buildInfoSection('go1.30.1', moduleText) }],
    });
    expect(goVersion(bytesReader(bytes))).toMatchObject({
      kind: 'go',
      goVersion: 'go1.30.1',
      arch: 'arm64',
      buildInfo: { modulePath: 'example.com/robots/dispatch' },
    });
  });

  it('is found behind other bytes of its section, on its alignment', () => {
    const data = Uint8Array.from([...new Uint8Array(48), ...buildInfoSection('go1.26.8')]);
    expect(goVersion(bytesReader(buildElf({ sections: [{ name: '.go.buildinfo', data }] })))).toMatchObject({
      goVersion: 'go1.26.8',
    });
  });

  it('follows the pointers of programs before Go 1.18', () => {
    const version = new TextEncoder().encode('go1.16.15');
    const sectionAt = 128;
    const data = new Uint8Array(64 + version.length);
    const view = new DataView(data.buffer);
    data.set([0xff, ...new TextEncoder().encode(' Go buildinf:'), 8, 0]);
    view.setBigUint64(16, BigInt(loadAddress + sectionAt + 32), true);
    view.setBigUint64(32, BigInt(loadAddress + sectionAt + 64), true);
    view.setBigUint64(40, BigInt(version.length), true);
    data.set(version, 64);
    const bytes = buildElf({ sections: [{ name: '.go.buildinfo', data }] });
    expect(goVersion(bytesReader(bytes))).toMatchObject({ kind: 'go', goVersion: 'go1.16.15' });
  });

  it.each([
    ['an endless length', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], 'malformed'],
    ['a length of 200 MB', [0x80, 0x84, 0xaf, 0x5f], 'malformed'],
    ['an empty version', [0, 0], 'not-go'],
  ])('refuses %s', (_name, lengthBytes, reason) => {
    const data = Uint8Array.from([...buildInfoSection('').subarray(0, 32), ...lengthBytes]);
    expect(goVersion(bytesReader(buildElf({ sections: [{ name: '.go.buildinfo', data }] })))).toMatchObject({ reason });
  });
});
