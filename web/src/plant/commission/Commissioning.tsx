import type { ComponentType } from 'preact';
import { address, go, link } from '../../address/address';
import { useKeys } from '../../keys/keys';
import { commission as say } from './messages';
import { Points } from './Points';
import { Proof } from './Proof';
import { Report } from './Report';
import './commission.css';

interface Tab {
  /** The second part of the address; the first tab's is empty. */
  id: string;
  label: () => string;
  view: ComponentType;
  /** Has an address, and no entry among the tabs. */
  hidden?: boolean;
}

const TABS: readonly Tab[] = [
  { id: 'points', label: () => say('tab.points'), view: Points },
  { id: 'proof', label: () => say('tab.proof'), view: Proof },
  { id: 'report', label: () => say('tab.report'), view: Report },
];

/** What an installer does at the plant, from an empty gateway to a proved site. */
export function Commissioning() {
  const shown = TABS.filter((tab) => !tab.hidden);
  const here = TABS.find((tab) => tab.id === (address.value.rest[0] ?? '')) ?? TABS[0];
  useKeys(Object.fromEntries(shown.map((tab, number) => [String(number + 1), () => go(pathOf(tab))])));
  if (!here) return null;
  const View = here.view;
  return (
    <div class="place commissioning">
      <h1>{say('place')}</h1>
      <nav class="tabs" aria-label={say('tabs')}>
        {shown.map((tab, number) => (
          <a key={tab.id} href={link(pathOf(tab))} aria-current={tab === here ? 'page' : undefined}>
            {tab.label()}
            <kbd aria-hidden="true">{number + 1}</kbd>
          </a>
        ))}
      </nav>
      <View key={here.id} />
    </div>
  );
}

const pathOf = (tab: Tab): string[] => (tab.id === '' ? ['commissioning'] : ['commissioning', tab.id]);
