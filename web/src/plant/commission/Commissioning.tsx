import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { address, go, link } from '../../address/address';
import { useKeys } from '../../keys/keys';
import { workbook } from './draft';
import { Editing } from './Editing';
import { First } from './First';
import { commission as say } from './messages';
import { Points } from './Points';
import { Probe } from './Probe';
import { Proof } from './Proof';
import { loadReference } from './reference';
import { Report } from './Report';
import { Saved } from './Saved';
import { Scan } from './Scan';
import { TABS_SHOWN } from './shown';
import { Wizard } from './Wizard';
import './commission.css';

interface Tab {
  /** The second part of the address; the first tab's is empty. */
  id: string;
  label: () => string;
  view: ComponentType;
}

const TABS: readonly Tab[] = [
  { id: '', label: () => say('tab.wizard'), view: Wizard },
  { id: 'scan', label: () => say('tab.scan'), view: () => <Editing><Scan /></Editing> },
  { id: 'probe', label: () => say('tab.probe'), view: Probe },
  { id: 'points', label: () => say('tab.points'), view: () => <Editing><Points /></Editing> },
  { id: 'proof', label: () => say('tab.proof'), view: Proof },
  { id: 'report', label: () => say('tab.report'), view: Report },
];

/** What an installer does at the plant, from an empty gateway to a proved site. */
export function Commissioning() {
  const shown = TABS.filter((tab) => TABS_SHOWN.includes(tab.id));
  const here = TABS.find((tab) => tab.id === (address.value.rest[0] ?? '')) ?? TABS[0];
  useKeys(Object.fromEntries(shown.map((tab, number) => [String(number + 1), () => go(pathOf(tab))])));
  useEffect(() => {
    loadReference();
    void workbook.load();
  }, []);
  if (!here) return null;
  const View = here.view;
  return (
    <div class="place commissioning">
      <div class="title">
        <h1 class="grow">{say('place')}</h1>
        {!workbook.state.value?.first && <Saved />}
      </div>
      <nav class="tabs" aria-label={say('tabs')}>
        {shown.map((tab, number) => (
          <a key={tab.id} href={link(pathOf(tab))} aria-current={tab === here ? 'page' : undefined}>
            {tab.label()}
            <kbd aria-hidden="true">{number + 1}</kbd>
          </a>
        ))}
      </nav>
      {workbook.state.value?.first ? <First /> : <View key={here.id} />}
    </div>
  );
}

const pathOf = (tab: Tab): string[] => (tab.id === '' ? ['commissioning'] : ['commissioning', tab.id]);
