/**
 * From zod's JSON Schema to the structural schema that Kubernetes asks of custom resources. What that does not know is dropped or
 * said otherwise: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export interface Validation {
  readonly rule: string;
  readonly message: string;
}

/** The part of OpenAPI v3 that our schemas use. */
export interface Structural {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  format?: string;
  nullable?: boolean;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  required?: string[];
  properties?: Record<string, Structural>;
  additionalProperties?: Structural;
  items?: Structural;
  'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: Validation[];
}

type Node = Readonly<Record<string, unknown>>;

/** Bound of texts that have none of their own: CEL's cost is estimated from bounds. */
const MAX_LENGTH = 1024;
const COPIED = [
  'type',
  'description',
  'default',
  'enum',
  'minLength',
  'minItems',
  'maxItems',
  'maxProperties',
] as const;

/** @throws Error for a construct that has no structural form: better at generation than in a cluster */
export function structural(schema: unknown): Structural {
  const node = asNode(schema);
  const options = Array.isArray(node.anyOf) ? node.anyOf.map(asNode) : undefined;
  if (options) return nullable(node, options);
  if (Array.isArray(node.type))
    return nullable(
      node,
      node.type.map((type) => ({ ...node, type })),
    );
  const result: Structural = {};
  for (const key of COPIED) if (node[key] !== undefined) Object.assign(result, { [key]: node[key] });
  if (typeof node.type !== 'string') throw new Error(`no structural form for ${JSON.stringify(node)}`);
  if (node.type === 'string') text(node, result);
  if (node.type === 'integer' || node.type === 'number') bounds(node, result);
  if (node.type === 'object') {
    fields(node, result);
    if (result.default !== undefined) result.default = filled(result);
  }
  if (node.type === 'array') {
    result.items = structural(node.items);
    result['x-kubernetes-list-type'] = 'atomic';
  }
  return result;
}

/** The server judges a default by the rules before it fills in the defaults within it: so they are written out. */
function filled({ default: own, properties = {} }: Structural): unknown {
  const inner = Object.entries(properties).flatMap(([key, { default: value }]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  return { ...Object.fromEntries(inner), ...asNode(own) };
}

function nullable(node: Node, options: readonly Node[]): Structural {
  const others = options.filter((option) => option.type !== 'null');
  const [only] = others;
  if (!only || others.length !== 1 || others.length === options.length) {
    throw new Error(`no structural form for ${JSON.stringify(options)}`);
  }
  const description = typeof node.description === 'string' ? { description: node.description } : {};
  return { ...structural(only), ...description, nullable: true };
}

/** A pattern with a hint becomes a CEL rule: the API server shows a rule's message, and of a pattern only the pattern. */
function text(node: Node, result: Structural): void {
  if (node.format === 'date-time') {
    result.format = 'date-time';
    return;
  }
  if (result.enum === undefined) result.maxLength = typeof node.maxLength === 'number' ? node.maxLength : MAX_LENGTH;
  if (typeof node.pattern !== 'string') return;
  const message = typeof node.hint === 'string' ? node.hint : `write text that matches ${node.pattern}`;
  // zod escapes "/" as JavaScript does; RE2 does not know that escape. CEL's raw strings keep backslashes.
  const pattern = node.pattern.replaceAll('\\/', '/');
  result['x-kubernetes-validations'] = [{ rule: `self.matches(r'${pattern}')`, message }];
}

/** zod bounds every integer by what a double can hold; that is no bound worth a line. */
function bounds(node: Node, result: Structural): void {
  const { minimum, maximum } = node;
  if (typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER) result.minimum = minimum;
  if (typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER) result.maximum = maximum;
  if (node.type === 'integer') result.format = 'int64';
}

/** `additionalProperties: false` may not stand beside properties: the API server refuses unknown fields by its own validation. */
function fields(node: Node, result: Structural): void {
  const properties = node.properties === undefined ? [] : Object.entries(asNode(node.properties));
  if (properties.length > 0)
    result.properties = Object.fromEntries(properties.map(([key, value]) => [key, structural(value)]));
  else if (node.additionalProperties) result.additionalProperties = structural(node.additionalProperties);
  if (Array.isArray(node.required) && node.required.length > 0) result.required = node.required.map(String);
}

function asNode(value: unknown): Node {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`not a schema: ${JSON.stringify(value)}`);
  return Object.fromEntries(Object.entries(value));
}
