import type { ComponentChildren } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { address, link } from '../address/address';
import type { Feed } from '../api/feed';
import type { Alarm } from '../api/shape';
import { countUnacknowledged, KINDS } from '../alarm/state';
import { Shape } from '../alarm/Symbol';
import { shared } from '../i18n/shared';
import { helpOpen, useKeys } from '../keys/keys';
import { Counts } from './Counts';
import { Help } from './Help';
import { Icon } from './Icon';
import { Choices } from './Choices';
import { Clock } from '../clock/Time';
import { dateTime, ZONE_NAME } from '../clock/format';
import { now } from '../clock/now';
import type { Place } from './place';
import './frame.css';

/** Qualities that need no word in the strip. */
const GOOD_CLOCKS: readonly string[] = ['good', 'synchronised'];

interface FrameProps {
  /** Site or jurisdiction. */
  title: string;
  /** The first is shown for an address that names none. */
  places: readonly Place[];
  feed: Feed;
  alarms: Iterable<Alarm>;
  /** Quality of the daemon's clock as the daemon names it; null where not known yet. */
  clock: string | null;
  horn: ComponentChildren;
  /** What is said while a flood lasts. */
  flood?: ComponentChildren;
  links: ComponentChildren;
  person: ComponentChildren;
}

/** What is always there: the strip on top, the places at the left (at the bottom of a phone), and the banner of a silent stream. */
export function Frame({ title, places, feed, alarms, clock, horn, flood, links, person }: FrameProps) {
  const here = address.value.place;
  // Reckoned once for what was handed in: an iterator can be walked only once, and the frame is drawn more often than that.
  const counts = useMemo(() => countUnacknowledged(alarms), [alarms]);
  const place = places.find((candidate) => candidate.id === here) ?? places[0];
  useKeys({ '?': () => (helpOpen.value = true) });
  const unseen = KINDS.reduce((sum, kind) => sum + counts[kind], 0);
  useEffect(() => {
    document.title = [unseen > 0 ? `(${unseen})` : '', title, place?.label()].filter(Boolean).join(' ');
  });
  if (!place) return null;
  const View = place.view;
  return (
    <div class="frame" data-feed={feed.state.value}>
      <header class="strip">
        <h1 class="site" title={title}>
          {title}
        </h1>
        <Counts counts={counts} />
        <div class="part sound">{horn}</div>
        {flood}
        <div class="space" />
        <div class="part links">{links}</div>
        <div class="part when">
          <span class="clock">
            <Clock />
          </span>
          <span class="muted small">{ZONE_NAME}</span>
          {clock !== null && !GOOD_CLOCKS.includes(clock) && <span class={clock === 'unknown' ? 'tag' : 'tag text-fault'}>{shared.orCode('clock', clock)}</span>}
        </div>
        <div class="part who">
          <Choices />
          {person}
        </div>
      </header>
      {feed.state.value === 'stale' && <Silent feed={feed} />}
      <nav class="places" aria-label={shared('frame.places')}>
        {places.filter((candidate) => !candidate.hidden).map((candidate) => (
          <a key={candidate.id} href={link(candidate.id)} aria-current={candidate === place ? 'page' : undefined}>
            <Icon name={candidate.icon} />
            {candidate.label()}
          </a>
        ))}
        <span class="grow" />
        <a class="help" href="#help" onClick={(event) => (event.preventDefault(), (helpOpen.value = true))}>
          <Icon name="help" />
          {shared('frame.help')}
        </a>
      </nav>
      <p class="print-head">
        <span class="strong">{title}</span>
        <span>{place.label()}</span>
        <PrintTime />
        {feed.state.value === 'stale' && <span class="strong">{shared('feed.stale')}</span>}
      </p>
      <main class="stage" tabIndex={-1} key={place.id}>
        <View />
      </main>
      {helpOpen.value && <Help onClose={() => (helpOpen.value = false)} />}
    </div>
  );
}

function PrintTime() {
  return (
    <span class="number">
      {dateTime(now.value)} {ZONE_NAME}
    </span>
  );
}

/** The banner of a stream that is silent: since when, what it means, what happens next. */
function Silent({ feed }: { feed: Feed }) {
  return (
    <div class="banner" role="alert">
      <Shape kind="fault" size={20} />
      <span>{shared('feed.stale')}</span>
      <span class="number" aria-hidden="true">
        {shared('feed.quiet', { count: Math.round(feed.quiet_ms.value / 1000) })}
      </span>
    </div>
  );
}
