/** How values come out of both drivers: numbers that JavaScript can count with, times as ISO 8601. */
export const INT8 = 20;
export const TIMESTAMPTZ = 1184;

export const isoTime = (text: string): string => new Date(text).toISOString();
