/** Labelled recordings as one small file for each label: NDJSON, gzipped. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { PolicySpec } from '../../src/api/index.ts';
import { SignalWindow } from '../../src/model/index.ts';
import { LABELS, type Label } from './fault.ts';

const Recording = z.object({
  label: z.enum(LABELS),
  /** What sets this run apart from the others of its label. */
  name: z.string(),
  /** What else was going on; null: the fault alone. */
  noise: z.string().nullable(),
  goVersion: z.string(),
  spec: PolicySpec,
  windows: z.array(SignalWindow).readonly(),
});
export type Recording = z.infer<typeof Recording>;

function fileOf(label: Label): string {
  return fileURLToPath(new URL(`./testdata/${label}.ndjson.gz`, import.meta.url));
}

/** In the order in which they were recorded; none where nothing was recorded yet. */
export function readRecordings(label: Label): Recording[] {
  const file = fileOf(label);
  if (!existsSync(file)) return [];
  const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n');
  return lines.map((line) => Recording.parse(JSON.parse(line)));
}

export function allRecordings(): Recording[] {
  return LABELS.flatMap(readRecordings);
}

export function writeRecordings(label: Label, recordings: readonly Recording[]): void {
  const lines = recordings.map((recording) => JSON.stringify(recording, rounded));
  writeFileSync(fileOf(label), gzipSync(`${lines.join('\n')}\n`, { level: 9 }));
}

/** Nobody's verdict hangs on the seventh digit of a share, and digits are what the file is made of. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}
