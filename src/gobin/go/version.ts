import { supportedGo } from '../layout.ts';
import { refuse } from '../refusal.ts';

/** Minor of a released Go 1 version such as `go1.26.8`, `go1.22.2-vendor`, `go1.26.1 X:boringcrypto`; refuses others with the reason. */
export function supportedMinor(goVersion: string, isKnown: (minor: number) => boolean): number {
  const match = /^go1\.(\d{1,3})(?=$|[. +-])/.exec(goVersion);
  if (match === null) {
    refuse(
      'unsupported-go-version',
      `built with ${printable(goVersion)}, not a released Go; supported: ${supportedGo}`,
    );
  }
  const minor = Number(match[1]);
  if (!isKnown(minor)) {
    refuse(
      'unsupported-go-version',
      `built with ${printable(goVersion)}; supported: ${supportedGo}: rebuild with one of these`,
    );
  }
  return minor;
}

/** Foreign text on its way into a status: short, one line. */
export function printable(text: string): string {
  return text.slice(0, 80).replace(/[^\x20-\x7e]/g, '?');
}
