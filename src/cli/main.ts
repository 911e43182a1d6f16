#!/usr/bin/env node
/** The command `robotgc`. */
import { Command } from 'commander';
import { register as bundle } from './bundle.ts';
import { register as capture } from './capture.ts';
import { CliError, exitCodes } from './exit.ts';
import { register as operator } from './operator.ts';
import { say } from './output.ts';
import { register as watch } from './watch.ts';

const program = new Command('robotgc').description('Keeps Go services inside their latency SLA').exitOverride();
watch(program);
capture(program);
bundle(program);
operator(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CliError) {
    say(`robotgc: ${error.message}`);
    process.exitCode = error.exitCode;
  } else if (error instanceof Error && 'code' in error && String(error.code).startsWith('commander.')) {
    process.exitCode = 'exitCode' in error && error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  } else {
    throw error;
  }
}
