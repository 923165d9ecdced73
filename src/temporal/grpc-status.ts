import { codeOf } from './log.ts';

/** The gRPC status codes that are told apart here. */
export const GRPC = {
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  unimplemented: 12,
  unauthenticated: 16,
} as const;

/** The gRPC status of a failed call, also where the SDK wrapped it. */
export function statusOf(error: unknown): number | undefined {
  const own = codeOf(error);
  if (/^\d+$/.test(own)) return Number(own);
  const cause = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
  return cause === undefined ? undefined : statusOf(cause);
}

/** What a person can do about a failed connection. */
export function hintFor(error: unknown, address: string, namespace: string): string {
  switch (statusOf(error)) {
    case GRPC.notFound:
      return (
        `If the namespace is missing, create it: ` +
        `temporal operator namespace create --address ${address} --namespace ${namespace} --retention 72h.`
      );
    case GRPC.permissionDenied:
    case GRPC.unauthenticated:
      return `Check TEMPORAL_API_KEY or the client certificate, and their rights on namespace ${namespace}.`;
    default:
      return 'Check TEMPORAL_ADDRESS, TEMPORAL_TLS_* and that the server runs.';
  }
}
