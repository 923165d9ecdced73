import * as z from 'zod';

/**
 * Every way in which a request can fail, and its words. Clients branch on `type`: a slug is a promise,
 * a title is not. Nothing outside this file writes an error's JSON.
 */
const CATALOGUE = {
  'invalid-request': { status: 400, title: 'The request has faults' },
  'invalid-json': { status: 400, title: 'The body is not JSON' },
  'invalid-sign-in-code': { status: 400, title: 'This code was used, is too old, or belongs to another sign-in' },
  'invalid-cursor': { status: 400, title: 'This is not a cursor of this list' },
  unauthorized: { status: 401, title: 'A valid API key is needed' },
  'key-not-allowed': { status: 403, title: 'This API key may not do this' },
  'sign-in-refused': { status: 403, title: 'The person may no longer come in' },
  'not-found': { status: 404, title: 'There is no such route' },
  'tenant-not-found': { status: 404, title: 'There is no such tenant' },
  'api-key-not-found': { status: 404, title: 'There is no such API key' },
  'user-not-found': { status: 404, title: 'There is no such user in the mirror' },
  'group-not-found': { status: 404, title: 'There is no such group in the mirror' },
  'method-not-allowed': { status: 405, title: 'This route does not know the method' },
  'tenant-exists': { status: 409, title: 'There is a tenant with this id' },
  'state-conflict': { status: 409, title: "The tenant's state does not allow this" },
  'nothing-to-approve': { status: 409, title: 'No directory waits for approval' },
  'nothing-held': { status: 409, title: 'Nothing is held' },
  'directory-taken': { status: 409, title: 'Another tenant is connected to this directory' },
  'user-not-deleted': { status: 409, title: 'The user is still in the directory' },
  'cursor-expired': { status: 410, title: 'Events after this cursor are no longer there' },
  'content-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body must be application/json in UTF-8' },
  'unknown-directory': { status: 422, title: 'Microsoft knows no such directory' },
  'too-many-requests': { status: 429, title: 'Too many requests from this address' },
  internal: { status: 500, title: 'Something failed on our side' },
  unavailable: { status: 503, title: 'Something that is needed for this cannot be reached' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type ProblemType = keyof typeof CATALOGUE;
export const PROBLEM_TYPES = Object.keys(CATALOGUE).filter((slug): slug is ProblemType => slug in CATALOGUE);

export const fault = z.strictObject({
  in: z.enum(['body', 'query', 'path']),
  pointer: z.string().meta({ description: 'JSON pointer (RFC 6901) to the faulty part', example: '/groupsToSync/0' }),
  detail: z.string(),
});
export type Fault = z.infer<typeof fault>;

/** RFC 9457. */
export const problemDocument = z
  .strictObject({
    type: z.string().meta({ description: 'The kind of problem, `/problems/{slug}`: branch on this' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    instance: z.string().meta({ description: 'This occurrence: the request id, which the log has too' }),
    errors: z.array(fault).optional().meta({ description: 'Every fault of the request, all at once' }),
  })
  .meta({ id: 'Problem' });
export type ProblemDocument = z.infer<typeof problemDocument>;

/** What a handler says of a failure; the rest is added where it is sent. */
export interface Problem {
  readonly type: ProblemType;
  readonly detail?: string | undefined;
  readonly errors?: readonly Fault[];
  readonly headers?: Readonly<Record<string, string>>;
}

export const statusOf = (type: ProblemType): number => CATALOGUE[type].status;
export const titleOf = (type: ProblemType): string => CATALOGUE[type].title;

export function toDocument(problem: Problem, requestId: string): ProblemDocument {
  return {
    type: `/problems/${problem.type}`,
    title: titleOf(problem.type),
    status: statusOf(problem.type),
    ...(problem.detail === undefined ? {} : { detail: problem.detail }),
    instance: `urn:uuid:${requestId}`,
    ...(problem.errors === undefined ? {} : { errors: [...problem.errors] }),
  };
}
