import { useState } from 'preact/hooks';
import type { Failure, Outcome } from '../api/call';
import { Dialog } from '../control/Dialog';
import { Field } from '../control/Field';
import { shared } from '../i18n/shared';
import { Refusal } from '../notice/Notice';

interface ReasonDialogProps {
  title: string;
  /** What it will do, and to what. */
  what: string;
  onSend: (reason: string) => Promise<Outcome<unknown>>;
  onClose: () => void;
}

/** An act that needs a reason. */
export function ReasonDialog({ title, what, onSend, onClose }: ReasonDialogProps) {
  const [reason, setReason] = useState('');
  const [failure, setFailure] = useState<Failure | null>(null);
  const send = async (): Promise<void> => {
    const outcome = await onSend(reason.trim());
    if (outcome.ok) onClose();
    else setFailure(outcome.failure);
  };
  return (
    <Dialog title={title} onClose={onClose} onSend={send} send={title} ready={reason.trim() !== ''}>
      <p>{what}</p>
      <Field label={shared('details.reason')}>
        <textarea class="input" value={reason} maxLength={200} required onInput={(event) => setReason(event.currentTarget.value)} />
      </Field>
      {failure && <Refusal failure={failure} />}
    </Dialog>
  );
}
