import { expect, test } from 'vitest';
import { boundedLines } from './bounded-lines.ts';

class Pipe {
  readonly taken: string[] = [];
  #waiting = 0;
  get writableLength(): number {
    return this.#waiting;
  }
  write(line: string): void {
    this.taken.push(line);
    this.#waiting += line.length;
  }
  read(bytes: number): void {
    this.#waiting -= bytes;
  }
}

test('while lines are read, all are written', () => {
  const pipe = new Pipe();
  const write = boundedLines(pipe, (lines) => pipe.write(`dropped ${lines}`), 20);
  for (const line of ['one', 'two', 'three']) {
    write(line);
    pipe.read(line.length);
  }
  expect(pipe.taken).toEqual(['one', 'two', 'three']);
});

test('beyond the limit lines are dropped until half of it is free, and their number is told before the next', () => {
  const pipe = new Pipe();
  const write = boundedLines(pipe, (lines) => pipe.write(`dropped ${lines}`), 20);
  for (let i = 0; i < 10; i++) write('0123456789');
  expect(pipe.taken).toHaveLength(3);
  pipe.read(10);
  write('still too many');
  expect(pipe.taken).toHaveLength(3);
  pipe.read(20);
  write('next');
  expect(pipe.taken.slice(3)).toEqual(['dropped 8', 'next']);
});
