interface ProblemDocument {
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly pointer?: string; readonly detail?: string }[];
}

/** One call of the API. Rejects with a sentence: what was asked, what the API said, and what helps. */
export async function callApi<T>(
  { url, key }: { readonly url: string; readonly key: string | undefined },
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  if (!key) throw new Error('No API key: set API_KEY, or give --key');
  let response: Response;
  try {
    response = await fetch(url.replace(/\/+$/, '') + path, {
      method,
      headers: {
        Authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
  } catch (error) {
    const { cause } = error as Error;
    throw new Error(
      `${url} cannot be reached (${cause instanceof Error ? cause.message : String(error)}): is PUBLIC_URL right?`,
      {
        cause: error,
      },
    );
  }
  const text = await response.text();
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
  throw new Error(`${method} ${path}: ${response.status} ${inWords(text)}`);
}

function inWords(text: string): string {
  try {
    const { title = '', detail, errors = [] } = JSON.parse(text) as ProblemDocument;
    const faults = errors.map((fault) => `\n  ${fault.pointer ?? ''} ${fault.detail ?? ''}`);
    return `${title}${detail === undefined ? '' : `. ${detail}`}${faults.join('')}`;
  } catch {
    return text.slice(0, 200);
  }
}
