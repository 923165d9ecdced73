/** What of the directory is kept. */
export function Groups({ groups }: { readonly groups: readonly string[] }) {
  if (groups.length === 0) return <p>All people and groups of the directory.</p>;
  return (
    <>
      <p>Only these groups and the people in them:</p>
      <ul>
        {groups.map((name) => (
          <li>{name}</li>
        ))}
      </ul>
    </>
  );
}
