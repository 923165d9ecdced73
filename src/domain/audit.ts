/** Who does something: a key of the API, a visitor of the set-up pages, or whoever runs a command beside the service. */
export const ACTORS = ['key', 'visitor', 'operator'] as const;
export type Actor = (typeof ACTORS)[number];
