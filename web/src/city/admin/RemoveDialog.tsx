import { useState } from 'preact/hooks';
import type { Failure } from '../../api/call';
import { Dialog } from '../../control/Dialog';
import { Refusal } from '../../notice/Notice';
import { city } from '../city';
import { city as say } from '../messages';
import type { User } from '../shape';

/** Removing somebody cannot be undone: it names whom, and what stays. */
export function RemoveDialog({ person, onDone, onClose }: { person: User; onDone: () => void; onClose: () => void }) {
  const [failure, setFailure] = useState<Failure | null>(null);
  const send = async (): Promise<void> => {
    const outcome = await city.ask('DELETE', `/api/admin/users/${encodeURIComponent(person.id)}`);
    if (outcome.ok) onDone();
    else setFailure(outcome.failure);
  };
  const title = say('people.remove-whom', { name: person.name });
  return (
    <Dialog title={title} onClose={onClose} onSend={send} send={title} danger>
      <p>{say('people.remove-what', { name: person.name, id: person.id })}</p>
      {failure && <Refusal failure={failure} />}
    </Dialog>
  );
}
