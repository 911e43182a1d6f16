/** JSON goes to stdout, words for people to stderr. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
