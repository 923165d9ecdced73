/** The path under which the product is reached from outside, before every link of a page; mostly empty. */
export const basePathOf = (publicUrl: string): string => new URL(publicUrl).pathname.replace(/\/$/, '');
