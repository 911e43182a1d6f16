/** Versions of what makes a bundle, for its manifest. */
import { release } from 'node:os';
import packageJson from '../../../package.json' with { type: 'json' };

export function toolVersions(goVersion: string | undefined): Record<string, string> {
  return {
    robotgc: packageJson.version,
    node: process.versions.node,
    kernel: release(),
    ...(goVersion === undefined ? {} : { go: goVersion }),
  };
}
