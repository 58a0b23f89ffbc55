import { useMemo } from 'preact/hooks';
import { address } from '../address/address';
import { ago } from '../clock/Time';
import { now } from '../clock/now';
import { Button } from '../control/Button';
import { Frame } from '../frame/Frame';
import { Icon } from '../frame/Icon';
import type { Place } from '../frame/place';
import { Horn } from '../horn/Horn';
import { name } from '../i18n/language';
import { Failed, Skeleton } from '../notice/Notice';
import { city, type Session } from './city';
import { LogIn } from './LogIn';
import { city as say } from './messages';
import { Administration } from './place/Administration';
import { Alarms } from './place/Alarms';
import { Forbidden, Nowhere } from './place/Elsewhere';
import { PerformancePlace } from './place/Performance';
import { RecordPlace } from './place/Record';
import { SitePlace } from './place/Site';
import { Situation } from './place/Situation';
import { TrendPlace } from './place/Trend';
import type { User } from './shape';
import { linksOf } from './situation';
import './city.css';

const PLACES: readonly Place[] = [
  { id: '', label: () => say('place.situation'), icon: 'situation', view: Situation },
  { id: 'alarms', label: () => say('place.alarms'), icon: 'alarms', view: Alarms },
  { id: 'site', label: () => say('place.site'), icon: 'site', view: SitePlace },
  { id: 'trend', label: () => say('place.trend'), icon: 'trend', view: TrendPlace },
  { id: 'performance', label: () => say('place.performance'), icon: 'performance', view: PerformancePlace },
  { id: 'record', label: () => say('place.record'), icon: 'record', view: RecordPlace },
];
const ADMINISTRATION: Place = { id: 'administration', label: () => say('place.administration'), icon: 'administration', view: Administration };

/** The city face: a log-in, then the frame with its places. */
export function City() {
  const session = city.session.value;
  return session.state === 'in' ? <Inside user={session.user} /> : <Outside session={session} />;
}

function Outside({ session }: { session: Exclude<Session, { state: 'in' }> }) {
  if (session.state === 'out') return <LogIn why={session.why} />;
  return (
    <main class="gate">
      {session.state === 'asking' ? <Skeleton lines={3} /> : <Failed failure={session.failure} stillTrue={say('gate.still-true')} onRetry={() => city.askWho()} />}
    </main>
  );
}

function Inside({ user }: { user: User }) {
  const here = address.value.place;
  const places = useMemo(() => placesFor(user, here), [user, here]);
  return (
    <Frame
      title={titleOf(user)}
      places={places}
      feed={city.feed.value}
      alarms={city.picture.alarms.value.values()}
      clock={null}
      horn={<Sound />}
      links={<Links />}
      person={<Person user={user} />}
    />
  );
}

/** The places of a role, and one without an entry for an address that leads nowhere or where this role may not go. */
function placesFor(user: User, here: string): Place[] {
  const places = user.role === 'administrator' ? [...PLACES, ADMINISTRATION] : [...PLACES];
  if (places.some((place) => place.id === here)) return places;
  const view = here === ADMINISTRATION.id ? Forbidden : Nowhere;
  return [...places, { id: here, label: () => '', icon: 'help', view, hidden: true }];
}

/** Whose eyes these are: a jurisdiction, a single site, or so many of them. */
function titleOf(user: User): string {
  const place = user.jurisdiction;
  if (place) return [place.city, place.town, place.village].filter(Boolean).join(' · ');
  const sites = [...(city.sites.value?.values() ?? [])];
  const only = sites.length === 1 ? sites[0] : undefined;
  if (only) return name(only.name);
  if (user.role === 'administrator') return say('title.all');
  return city.sites.value ? say('title.sites', { count: sites.length }) : '';
}

/** The horn of this screen where somebody asked for one. */
function Sound() {
  if (!city.loud.value) {
    return (
      <Button look="plain" label={say('horn.off')} title={say('horn.off-hint')} onPress={() => city.setLoud(true)}>
        <Icon name="muted" size={18} />
        <span class="small sound-word">{say('horn.off')}</span>
      </Button>
    );
  }
  return (
    <>
      <Horn horn={city.horn.value} onSilence={city.silence} />
      <Button look="plain" icon label={say('horn.turn-off')} onPress={() => (city.silence(), city.setLoud(false))}>
        <Icon name="close" size={16} />
      </Button>
    </>
  );
}

/** The stream to the cloud with its age, and how many sites are heard. */
function Links() {
  const quiet_ms = city.feed.value.quiet_ms.value;
  const sites = city.sites.value;
  const state = city.feedState.value === 'stale' ? 'down' : city.feedState.value === 'live' ? 'up' : 'off';
  const links = linksOf(sites?.values() ?? []);
  const lost = links.stale + links.down;
  return (
    <>
      <span class="link-state" data-state={state}>
        <span class="lamp" aria-hidden="true" />
        {say('link.cloud')} <span>{say(`link.cloud.${city.feedState.value}`)}</span>
        {now.value > 0 && state !== 'off' && <span class="age number">{ago(quiet_ms)}</span>}
      </span>
      {sites && (
        <a class="link-state live" data-state={lost > 0 ? 'down' : 'up'} href={lost > 0 ? '/?link=down,stale' : '/'}>
          <span class="lamp" aria-hidden="true" />
          <span class="number">{lost > 0 ? say('link.sites-lost', { up: links.up, lost }) : say('link.sites', { up: links.up })}</span>
        </a>
      )}
    </>
  );
}

function Person({ user }: { user: User }) {
  return (
    <>
      <span class="small who-name" title={say(`role.${user.role}`)}>
        {user.name} <span class="muted">{say(`role.${user.role}`)}</span>
      </span>
      <Button look="plain" title={user.name} onPress={city.logOut}>
        {say('person.log-out')}
      </Button>
    </>
  );
}
