import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { address, set } from '../address/address';
import type { Alarm } from '../api/shape';
import { Button, Chip } from '../control/Button';
import { Select } from '../control/Field';
import { shared } from '../i18n/shared';
import { useKeys } from '../keys/keys';
import { hidden, NO_FILTER, readFilter, STANDS, stands, toggled } from './filter';
import { countKinds, kind, KINDS } from './state';
import { Shape } from './Symbol';

interface FiltersProps {
  /** What stands at the end of the line. */
  children?: ComponentChildren;
  alarms: readonly Alarm[];
  /** Areas or sites to choose from, by the parameter that holds the choice. */
  among?: { parameter: 'area' | 'site'; label: string; all: string; choices: readonly { value: string; label: string }[] };
}

/** Filters as chips, with how many each would show. Their state is the address. */
export function Filters({ alarms, among, children }: FiltersProps) {
  const search = useRef<HTMLInputElement>(null);
  const filter = readFilter(address.value.parameters);
  useKeys({ '/': () => search.current?.focus() });
  const all = countKinds(alarms);
  const count = (holds: (alarm: Alarm) => boolean): number => alarms.filter(holds).length;
  return (
    <div class="chips no-print">
      {KINDS.map((one) => (
        <Chip key={one} on={filter.kinds.includes(one)} onToggle={() => set({ kind: toggled(filter.kinds, one) })}>
          <span class={all[one] === 0 ? 'quiet' : 'sign'}>
            <Shape kind={one} />
          </span>
          {shared(`priority.${one}`)}
          <span class="number muted">{all[one]}</span>
        </Chip>
      ))}
      <span class="divider" aria-hidden="true" />
      {STANDS.map((stand) => (
        <Chip key={stand} on={filter.stands.includes(stand)} onToggle={() => set({ state: toggled(filter.stands, stand) })}>
          {shared(`stand.${stand}`)}
          <span class="number muted">{count((alarm) => stands(alarm, stand))}</span>
        </Chip>
      ))}
      {among && among.choices.length > 1 && (
        <Select
          label={among.label}
          value={address.value.parameters.get(among.parameter) ?? ''}
          choices={[{ value: '', label: among.all }, ...among.choices]}
          onChoose={(value) => set({ [among.parameter]: value })}
        />
      )}
      <input
        ref={search}
        class="input search"
        type="search"
        placeholder={shared('alarms.search')}
        aria-label={shared('alarms.search')}
        value={filter.text}
        onInput={(event) => set({ q: event.currentTarget.value })}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      <Hidden hidden={hidden(alarms, filter)} />
      {children && <span class="end">{children}</span>}
    </div>
  );
}

/** What the filters keep from sight and somebody should see; one press shows all. */
function Hidden({ hidden }: { hidden: readonly Alarm[] }) {
  const worst = hidden[0];
  if (!worst) return null;
  return (
    <Button onPress={() => set(NO_FILTER)}>
      <Shape kind={kind(worst)} flashing />
      {shared('alarms.hidden', { count: hidden.length })}
    </Button>
  );
}
