/** An applied site takes over within a few seconds: the stream ends, and another site answers. */

import type { Failure } from '../../api/call';
import { plant } from '../plant';
import { workbook } from './draft';

const LOOK_MS = 300;
const LATEST_MS = 20_000;

/** Waits until a site other than `before` runs; false if none does in time. */
export async function taken(before: string): Promise<boolean> {
  for (let waited = 0; waited < LATEST_MS; waited += LOOK_MS) {
    await new Promise((done) => setTimeout(done, LOOK_MS));
    await plant.askSite();
    if (plant.site.value && plant.site.value.digest !== before) {
      await plant.askWho();
      await workbook.load();
      return true;
    }
  }
  return false;
}

/** What a refusal to arm names. */
export function refusedIds(failure: Failure): string[] {
  const ids = (failure.detail as { ids?: unknown } | null)?.ids;
  return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === 'string') : [];
}
