import type { TenantSpec } from './tenant.ts';

/** Directories that the program starts with when it is told nothing else. */
export const PRESETS = {
  none: [],
  demo: [
    { domain: 'contoso.com', displayName: 'Contoso', users: 240, groups: 24, memberships: 900, guests: 0.08 },
    { domain: 'fabrikam.com', displayName: 'Fabrikam', users: 60, groups: 12, memberships: 200 },
  ],
  small: [{ domain: 'contoso.com', displayName: 'Contoso', users: 40, groups: 8, memberships: 90 }],
  large: [
    {
      domain: 'contoso.com',
      displayName: 'Contoso',
      users: 20_000,
      groups: 2000,
      memberships: 100_000,
      nestedCycles: 5,
    },
  ],
} as const satisfies Readonly<Record<string, readonly TenantSpec[]>>;

export type PresetName = keyof typeof PRESETS;

export function isPresetName(name: string): name is PresetName {
  return name in PRESETS;
}
