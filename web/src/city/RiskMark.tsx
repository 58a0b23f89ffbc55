import { shared } from '../i18n/shared';
import type { Risk } from './shape';

/** How dangerous a place is: an outlined square with its word, which never looks like an alarm. */
export function RiskMark({ risk }: { risk: Risk }) {
  return (
    <span class={`risk risk-${risk}`}>
      <span class="square" aria-hidden="true" />
      {shared(`risk.${risk}`)}
    </span>
  );
}
