import { segmentsOf } from '../http/message.ts';

/** One segment of a path: `users`, `users('id')`, `servicePrincipals(appId='…')`, `delta()`. */
export interface PathPart {
  readonly name: string;
  readonly key?: string | undefined;
  /** The text between the brackets when it is no plain key. */
  readonly alternate?: string | undefined;
}

const CALL = /^([A-Za-z0-9_.$]+)\((.*)\)$/s;

/** The segments after the version. */
export function parsePath(path: string): PathPart[] {
  return segmentsOf(path).slice(1).map(parsePart);
}

function parsePart(segment: string): PathPart {
  const match = CALL.exec(segment);
  const [, name, inner] = match ?? [];
  if (name === undefined || inner === undefined) return { name: segment };
  if (inner === '') return { name };
  const quoted = /^'((?:[^']|'')*)'$/.exec(inner)?.[1];
  return quoted === undefined ? { name, alternate: inner } : { name, key: quoted.replaceAll("''", "'") };
}
