import { describe, it } from 'vitest';
import { fuzzParsers } from './testing/fuzz-parsers.ts';

describe('parsers of foreign text', () => {
  it('never throw (the long run: npm run fuzz)', () => fuzzParsers(2000), 120_000);
});
