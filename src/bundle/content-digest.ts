/** `Content-Digest` of RFC 9530: a structured-field dictionary of byte sequences; here only sha-256 counts. */
const sha256Member = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?=,|$)/;

/** @returns the sha256 in lower-case hex, or undefined when the header holds none */
export function parseContentDigest(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '');
  const base64 = sha256Member.exec(text)?.[1];
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('hex');
}

/** @param sha256 in hex */
export function formatContentDigest(sha256: string): string {
  return `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`;
}
