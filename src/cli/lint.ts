/** `robotgc lint -f FILE…`: what the API server would refuse, and what a team would regret. */
import { type Command, Option } from 'commander';
import { exitCodes } from './exit.ts';
import { type Finding, lintText } from './lint/findings.ts';
import { printJson, say } from './output.ts';
import { readText } from './policy-file.ts';

interface LintOptions {
  readonly file: readonly string[];
  readonly warnings: boolean;
  readonly output: 'json' | 'text';
}

export function register(program: Command): void {
  program
    .command('lint')
    .description('check policies without a cluster; exit 1 on any finding')
    .requiredOption('-f, --file <file...>', 'YAML files; documents of other kinds are passed over')
    .option('--no-warnings', 'only what the API server would refuse')
    .addOption(new Option('-o, --output <format>', 'what to print').choices(['text', 'json']).default('text'))
    .action((options: LintOptions) => {
      process.exitCode = run(options);
    });
}

function run({ file: files, warnings, output }: LintOptions): number {
  const linted = files.map((file) => lintText(file, readText(file)));
  const findings = linted.flatMap((one) => one.findings).filter(({ severity }) => warnings || severity === 'error');
  const policies = linted.reduce((sum, one) => sum + one.policies, 0);
  if (output === 'json') printJson({ ok: findings.length === 0, policies, findings });
  else for (const finding of findings) process.stdout.write(`${lineOf(finding)}\n`);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const counted = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;
  say(
    `${counted(policies, 'policy', 'policies')} in ${counted(files.length, 'file', 'files')}: ` +
      `${counted(errors, 'error', 'errors')}, ${counted(findings.length - errors, 'warning', 'warnings')}`,
  );
  return findings.length > 0 ? exitCodes.finding : exitCodes.ok;
}

/** The form that editors and CI systems turn into links. */
function lineOf({ file, line, column, severity, path, message }: Finding): string {
  return `${file}:${line}:${column}: ${severity}: ${path === '' ? '' : `${path}: `}${message}`;
}
