import { stringify } from 'yaml';

export const redacted = '[redacted]';

/** Names, of environment variables, keys, headers and flags, whose values are taken for secrets. Too many is better than one too few. */
export const secretNames: readonly RegExp[] = [
  /pass(word|wd|phrase)?/i,
  /secret/i,
  /token/i,
  /credential|creds/i,
  /api[-_.]?key|access[-_.]?key|private[-_.]?key|signing[-_.]?key|encryption[-_.]?key|(^|[-_.])key$/i,
  /auth(orization|entication)?([-_.]|$)/i,
  /(^|[-_.])(pwd|pw|pin|otp|salt|seed|dsn|jwt|sas|hmac|sig|signature|cookie|session)([-_.]|$)/i,
  /conn(ection)?[-_.]?str(ing)?|database[-_.]?ur[il]|webhook/i,
  /cert(ificate)?([-_.]|$)|(^|[-_.])pem([-_.]|$)/i,
];

/** Values that give themselves away, whatever they are called. */
export const secretValues: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\./, // JSON Web Token (RFC 7519)
  /\b(AKIA|ASIA)[0-9A-Z]{16}\b/, // AWS access key id
  /\bgh[pousr]_[A-Za-z0-9]{36}/, // GitHub token
  /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/, // Slack token
  /^(Basic|Bearer) \S+/i,
];

/** `scheme://user:password@host`: the user stays, the password goes. */
const urlPassword = /([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/@]+@/gi;

/** Annotations that repeat a whole manifest, environment values included. */
const droppedAnnotations = [/last-applied-configuration$/, /original-object$/, /^objectset\.rio\.cattle\.io\/applied$/];

/** Fields of object metadata that carry nothing an incident needs. */
const droppedMetadata = new Set(['managedFields']);

/**
 * A copy of a Kubernetes object fit for a bundle: values whose name or form looks secret are replaced by `[redacted]`, in
 * env, command-line flags, headers, annotations and volume attributes, anywhere in the object. References (valueFrom, envFrom,
 * secretName, imagePullSecrets) are names, not secrets, and stay. A Secret's own data goes altogether.
 */
export function redact(object: unknown): unknown {
  return redactValue(object, []);
}

/** The redacted copy as YAML, keys sorted, the same text for the same object. */
export function redactedYaml(object: unknown): string {
  return stringify(redact(object), { sortMapEntries: true, aliasDuplicateObjects: false });
}

function redactValue(value: unknown, path: readonly string[]): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) {
    const last = path.at(-1);
    return last === 'args' || last === 'command'
      ? redactArguments(value)
      : value.map((item) => redactValue(item, path));
  }
  if (typeof value !== 'object' || value === null) return value;
  return redactObject(value, path);
}

function redactObject(object: object, path: readonly string[]): Record<string, unknown> {
  const last = path.at(-1);
  const out: Record<string, unknown> = {};
  const named = 'name' in object && typeof object.name === 'string' && looksSecret(object.name);
  for (const [key, value] of Object.entries(object)) {
    if (last === 'metadata' && droppedMetadata.has(key)) continue;
    if (last === 'annotations' && droppedAnnotations.some((pattern) => pattern.test(key))) continue;
    if (typeof value === 'string' && isHidden(key, value, last, named)) out[key] = redacted;
    else if (isSecretData(key, value, object))
      out[key] = Object.fromEntries(Object.keys(value).map((name) => [name, redacted]));
    else out[key] = redactValue(value, [...path, key]);
  }
  return out;
}

/** Maps of free keys, where the key itself names the secret. */
const freeMaps = new Set(['annotations', 'volumeAttributes', 'parameters', 'options', 'data', 'stringData']);

function isHidden(key: string, value: string, parent: string | undefined, named: boolean): boolean {
  if (value === '') return false;
  if (named && key === 'value') return true;
  if (parent === undefined || !freeMaps.has(parent)) return false;
  return looksSecret(key) || holdsManifest(value);
}

function isSecretData(key: string, value: unknown, owner: object): value is object {
  const isSecret = 'kind' in owner && owner.kind === 'Secret';
  return isSecret && (key === 'data' || key === 'stringData') && typeof value === 'object' && value !== null;
}

function looksSecret(name: string): boolean {
  return secretNames.some((pattern) => pattern.test(name));
}

/** Some tools keep a copy of the pod template in an annotation. */
function holdsManifest(value: string): boolean {
  return value.startsWith('{') && /"(env|containers|stringData)"\s*:/.test(value);
}

function redactText(text: string): string {
  if (secretValues.some((pattern) => pattern.test(text))) return redacted;
  return text.replace(urlPassword, `$1:${redacted}@`);
}

/** `--token=x`, `--token x`, `-password x`, `TOKEN=x`. */
function redactArguments(items: readonly unknown[]): unknown[] {
  let hideNext = false;
  return items.map((item) => {
    if (typeof item !== 'string') return item;
    const hide = hideNext;
    hideNext = false;
    if (hide && !item.startsWith('-')) return redacted;
    const assignment = /^(-{0,2}[A-Za-z][\w.-]*)=([\s\S]*)$/.exec(item);
    if (assignment?.[1] && looksSecret(assignment[1]))
      return assignment[2] === '' ? item : `${assignment[1]}=${redacted}`;
    if (/^--?[A-Za-z][\w.-]*$/.test(item) && looksSecret(item)) hideNext = true;
    return redactScript(item);
  });
}

/** `sh -c "export TOKEN=x; serve --password=y"`: assignments inside one argument. */
function redactScript(text: string): string {
  const hidden = text.replace(/([A-Za-z][\w.-]*)=("[^"]*"|'[^']*'|[^\s;&|"']+)/g, (whole, name: string) =>
    looksSecret(name) ? `${name}=${redacted}` : whole,
  );
  return redactText(hidden);
}
