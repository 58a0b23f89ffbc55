import { Frame } from '../frame/Frame';
import type { Place } from '../frame/place';
import { Horn } from '../horn/Horn';
import { name } from '../i18n/language';
import { Skeleton } from '../notice/Notice';
import { plant } from './plant';
import { plant as say } from './messages';

const PLACES: readonly Place[] = [{ id: '', label: () => say('place.overview'), icon: 'overview', view: () => <Skeleton /> }];

/** The plant face. */
export function Plant() {
  const site = plant.site.value;
  return (
    <Frame
      title={site ? name(site.name) : ''}
      places={PLACES}
      feed={plant.feed}
      alarms={plant.picture.alarms.value.values()}
      clock={plant.system.value?.clock.quality ?? null}
      horn={<Horn horn={plant.horn.value} onSilence={plant.silence} />}
      links={null}
      person={null}
    />
  );
}
