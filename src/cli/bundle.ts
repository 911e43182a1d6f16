/** `robotgc bundle verify` and `robotgc bundle show`: a bundle speaks for itself, no cluster needed. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type Verification, verifyBundle } from '../bundle/index.ts';
import { bundleSummary, verdictLine } from './bundle/sentences.ts';
import { CliError, exitCodes } from './exit.ts';
import { printJson, say } from './output.ts';

export function register(program: Command): void {
  const bundle = program.command('bundle').description('look at incident bundles');
  bundle
    .command('verify <files...>')
    .description('check every file of a bundle against its manifest, and its signature against a key')
    .option('--key <pub>', 'ed25519 public key, PEM')
    .action(async (files: string[], options: { key?: string }) => {
      process.exitCode = await verify(files, options.key === undefined ? undefined : readKey(options.key));
    });
  bundle
    .command('show <file>')
    .description('what a bundle holds')
    .action(async (file: string) => {
      process.exitCode = await show(file);
    });
}

/** One JSON object a file. */
async function verify(files: readonly string[], publicKey: string | undefined): Promise<number> {
  let bad = 0;
  for (const file of files) {
    const result = await check(file, publicKey);
    if (!result.ok) bad += 1;
    const { ok, problems, signature, sha256, sizeBytes, manifest } = result;
    printJson({
      file,
      ok,
      signature,
      sha256: sha256 ?? null,
      sizeBytes: sizeBytes ?? null,
      files: manifest?.files.length ?? null,
      problems,
    });
    say(verdictLine(file, result));
  }
  return bad === 0 ? exitCodes.ok : exitCodes.finding;
}

async function show(file: string): Promise<number> {
  const result = await check(file, undefined);
  if (result.manifest) {
    printJson(result.manifest);
    for (const line of bundleSummary(result.manifest)) say(line);
  }
  say(verdictLine(file, result));
  return result.ok ? exitCodes.ok : exitCodes.finding;
}

async function check(file: string, publicKey: string | undefined): Promise<Verification> {
  try {
    return await verifyBundle(file, publicKey === undefined ? {} : { publicKey });
  } catch (error) {
    // Only a key that is none is thrown: what is wrong with a bundle is an answer.
    throw new CliError(exitCodes.usage, error instanceof Error ? error.message : String(error));
  }
}

function readKey(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError(
      exitCodes.usage,
      `--key ${path} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
}
