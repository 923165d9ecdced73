import type { TenantRow } from '../../store/face/tenants.ts';
import type { Outcome } from '../consent/decide.ts';
import type { Reply } from '../reply.ts';
import { messageFor } from './outcome-message.ts';
import { wordsOf, type Words } from './outcome-words.tsx';
import { page } from './page.tsx';
import { mailOf } from './whom-it-serves.tsx';

interface Circumstances {
  readonly tenant: TenantRow | undefined;
  /** Where the person may begin again; undefined where it is not known whose consent it was. */
  readonly startUrl: string | undefined;
}

/** A consent that came to nothing: what happened, what to do, and a text for whoever can help. */
export function outcomePage(outcome: Outcome, circumstances: Circumstances, base: string): Reply<never> {
  const words = wordsOf(outcome);
  const { startUrl, tenant } = circumstances;
  return page({
    status: words.status,
    title: words.title,
    base,
    tenant,
    content: (
      <>
        {words.happened}
        <p>Nothing was connected, and nothing is read.</p>
        <h2>What to do</h2>
        <ul>
          {words.steps.map((step) => (
            <li>{step}</li>
          ))}
        </ul>
        {startUrl === undefined ? (
          <p>To try again, open your set-up link once more.</p>
        ) : (
          <p>
            <a href={startUrl} role="button">
              Try again
            </a>
          </p>
        )}
        <TextToSend words={words} outcome={outcome} circumstances={circumstances} />
      </>
    ),
  });
}

const RECIPIENTS = {
  administrator: 'Send this to your administrator',
  product: 'Send this to whoever sent you the set-up link',
} as const;

/** High enough that nothing has to be scrolled, on a wide screen. */
const rowsOf = (text: string): number =>
  Math.min(
    24,
    text.split('\n').reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / 60)), 1),
  );

/** Ready to be copied or mailed, without script. */
function TextToSend(props: {
  readonly words: Words;
  readonly outcome: Outcome;
  readonly circumstances: Circumstances;
}) {
  const { words, outcome, circumstances } = props;
  if (words.ask === null) return null;
  const { subject, body } = messageFor(words.ask, words.title, outcome, circumstances, new Date());
  const to = words.ask === 'product' ? mailOf(circumstances.tenant) : '';
  const query = `subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(body)}`;
  return (
    <>
      <h2>
        <label for="text">{RECIPIENTS[words.ask]}</label>
      </h2>
      <textarea id="text" rows={rowsOf(body)} readOnly>
        {body}
      </textarea>
      <p>
        <a href={`mailto:${encodeURI(to)}?${query}`}>Write it as a mail</a>
      </p>
    </>
  );
}
