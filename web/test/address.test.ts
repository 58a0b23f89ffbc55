import { expect, test } from 'vitest';
import { link, parse } from '../src/address/address';

test('an address is a place, what follows it, and its parameters, and reads back what was linked', () => {
  const address = parse(new URL(link(['site', '城东/一'], { open: 'a.HH', q: null }), 'http://plant'));
  expect(address.place).toBe('site');
  expect(address.rest).toEqual(['城东/一']);
  expect(address.parameters.get('open')).toBe('a.HH');
  expect(address.parameters.has('q')).toBe(false);
});

test('the first place has an empty address, and a broken code does not break the page', () => {
  expect(link('')).toBe('/');
  expect(parse(new URL('http://plant/%E0%A4%A')).place).toBe('%E0%A4%A');
});
