import { BundleError } from './types.ts';

/** A ustar name field holds 100 bytes; longer names would need extensions that a canonical bundle does not have. */
const maxPathLength = 100;
const segment = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/**
 * Accepts relative paths of plain ASCII segments joined by `/`, at most 100 characters; a segment begins with a letter, digit
 * or underscore, so that neither `..` nor a hidden file nor an option-like name can come up.
 * @throws BundleError `unsafe-path`
 */
export function checkPath(path: string): string {
  const ok = path.length > 0 && path.length <= maxPathLength && path.split('/').every((part) => segment.test(part));
  if (!ok) {
    throw new BundleError(
      'unsafe-path',
      `bundle entry ${show(path)} is not a plain relative path; refuse this archive`,
      {
        path,
      },
    );
  }
  return path;
}

/** Byte order: the same on every machine, unlike a locale's. */
export function comparePaths(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A foreign name made safe for a terminal. */
export function show(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
}
