/** `testdata/churn` by every supported Go version in every way that programs are built. Kept in the user's cache directory. */
import { fileURLToPath } from 'node:url';
import { buildOnce, supportedToolchains } from '../../../gobin/testing/go-toolchain.ts';

export { supportedToolchains };

export type GoVersion = (typeof supportedToolchains)[number];

export interface BuildMode {
  readonly name: string;
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The first minor that knows it. */
  readonly sinceMinor?: number;
}

const viaC = ['-tags=cgocalls'];

export const buildModes: readonly BuildMode[] = [
  { name: 'normal', flags: [] },
  { name: 'stripped', flags: ['-ldflags=-s -w'] },
  { name: 'trimpath', flags: ['-trimpath'] },
  { name: 'pie', flags: ['-buildmode=pie'] },
  { name: 'cgo', flags: viaC },
  { name: 'cgo-static', flags: [...viaC, '-ldflags=-linkmode external -extldflags -static'] },
  { name: 'race', flags: ['-race'] },
  { name: 'static', flags: [], env: { CGO_ENABLED: '0' } },
  { name: 'nogreenteagc', flags: [], env: { GOEXPERIMENT: 'nogreenteagc' }, sinceMinor: 25 },
  { name: 'greenteagc', flags: [], env: { GOEXPERIMENT: 'greenteagc' }, sinceMinor: 25 },
];

const minorOf = (version: GoVersion): number => Number(version.split('.')[1]);

export function buildModesOf(version: GoVersion): BuildMode[] {
  return buildModes.filter(({ sinceMinor = 0 }) => minorOf(version) >= sinceMinor);
}

/** @returns the program's path */
export function buildChurnAs(version: GoVersion, { name, flags, env }: BuildMode): string {
  const directory = fileURLToPath(new URL('../testdata/churn', import.meta.url));
  return buildOnce(version, directory, `churn-${name}`, flags, { CGO_ENABLED: '1', ...env });
}
