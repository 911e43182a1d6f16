/** What docs/cooperation.md gives to teams, taken from that page: the Go package, and the pod that it needs. */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { repositoryDir } from '../cluster/paths.ts';

const page = readFileSync(join(repositoryDir, 'docs/cooperation.md'), 'utf8');
const blocks = (language: string): string[] =>
  Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm')), ([, text = '']) => text);

/** Makes a Go module of that package, `cooperating/follow`, and a program that uses it. */
export async function writeCooperating(folder: string, main: string): Promise<void> {
  await mkdir(join(folder, 'follow'), { recursive: true });
  await writeFile(join(folder, 'go.mod'), 'module cooperating\n\ngo 1.22\n');
  await writeFile(join(folder, 'follow', 'follow.go'), blocks('go')[0] ?? '');
  await writeFile(join(folder, 'main.go'), main);
}

const Container = z.object({ volumeMounts: z.array(z.object({ name: z.string() }).loose()) });
const Template = z.object({
  spec: z.object({ containers: z.tuple([Container]), volumes: z.array(z.object({ name: z.string() }).loose()) }),
});

export const documentedPod = Template.parse(
  blocks('yaml')
    .map((text) => parse(text))
    .find((each) => !each.kind),
).spec;
