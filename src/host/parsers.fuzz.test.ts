import { describe, it } from 'vitest';
import { fuzzParsers } from './testing/fuzz-parsers.ts';

describe('parsers of foreign text, at length', () => {
  it('never throw', () => fuzzParsers(1_000_000));
});
