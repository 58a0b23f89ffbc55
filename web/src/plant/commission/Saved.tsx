import { Button } from '../../control/Button';
import { sayFailure } from '../../notice/Notice';
import { workbook } from './draft';
import { commission as say } from './messages';

/** Whether the gateway has what this page shows. */
export function Saved() {
  const failure = workbook.failure.value;
  if (failure) {
    return (
      <div class="saved wrong" role="alert">
        <span>{failure.code === 'draft-changed' ? say('draft.changed') : say('draft.not-kept', { why: sayFailure(failure) })}</span>
        <Button onPress={() => workbook.flush()}>{say('draft.again')}</Button>
      </div>
    );
  }
  return (
    <p class="saved muted small" role="status">
      {say(`draft.${workbook.kept.value}`)}
    </p>
  );
}
