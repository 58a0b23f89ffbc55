import { useMemo } from 'preact/hooks';
import { Frame } from '../frame/Frame';
import { LinkState } from '../frame/LinkState';
import type { Place } from '../frame/place';
import { Horn } from '../horn/Horn';
import { FloodFlag } from '../kpi/FloodFlag';
import { name } from '../i18n/language';
import { ArmingFlag } from './commission/ArmingFlag';
import { Commissioning } from './commission/Commissioning';
import { commission } from './commission/messages';
import { Alarms } from './place/Alarms';
import { Overview } from './place/Overview';
import { Performance } from './place/Performance';
import { System } from './place/System';
import { Trend } from './place/Trend';
import { LogInDialog, PersonPart } from './LogIn';
import { plant as say } from './messages';
import { plant } from './plant';

const PLACES: readonly Place[] = [
  { id: '', label: () => say('place.overview'), icon: 'overview', view: Overview },
  { id: 'alarms', label: () => say('place.alarms'), icon: 'alarms', view: Alarms },
  { id: 'trend', label: () => say('place.trend'), icon: 'trend', view: Trend },
  { id: 'performance', label: () => say('place.performance'), icon: 'performance', view: Performance },
  { id: 'commissioning', label: () => commission('place'), icon: 'commissioning', view: Commissioning },
  { id: 'system', label: () => say('place.system'), icon: 'system', view: System },
];

/** The plant face. */
export function Plant() {
  const site = plant.site.value;
  const map = plant.picture.alarms.value;
  const alarms = useMemo(() => [...map.values()], [map]);
  return (
    <>
      <Frame
        title={site ? name(site.name) : ''}
        places={PLACES}
        feed={plant.feed}
        alarms={alarms}
        clock={plant.system.value?.clock.quality ?? null}
        horn={<Horn horn={plant.horn.value} onSilence={plant.silence} />}
        flood={
          <>
            <ArmingFlag />
            <FloodFlag flood={plant.flood.value} />
          </>
        }
        links={<Links />}
        person={<PersonPart />}
      />
      <LogInDialog />
    </>
  );
}

function Links() {
  const links = plant.links.value;
  if (!links) return null;
  const backlog = links.cloud.backlog_batches;
  const waits = links.cloud.state === 'down' || links.cloud.state === 'behind';
  const more = waits && backlog > 0 ? { more: say('link.backlog', { count: backlog }) } : {};
  return (
    <>
      <LinkState word={say('link.broker')} state={links.broker.state} since_ms={links.broker.since_ms} />
      <LinkState word={say('link.cloud')} state={links.cloud.state} since_ms={links.cloud.since_ms} {...more} />
    </>
  );
}
