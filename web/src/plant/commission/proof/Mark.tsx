import { Shape } from '../../../alarm/Symbol';
import { day } from '../../../clock/format';
import { proof as say } from './messages';
import type { Due, State } from './shape';

/** Nothing is left to do about these. */
export const SETTLED: readonly State[] = ['proved', 'skipped'];

/** The state in a word; what is not well has a shape too. */
export function Mark({ state, underWay = false }: { state: State; underWay?: boolean }) {
  const well = SETTLED.includes(state);
  return (
    <span class={well ? 'proof-mark' : 'proof-mark strong'}>
      {!well && <Shape kind="fault" size={14} />}
      {say(`state.${state}`)}
      {underWay && <span class="tag">{say('under-way')}</span>}
    </span>
  );
}

export function dueText(due: Due): string {
  return due.due_ms !== null ? day(due.due_ms) : say.orCode('due', due.due);
}
