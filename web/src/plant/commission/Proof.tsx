import { Empty } from '../../notice/Notice';
import { commission as say } from './messages';

/** Holds the place of guided loop and bump tests; no tab leads here until they are. */
export function Proof() {
  return <Empty why={say('not-here')} next={say('not-here-next')} />;
}
