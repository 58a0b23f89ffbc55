import type { ComponentChildren } from 'preact';
import { Button } from '../../control/Button';
import { plant } from '../plant';
import { askLogIn } from '../session';
import { commission as say } from './messages';

/** What changes the draft: shut, with the way in, until somebody of maintenance stands at the page; what is typed before would be refused at the first key. */
export function Editing({ children }: { children: ComponentChildren }) {
  const role = plant.person.value?.role;
  const open = role === 'maintenance';
  return (
    <>
      {!open && (
        <div class="row hint-line" role="status" data-shut>
          <span class="grow">{say(role ? 'editing.role' : 'editing.nobody')}</span>
          {!role && <Button onPress={() => void askLogIn()}>{say('editing.log-in')}</Button>}
        </div>
      )}
      <fieldset class="editing" disabled={!open}>
        {children}
      </fieldset>
    </>
  );
}
