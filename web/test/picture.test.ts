import { expect, test } from 'vitest';
import { Picture } from '../src/live/picture';
import { alarm, value } from './alarms';

function drawn(): { picture: Picture; draw: () => void; waiting: () => number } {
  const due: (() => void)[] = [];
  const picture = new Picture('s', (draw) => void due.push(draw));
  return { picture, draw: () => due.splice(0).forEach((one) => one()), waiting: () => due.length };
}

test('a flood between two frames is drawn once, and the last state of each alarm wins', () => {
  const { picture, draw, waiting } = drawn();
  for (let seq = 1; seq <= 500; seq++) picture.takeAlarm(alarm({ id: `A.${seq % 10}`, seq }));
  expect(waiting()).toBe(1);
  expect(picture.alarms.value.size).toBe(0);
  draw();
  expect(picture.alarms.value.size).toBe(10);
  expect(picture.alarms.value.get('s/A.0')?.seq).toBe(500);
});

test('an alarm that became normal leaves the picture', () => {
  const { picture, draw } = drawn();
  picture.takeAlarm(alarm());
  draw();
  picture.takeAlarm(alarm({ state: 'NORM' }));
  draw();
  expect(picture.alarms.value.size).toBe(0);
});

test('a snapshot replaces everything: what it does not name is gone, and older deltas do not come back', () => {
  const { picture, draw } = drawn();
  picture.takeValues([value('GT-1', 1), value('GT-2', 2)]);
  picture.takeAlarm(alarm({ id: 'old' }));
  picture.replace([alarm({ id: 'new' })], [value('GT-2', 5)]);
  draw();
  expect([...picture.alarms.value.keys()]).toEqual(['s/new']);
  expect(picture.value('GT-1').value).toBeNull();
  expect(picture.value('GT-2').value?.value).toBe(5);
});

test('a value moves its own point alone', () => {
  const { picture, draw } = drawn();
  const [one, two] = [picture.value('GT-1'), picture.value('GT-2')];
  picture.takeValues([value('GT-1', 7)]);
  draw();
  expect(one.value?.value).toBe(7);
  expect(two.value).toBeNull();
});
