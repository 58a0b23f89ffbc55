/** How the tests come into the city face: logged in as somebody of the county. */

import type { Browser } from 'playwright-core';
import type { CityFixture } from '../fixture/city/server';
import { PASSWORD } from '../fixture/city/sites';
import { open, type Look, type Screen } from './screen';

/** Without a person, at the gate. */
export function enter(browser: Browser, city: CityFixture, user: string | null, path: string, look: Look = {}): Promise<Screen> {
  if (user === null) return open(browser, city.url, path, { ...look, stands: '.gate-card' });
  return open(browser, city.url, path, { ...look, before: (context) => context.request.post(`${city.url}/api/session`, { data: { user, password: PASSWORD } }) });
}
