/** The schema of a policy as the API server has it, from `crds/`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { repositoryDir } from '../cluster/paths.ts';

export interface Schema {
  readonly type: string;
  readonly enum?: readonly string[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly items?: Schema | undefined;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly additionalProperties?: Schema | undefined;
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[] | undefined;
}

const Schema: z.ZodType<Schema> = z.lazy(() =>
  z.object({
    type: z.string(),
    enum: z.array(z.string()).optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    items: Schema.optional(),
    properties: z.record(z.string(), Schema).optional(),
    additionalProperties: Schema.optional(),
    'x-kubernetes-validations': z.array(z.object({ rule: z.string(), message: z.string() })).optional(),
  }),
);

const Crd = z.object({
  spec: z.object({
    versions: z.tuple([
      z.object({ schema: z.object({ openAPIV3Schema: z.object({ properties: z.object({ spec: Schema }) }) }) }),
    ]),
  }),
});

export async function policySpecSchema(): Promise<Schema> {
  const text = await readFile(join(repositoryDir, 'crds/robotgcpolicies.yaml'), 'utf8');
  return Crd.parse(parse(text)).spec.versions[0].schema.openAPIV3Schema.properties.spec;
}

/** The form that a text must have, where the schema asks for one. */
export function formOf(schema: Schema): { readonly pattern: RegExp; readonly message: string } | undefined {
  for (const { rule, message } of schema['x-kubernetes-validations'] ?? []) {
    const [, pattern] = /^self\.matches\(r'(.*)'\)$/.exec(rule) ?? [];
    if (pattern !== undefined) return { pattern: new RegExp(pattern), message };
  }
  return undefined;
}
