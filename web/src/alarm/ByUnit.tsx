import { useMemo } from 'preact/hooks';
import { parameter, set } from '../address/address';
import type { Alarm } from '../api/shape';
import { Chip } from '../control/Button';
import { language } from '../i18n/language';
import { shared } from '../i18n/shared';
import { byUnit, type Entry } from './units';

/** Whether the list is by unit, and which units are open, stands in the address. */
export function ByUnit({ flooding }: { flooding: boolean }) {
  const on = parameter('group') === 'unit';
  return (
    <span class="by-unit" data-offered={(flooding && !on) || undefined}>
      <Chip on={on} onToggle={() => set({ group: on ? null : 'unit', units: null })}>
        {shared('group.by-unit')}
      </Chip>
    </span>
  );
}

/** The list by unit where the address asks for it; null otherwise. `names` changes when a unit may be called otherwise. */
export function useUnits(alarms: readonly Alarm[], label: (alarm: Alarm) => string, names: unknown): { entries: readonly Entry[]; onToggle: (unit: string) => void } | null {
  const on = parameter('group') === 'unit';
  const open = parameter('units') ?? '';
  const entries = useMemo(() => (on ? byUnit(alarms, label, read(open)) : null), [on, alarms, open, label, names, language.value]);
  if (!entries) return null;
  const onToggle = (unit: string): void => {
    const units = read(parameter('units') ?? '');
    const next = units.includes(unit) ? units.filter((one) => one !== unit) : [...units, unit];
    set({ units: next.map(encodeURIComponent).join(',') || null });
  };
  return { entries, onToggle };
}

const read = (text: string): string[] => text.split(',').filter(Boolean).map(decoded);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
