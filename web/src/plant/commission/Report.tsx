import { Empty } from '../../notice/Notice';
import { commission as say } from './messages';

/** Holds the place of the signed report; no tab leads here until it is. */
export function Report() {
  return <Empty why={say('not-here')} next={say('not-here-next')} />;
}
