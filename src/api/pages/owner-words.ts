import type { Owner } from '../../domain/catalogue/remedies.ts';

const WORDS: Readonly<Record<Owner, string>> = {
  'customer administrator': 'an administrator of your directory',
  user: 'you',
  'product operator': 'whoever runs the product',
  Microsoft: 'Microsoft',
  'nobody: wait': 'nobody has to: wait',
};

/** Who must act, in words for the customer's side. */
export const inOwnWords = (owner: Owner): string => WORDS[owner];
