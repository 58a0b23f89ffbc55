import type { ComponentChildren } from 'preact';
import { link } from '../../address/address';
import { Icon } from '../../frame/Icon';
import { city } from '../city';
import { city as say } from '../messages';

/** A page that this role may not see: who it is for, and where to go instead. */
export function Forbidden() {
  const user = city.user;
  return (
    <Notice title={say('forbidden.title')}>
      <p>{say('forbidden.why', { name: user?.name ?? '', role: user ? say(`role.${user.role}`) : '' })}</p>
      <p class="muted">{say('forbidden.next')}</p>
    </Notice>
  );
}

export function Nowhere() {
  return (
    <Notice title={say('nowhere.title')}>
      <p class="muted">{say('nowhere.why')}</p>
    </Notice>
  );
}

function Notice({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="place">
      <div class="card notice centred">
        <Icon name="help" size={28} />
        <div>
          <h2>{title}</h2>
          {children}
          <a class="button" href={link('')}>
            {say('place.situation')}
          </a>
        </div>
      </div>
    </div>
  );
}
