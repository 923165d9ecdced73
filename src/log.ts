import { pino, type Logger } from 'pino';

/** JSON lines on standard output. What must never be logged is not passed in; the list below is the second line of defence. */
export function createLog(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: [
        'accessToken',
        '*.accessToken',
        'authorization',
        '*.authorization',
        'headers',
        '*.headers',
        'body',
        '*.body',
      ],
      censor: '[redacted]',
    },
  });
}
