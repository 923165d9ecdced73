import { hash32, Random } from '../random.ts';
import type { DirectoryRecord, Json } from './directory-record.ts';
import { GROUP_TOPICS } from './names.ts';

const KINDS = ['unified', 'security', 'security', 'security', 'mailSecurity', 'distribution', 'dynamic'] as const;

/** Writes down group number `index`. The kinds and their three flags are those of the group overview of Graph. */
export function generateGroup(seed: number, domain: string, index: number, id: string): DirectoryRecord {
  const random = new Random(hash32(seed, 0x67727570, index));
  // The first groups are of each kind in turn, so that even a small tenant has all of them.
  const kind = index < KINDS.length ? (KINDS[index] ?? 'security') : (KINDS[random.int(KINDS.length)] ?? 'security');
  const topic = random.pick(GROUP_TOPICS);
  const mailEnabled = kind === 'unified' || kind === 'mailSecurity' || kind === 'distribution';
  const nickname = `group${index}`;
  const record: Record<string, Json> & { id: string } = {
    id,
    displayName: `${topic} ${index}`,
    groupTypes: kind === 'unified' ? ['Unified'] : kind === 'dynamic' ? ['DynamicMembership'] : [],
    mailEnabled,
    mailNickname: nickname,
    securityEnabled: kind !== 'distribution' && kind !== 'unified',
    createdDateTime: new Date(Date.UTC(2016, 0, 1) + random.int(3000) * 86_400_000).toISOString().replace('.000Z', 'Z'),
    proxyAddresses: mailEnabled ? [`SMTP:${nickname}@${domain}`] : [],
  };
  if (mailEnabled) record['mail'] = `${nickname}@${domain}`;
  if (random.chance(0.7)) record['description'] = `Everyone who works on ${topic}`;
  if (kind === 'unified') record['visibility'] = random.chance(0.5) ? 'Private' : 'Public';
  if (kind === 'dynamic') {
    record['membershipRule'] = 'user.accountEnabled -eq true';
    record['membershipRuleProcessingState'] = 'On';
  }
  if (kind === 'security' && random.chance(0.1)) record['isAssignableToRole'] = true;
  if (kind === 'mailSecurity' && random.chance(0.5)) record['onPremisesSyncEnabled'] = true;
  return record;
}
