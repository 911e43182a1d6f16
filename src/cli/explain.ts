/** `robotgc explain -f policy.yaml`: every number a policy leads to, with its formula and inputs. */
import { type Command, Option } from 'commander';
import { type PolicySpec, RunbookName } from '../api/index.ts';
import { deriveThresholds, explainThresholds, quantity, type ThresholdRow, unsetSignals } from '../model/index.ts';
import { RUNBOOKS } from '../remedy/index.ts';
import { printJson } from './output.ts';
import { loadPolicy } from './policy-file.ts';

interface ExplainOptions {
  readonly file: string;
  readonly output: 'json' | 'text';
}

export function register(program: Command): void {
  program
    .command('explain')
    .description(
      'show the thresholds derived from a policy, each with its formula and inputs, and its runbooks in their order',
    )
    .requiredOption('-f, --file <policy.yaml>', 'the policy')
    .addOption(new Option('-o, --output <format>', 'what to print').choices(['text', 'json']).default('text'))
    .action(({ file, output }: ExplainOptions) => {
      const { metadata, spec } = loadPolicy(file);
      const rows = explainThresholds(spec);
      if (output === 'json') {
        printJson({
          policy: metadata.name,
          thresholds: rows,
          breach: deriveThresholds(spec).breach,
          tuning: spec.tuning,
          runbooks: runbooksOf(spec),
        });
      } else {
        const unset = `without a limit, and not judged: ${unsetSignals(spec).join(', ')}`;
        const parts = [...rows.map(paragraph), unset, runbookList(spec)];
        process.stdout.write(`policy ${metadata.name}\n\n${parts.join('\n\n')}\n`);
      }
    });
}

function runbooksOf({ actions }: PolicySpec) {
  const names = actions.runbooks ?? RunbookName.options;
  return names.map((name) => ({ name, against: RUNBOOKS[name].against, does: RUNBOOKS[name].does }));
}

function runbookList(spec: PolicySpec): string {
  const lines = runbooksOf(spec).map(
    ({ name, against, does }) => `    ${name}  against ${against.join(', ')}: ${does}`,
  );
  return ['runbooks, the first that can answers a cause', ...lines].join('\n');
}

function paragraph({ signal, limit, unit, formula, inputs, enforced, note }: ThresholdRow): string {
  const given = Object.entries(inputs).map(([name, value]) => `${name} ${value}`);
  return [
    `${signal}  ${enforced ? '≤ ' : ''}${limitText(limit, unit)}${enforced ? '' : '  (not judged)'}`,
    `    = ${formula}`,
    `    with ${given.join(', ')}`,
    ...(note ? [`    ${note}`] : []),
  ].join('\n');
}

function limitText(value: number, unit: ThresholdRow['unit']): string {
  return unit === '1/h' ? `${value.toFixed(2)} per hour` : quantity(value, unit, 6);
}
