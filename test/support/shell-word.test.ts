import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellWord } from './shell-word.ts';

it.each(['plain/path.tar.gz', 'with a blank', "it's", '$HOME `id` "x" \\', ''])(
  'a command to copy means the same word to the shell: %j',
  (word) => {
    expect(execFileSync('sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' })).toBe(word);
  },
);

it('a plain word stays readable', () => {
  expect(shellWord('/var/lib/robotgc/a-1.tar.gz')).toBe('/var/lib/robotgc/a-1.tar.gz');
});
