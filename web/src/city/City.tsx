import { Feed } from '../api/feed';
import { Frame } from '../frame/Frame';
import type { Place } from '../frame/place';
import { Empty } from '../notice/Notice';
import { city } from './messages';

const PLACES: readonly Place[] = [{ id: '', label: () => city('place.situation'), icon: 'situation', view: UnderWay }];
const feed = new Feed('/api/events', {});

/** The city face. */
export function City() {
  return <Frame title="" places={PLACES} feed={feed} alarms={[]} clock={null} horn={null} links={null} person={null} />;
}

function UnderWay() {
  return <Empty why={city('place.under-way')} />;
}
