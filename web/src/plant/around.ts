/** What an alarm of this plant has around it, and what may be done to it here. */

import { computed } from '@preact/signals';
import type { AlarmActs } from '../alarm/acts';
import type { Surroundings } from '../alarm/AlarmRow';
import type { Alarm, Point } from '../api/shape';
import { name } from '../i18n/language';
import { plant } from './plant';
import { askLogIn, asPerson } from './session';

const points = computed<ReadonlyMap<string, Point>>(() => new Map(plant.site.value?.points.map((point) => [point.id, point])));

export const pointById = (id: string): Point | null => points.value.get(id) ?? null;

export const around: Surroundings = {
  point: (alarm) => (alarm.point === null ? null : pointById(alarm.point)),
  value: (alarm) => (alarm.point === null ? null : plant.picture.value(alarm.point)),
  where: (alarm) => {
    const site = plant.site.value;
    const area = site?.areas.find((one) => one.id === alarm.area);
    const device = site?.devices.find((one) => one.id === alarm.device);
    return area ? name(area.name) : device ? name(device.name) : alarm.device;
  },
  who: (actor) => plant.site.value?.people.find((person) => person.id === actor)?.name ?? actor,
};

const act = (alarm: Alarm, what: string, body?: object) => asPerson(() => plant.act(alarm, what, body));

export const acts: AlarmActs = {
  begin: async () => plant.person.value !== null || askLogIn(),
  acknowledge: (alarm, note) => act(alarm, 'acknowledge', { occurrence: alarm.occurrence, note }),
  reset: (alarm) => act(alarm, 'reset'),
  shelve: (alarm, { minutes, reason, second }) => act(alarm, 'shelve', { minutes, reason, second: second && { person: second.who, pin: second.secret } }),
  unshelve: (alarm) => act(alarm, 'unshelve'),
  // Maintenance alone may; an operator who is logged in need not be offered what is refused.
  get outOfService() {
    return plant.person.value?.role === 'operator' ? undefined : (alarm: Alarm, reason: string) => act(alarm, 'out-of-service', { reason });
  },
  get inService() {
    return plant.person.value?.role === 'operator' ? undefined : (alarm: Alarm) => act(alarm, 'in-service');
  },
  seconds: () => plant.site.value?.people.filter((person) => person.id !== plant.person.value?.id) ?? [],
};

/** A manual cause is demanded and withdrawn here at the plant alone. */
export const byHand = (id: string, what: 'demand' | 'withdraw', reason: string) => asPerson(() => plant.byHand(id, what, reason));
