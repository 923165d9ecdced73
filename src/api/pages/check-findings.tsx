import type { Finding } from '../../domain/doctor.ts';

/** What a check found that the reader can mend. What others have to mend is told to them, not here. */
export function Findings({ findings }: { readonly findings: readonly Finding[] }) {
  const mine = findings.filter(({ level, who }) => level !== 'ok' && who === 'customer administrator');
  const blocked = findings.some(({ level, who }) => level === 'error' && who !== 'customer administrator');
  return (
    <section class={mine.length === 0 ? 'notice' : 'notice bad'} aria-labelledby="check">
      <h2 id="check">What Microsoft says now</h2>
      {mine.map((finding) => (
        <Mine finding={finding} />
      ))}
      {mine.length === 0 && !blocked ? <p>Nothing is in the way that you would have to change.</p> : null}
      {blocked ? (
        <p>
          Something is in the way on our side or Microsoft's, about which you need not do anything. Check again later.
        </p>
      ) : null}
    </section>
  );
}

function Mine({ finding: { title, steps, link, evidence } }: { readonly finding: Finding }) {
  const { requestId } = evidence;
  return (
    <>
      <h3>{title}</h3>
      <ul>
        {steps.map((step) => (
          <li>{step}</li>
        ))}
        {link === undefined ? null : (
          <li>
            <a href={link}>{new URL(link).hostname === 'entra.microsoft.com' ? OPEN : READ}</a>
          </li>
        )}
      </ul>
      {typeof requestId === 'string' ? (
        <p>
          Microsoft's request id: <code>{requestId}</code>
        </p>
      ) : null}
    </>
  );
}

const OPEN = 'Open it in the Entra admin center';
const READ = "Microsoft's page on this";
