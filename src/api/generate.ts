/** `npm run generate`: writes `crds/*.yaml` from the schemas. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crdFiles } from './crd-files.ts';

const directory = fileURLToPath(new URL('../../crds', import.meta.url));
mkdirSync(directory, { recursive: true });
for (const [name, text] of Object.entries(crdFiles())) {
  writeFileSync(join(directory, name), text);
  process.stderr.write(`crds/${name}\n`);
}
