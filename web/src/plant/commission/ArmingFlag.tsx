import { link } from '../../address/address';
import { plant } from '../plant';
import { commission as say } from './messages';

/** In the strip, as long as something is not watched over: a calm screen must not be taken for a safe plant. */
export function ArmingFlag() {
  const site = plant.site.value;
  if (!site) return null;
  if (site.blank) return <Flag href={link('commissioning')} words={say('flag.blank')} />;
  const held = [...site.points, ...site.outputs].filter((one) => one.armed === false).length;
  return held > 0 ? <Flag href={link('commissioning', { step: 'arm' })} words={say('flag.unarmed', { count: held })} /> : null;
}

const Flag = ({ href, words }: { href: string; words: string }) => (
  <a class="flood-flag arming-flag" href={href}>
    {words}
  </a>
);
