import TestSequencer from '@jest/test-sequencer';

/** The longest, which a fresh clone would know nothing of: begun last, each would hold up the end alone. */
const LONGEST = ['/test/store/', '/test/chaos/', '/test/journey/connect', '/test/workflows/tenant'];

const place = ({ path }) => {
  const found = LONGEST.findIndex((part) => path.includes(part));
  return found === -1 ? LONGEST.length : found;
};

/** Begins with the longest; for the rest Jest's own order. */
export default class LongestFirst extends TestSequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    return sorted.sort((a, b) => place(a) - place(b));
  }
}
