#!/usr/bin/env node
/** The command `robotgc`. */
import { run } from './program.ts';

const exitCode = await run(process.argv.slice(2));
if (exitCode !== undefined) process.exitCode = exitCode;
